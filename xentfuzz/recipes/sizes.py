"""Class counts, row counts and shapes: around powers of two and vector widths, real vocabularies, dimensions that are easily confused."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from xentfuzz.recipes.choices import Choices, Table, chance, pick
from xentfuzz.recipes.space import Space

FEW_CLASSES = (2, 3, 4, 1, 5)
SOME_CLASSES = (7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)
MANY_CLASSES = (255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097)
# Every remainder by a vector width or a tile, whatever came before it: kernels have other loops for other numbers of tiles.
TILE = 32
ANY_COUNT = tuple(range(2, 130))
HUNDREDS = tuple(range(130, 513))
BEYOND_512 = tuple(range(513, 1025))
THOUSANDS = tuple(range(1025, 4129))
# Where one tile more or less begins.
AROUND_TILES = tuple(count + step for count in range(5 * TILE, 4129, TILE) for step in (-1, 0, 1))
VOCABULARIES = (32_000, 50_257, 65_537, 128_256, 151_936)
CONFUSED = (2, 3, 4, 5, 8, 16, 17)

FEW_ROWS = (2, 3, 1, 4, 5, 7)
SOME_ROWS = (8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
MANY_ROWS = (100, 127, 128, 129, 200, 255, 256, 257, 300, 513, 1000, 1025, 2049)
LONG_ROWS = (65_537, 65_600, 70_001)
# Beside many classes: what is left of a row depends on how many there are, and one row has no neighbour to read from.
ROWS_OF_MANY_CLASSES = (2, 3, 1, 4, 2, 3, 5, 2)
TWO_ROWS = (2,)
OTHER_ROWS = (3, 1, 4, 3, 5, 3)
# More than one tile of rows, or one chunk, and more than one tile of classes.
TILED_CLASSES = (10, 17, 33, 65, 100, 130, 257, 300)
TILED_ROWS = (65, 70, 100, 130, 257, 300, 600, 1030, 2050)

SPATIAL = (2, 3, 1, 4, 5, 7)
RANKS = {2: 50, 3: 20, 1: 10, 4: 14}

# name -> class counts, row counts, weight. In "square" a batch or spatial dimension equals the class count.
SIZES = {
    "tiny": (FEW_CLASSES, FEW_ROWS, 26),
    "vector": (SOME_CLASSES, FEW_ROWS, 20),
    "rows": (FEW_CLASSES + SOME_CLASSES[:6], SOME_ROWS, 14),
    "any": (ANY_COUNT, FEW_ROWS, 15),
    "any_rows": (FEW_CLASSES, ANY_COUNT, 8),
    "square": (CONFUSED, FEW_ROWS, 12),
    "batch": ((2, 3, 4, 5, 10, 17), MANY_ROWS, 9),
    "wide": (MANY_CLASSES, ROWS_OF_MANY_CLASSES, 4),
    "hundreds": (HUNDREDS, ROWS_OF_MANY_CLASSES, 6),
    "two_beyond_512": (BEYOND_512, TWO_ROWS, 6),
    "beyond_512": (BEYOND_512, OTHER_ROWS, 6),
    "thousands": (THOUSANDS, ROWS_OF_MANY_CLASSES, 4),
    "around_tiles": (AROUND_TILES, ROWS_OF_MANY_CLASSES, 5),
    "tiles": (TILED_CLASSES, TILED_ROWS, 3),
    "vocabulary": (VOCABULARIES, (1, 2), 2),
    "long": ((2, 3), LONG_ROWS, 2),
}
LONG = ("tiles", "vocabulary", "long")
# Whose few rows may have more elements than other cases, where there are larger cases at all: a row more costs a fraction of a case.
WIDE = ("wide", "hundreds", "two_beyond_512", "beyond_512", "thousands", "around_tiles")
WIDE_ELEMENTS = 3 * max(THOUSANDS)


@lru_cache(maxsize=256)
def _class_counts(pool: tuple[int, ...], limit: int, divisor: int, only: tuple[int, ...] | None) -> tuple[int, ...]:
    """The counts of the pool that may be drawn: multiples of the divisor up to the limit, or those of `only` in the pool's range."""
    if only is not None:
        return tuple(count for count in only if min(pool) <= count <= min(max(pool), limit))
    multiples = dict.fromkeys(-(-count // divisor) * divisor for count in pool)
    return tuple(count for count in multiples if count <= limit)


def class_counts(space: Space, pool: tuple[int, ...], elements: int) -> tuple[int, ...]:
    """The class counts of a pool that the space allows within so many elements; maybe none."""
    if space.shapes is not None:
        return ()
    limit = min(elements, space.largest_class_count or elements)
    return _class_counts(pool, limit, space.class_count_divisor, space.class_counts)


def most_rows(space: Space, classes: int, elements: int) -> int:
    """How many rows of so many classes the space allows within so many elements; one always."""
    within = elements // classes
    return max(within if space.largest_row_count is None else min(within, space.largest_row_count), 1)


def _elements(space: Space, size: str) -> int:
    if size in LONG:
        return space.long
    return max(space.largest, min(space.long, WIDE_ELEMENTS)) if size in WIDE else space.largest


@lru_cache(maxsize=64)
def _sizes(classes: tuple[tuple[int, ...], ...]) -> Table[str]:
    table = [(name, weight if allowed else 0) for (name, (_, _, weight)), allowed in zip(SIZES.items(), classes, strict=True)]
    return Table(table if any(weight for _, weight in table) else [("tiny", 1)])


def draw_size(choices: Choices, space: Space) -> tuple[str, int]:
    """The name of a size and a class count."""
    allowed = tuple(class_counts(space, pool, _elements(space, name)) for name, (pool, _, _) in SIZES.items())
    size = _sizes(allowed).pick(choices)
    pool = allowed[list(SIZES).index(size)]
    return size, pick(choices, pool or space.class_counts or (space.class_count_divisor,))


@lru_cache(maxsize=16)
def _ranks(ranks: tuple[int, ...]) -> Table[int]:
    return Table((rank, weight) for rank, weight in RANKS.items() if rank in ranks)


def draw_positions(choices: Choices, space: Space, size: str, classes: int) -> tuple[int, ...]:
    """The shape without the class axis: (), (N,), (N, d1) or (N, d1, d2), within the elements that the size may have."""
    rank = _ranks(space.ranks).pick(choices)
    rows = pick(choices, SIZES[size][1])
    if rank == 1:
        return ()
    limit = most_rows(space, classes, _elements(space, size))
    if size in WIDE:
        return _along_one_axis(choices, rank, min(rows, limit))
    if size == "square":
        return _square(choices, rank, classes, limit)
    spatial = fitted(tuple(pick(choices, SPATIAL) for _ in range(rank - 2)), limit)
    if rank > 2 and chance(choices, 40):
        # The last dimension may be the longest, as in sequences.
        return (*spatial, max(min(rows, limit // prod(spatial)), 1))
    return (max(min(rows, limit) // prod(spatial), 1), *spatial)


def _along_one_axis(choices: Choices, rank: int, rows: int) -> tuple[int, ...]:
    """So many rows and no more: all other axes have one position."""
    axis = choices.index(rank - 1)
    return (*(1,) * axis, rows, *(1,) * (rank - 2 - axis))


def fitted(lengths: tuple[int, ...], limit: int) -> tuple[int, ...]:
    """The lengths, the largest of them reduced to 1 until their product is within the limit."""
    while prod(lengths) > max(limit, 1):
        place = lengths.index(max(lengths))
        lengths = (*lengths[:place], 1, *lengths[place + 1 :])
    return lengths


def _square(choices: Choices, rank: int, classes: int, limit: int) -> tuple[int, ...]:
    """The last dimension is as long as the class axis."""
    last = min(classes, limit)
    return (*fitted(tuple(pick(choices, SPATIAL) for _ in range(rank - 2)), limit // last), last)

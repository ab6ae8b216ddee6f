"""Re-creation of the inputs and tolerances of quack's tests of cross entropy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.power.usual.case import Arguments, Array, Case, Close
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import Random, kept_rows, labels, normals, some_ignored, uniforms
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

CLASSES = (192, 256, 512, 760, 1024, 1128, 2048, 4096, 8192, 16384, 32768, 65536, 128256, 131072, 256128, 262144)
ROWS = (1, 77, 289)
DTYPES = ("bfloat16", "float16", "float32")
SCALE = 0.1
# Of one case at most: there are 144 of the main kind.
LOGITS = 60_000
NONE = {"reduction": "none"}


def cases() -> Sequence[Case]:
    random = np.random.default_rng(0)
    return [*_main(random), *_extremes(random), *_shifted(random), *_edges(random), *_weighted(random), *_surroundings(random)]


def _main(random: Random) -> Iterator[Case]:
    for dtype in DTYPES:
        for classes in CLASSES:
            for rows in sorted({kept_rows(rows, classes, LOGITS) for rows in ROWS}):
                yield _case(_drawn(random, rows, classes, dtype), torch_close(1e-5, 5e-5), upstream=normals(random, (rows,), dtype))


def _extremes(random: Random) -> Iterator[Case]:
    """All logits equal, and one far above the others: only a loss."""
    for dtype in ("float16", "float32"):
        target = labels(random, 1024, (16,))
        for value in (10.0, -10.0):
            yield _case(Arguments(np.full((16, 1024), value, numpy_dtype(dtype)), target, options=NONE), torch_close(1e-2, 1e-2))
        confident = np.full((16, 1024), -10, numpy_dtype(dtype))
        confident[np.arange(16), target] = 10
        yield _case(Arguments(confident, target, options=NONE), torch_close(0.0, 1.0))


def _shifted(random: Random) -> Iterator[Case]:
    given = Arguments(normals(random, (8, 512)) + np.float32(100), labels(random, 512, (8,)), options=NONE)
    yield _case(given, torch_close(1e-5, 1e-5))


def _edges(random: Random) -> Iterator[Case]:
    for label in (0, 1023):
        given = Arguments(normals(random, (16, 1024), scale=SCALE), np.full(16, label), options=NONE)
        yield _case(given, torch_close(1e-4, 1e-4))


def _weighted(random: Random) -> Iterator[Case]:
    """weight x reduction, with some ignored rows; 64 rows."""
    for reduction in ("none", "sum", "mean"):
        for weighted in (False, True):
            logits, target = normals(random, (64, 1024), scale=SCALE), labels(random, 1024, (64,))
            weight = uniforms(random, (1024,)) if weighted else None
            given = Arguments(logits, some_ignored(random, target, 8, -100), weight, {"reduction": reduction})
            yield _case(given, torch_close(1e-4, 1e-4), upstream=normals(random, given.loss_shape))


def _surroundings(random: Random) -> Iterator[Case]:
    """An expanded upstream gradient, no rows, nothing but ignored rows."""
    close = torch_close(1e-5, 5e-5)
    yield _case(_drawn(random, 77, 1024, "float32"), close, upstream=np.broadcast_to(np.float32(1), (77,)))
    yield _case(_drawn(random, 0, 1024, "float32"), close, upstream=1.0)
    yield _case(Arguments(normals(random, (16, 1024)), np.full(16, -100), options=NONE), close, upstream=1.0)


def _drawn(random: Random, rows: int, classes: int, dtype: str) -> Arguments:
    return Arguments(normals(random, (rows, classes), dtype, SCALE), labels(random, classes, (rows,)), options=NONE)


def _case(given: Arguments, close: Close, upstream: Array | float | None = None) -> Case:
    return case_of(given, close, upstream=upstream, arithmetic="float32")


METHOD = Method(
    "quack",
    "re-created: normal logits times 0.1, 192 to 262144 classes (rows cut), 3 dtypes, weight, ignored rows, no rows; rtol 1e-5, atol 5e-5",
    "Dao-AILab/quack, tests/test_cross_entropy.py",
    cases,
)

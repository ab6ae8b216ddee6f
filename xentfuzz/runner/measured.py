"""What was compared, by what the cases had, and how large the errors were: the figures behind a green verdict.

A comparison is one case judged by one check. Checks of invalid input are left out: what raises is as good as what answers there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from xentfuzz.operations import get_operation
from xentfuzz.recipes.cells import BANDS, LARGEST
from xentfuzz.recipes.expand import target_kind
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.runner.results import json_number

# What errors / allowed errors are counted by: up to each of these, and beyond the last one.
EDGES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
# What comparisons are counted by; the order is that of reports.
PAIRS = "options together"


@dataclass
class Errors:
    """Of comparisons with an error: how many, the largest error / allowed error, the same in ulp, and how many lay between the EDGES."""

    comparisons: int = 0
    ratio: float = 0.0
    ulp: float = 0.0
    spread: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))

    def note(self, ratio: float, ulp: float) -> None:
        self.comparisons += 1
        self.spread[bisect_left(EDGES, ratio)] += 1
        if ratio >= self.ratio:
            self.ratio, self.ulp = ratio, ulp


@dataclass
class Measured:
    """counts: dtype, rank, target, regime, layout, ... -> its value -> comparisons; errors: (regime of the first argument, dtype)."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    errors: dict[tuple[str, str], Errors] = field(default_factory=dict)
    _last: Recipe | None = None
    _has: list[tuple[str, str]] = field(default_factory=list)

    def note(self, recipe: Recipe, ratio: float, ulp: float) -> None:
        """One comparison. ratio, ulp: its error, 0 where the check measures none, or none was made."""
        if recipe is not self._last:  # many checks judge one case
            self._last, self._has = recipe, list(_has(recipe))
        for kind, value in self._has:
            self.counts.setdefault(kind, Counter())[value] += 1
        if ratio > 0:
            self.errors.setdefault((regime_of(recipe), recipe.dtype), Errors()).note(ratio, ulp)

    def to_dict(self) -> dict[str, Any]:
        """As results files have it."""
        return {
            "compared": {kind: dict(counts.most_common()) for kind, counts in self.counts.items()},
            "errors": [
                {
                    "regime": regime,
                    "dtype": dtype,
                    "comparisons": errors.comparisons,
                    "ratio": json_number(errors.ratio),
                    "ulp": json_number(errors.ulp),
                    "spread": errors.spread,
                }
                for (regime, dtype), errors in self.errors.items()
            ],
        }


def merged_measured(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of what several runs of one implementation measured."""
    known = [part for part in parts if part]
    if not known:
        return {}
    counts: dict[str, Counter[str]] = {}
    errors: dict[tuple[str, str], dict[str, Any]] = {}
    for part in known:
        for kind, found in part["compared"].items():
            counts.setdefault(kind, Counter()).update(found)
        for row in part["errors"]:
            key = row["regime"], row["dtype"]
            errors[key] = _added(errors[key], row) if key in errors else row
    return {"compared": {kind: dict(found.most_common()) for kind, found in counts.items()}, "errors": list(errors.values())}


def _added(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    worst = max(first, second, key=lambda row: float(row["ratio"]))
    return {
        **worst,
        "comparisons": first["comparisons"] + second["comparisons"],
        "spread": [a + b for a, b in zip(first["spread"], second["spread"], strict=True)],
    }


def regime_of(recipe: Recipe) -> str:
    """The kind of numbers of the first argument."""
    first = recipe.arrays[get_operation(recipe.operation).arguments[0].name]
    return first.regime if first.elements is None else "written out"


def _has(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """(what comparisons are counted by, its value in this case)."""
    yield "dtype", recipe.dtype
    yield "rank", f"rank {len(recipe.shape)}"
    if target_kind(recipe):
        yield "target", f"{target_kind(recipe)} targets"
    yield "kind of numbers", regime_of(recipe)
    yield from (("layout", layout) for layout in sorted({array.layout for array in recipe.arrays.values()}))
    yield "classes", _band(recipe)
    options = list(_options(recipe))
    yield from (("option", option) for option in options or ["all at their defaults"])
    yield from ((PAIRS, f"{first} and {second}") for first, second in combinations(options, 2))


def _options(recipe: Recipe) -> Iterator[str]:
    """What differs from a call with logits and target alone."""
    if "weight" in recipe.arrays:
        yield "weight"
    if "target" in recipe.arrays and recipe.arrays["target"].ignored != "none":
        yield "ignored rows"
    defaults = get_operation(recipe.operation).defaults
    for name, value in sorted(recipe.options.items()):
        if value != defaults.get(name):
            yield f"{name}={value}" if isinstance(value, str) else name


def _band(recipe: Recipe) -> str:
    defaults = get_operation(recipe.operation).defaults
    classes = class_rows(recipe.shape, {**defaults, **recipe.options}).classes
    if not classes:
        return "0"
    if classes > LARGEST:
        return f"{LARGEST + 1:,} and more"
    band = max(place for place, least in enumerate(BANDS) if least <= classes)
    most = BANDS[band + 1] - 1 if band + 1 < len(BANDS) else LARGEST
    return f"{BANDS[band]:,} to {most:,}"

"""What the calls of an implementation take, learnt from those that were made: for every call, row, element, and for what a compiler has not
seen yet.

A call is predicted to take base + rows * r + elements * e, + f where its shapes are new to the worker, for each function and dtype by
itself, as one of them alone may be slow. The four numbers are the non-negative least squares of the relative errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.operations.rows import class_axis
from xentfuzz.subjects.outcome import Call

# Seconds below which differences between calls say nothing about sizes.
RESOLUTION = 1e-3
# A fit costs more than a fast call: made anew for each of the first calls, for one that surprises, and for every tenth part more.
EXACT = 8
REFIT = 1.1
# Seconds in all calls before their size or their shapes may be said to take too long: one call that was held up is no slow implementation.
EVIDENT = 0.5
# Implementations of which most of the first calls take longer than so many seconds may well be too slow for the profile's cases.
SUSPECT, MOST, FIRST_CALLS = 2e-3, 0.75, 256
# Relative to features of length 1: two that were always the same share what they explain.
SINGULAR = 1e-9
ALIKE = 1e-6

Matrix = np.ndarray[Any, np.dtype[np.float64]]
Vector = np.ndarray[Any, np.dtype[np.float64]]


# Places in the numbers of a fit.
ROW, ELEMENT, FRESH = 1, 2, 3


class Work(NamedTuple):
    """One call of a function of the implementation's own. fresh: its shapes and options are new to the worker."""

    function: str
    dtype: str
    rows: int
    elements: int
    fresh: bool = False


def works(call: Call, *, fresh: bool) -> Iterator[Work]:
    """The calls that a call amounts to: itself, or the steps of a protocol."""
    steps = call.options.get("steps")
    if steps is None:
        yield _work(call.function, next(iter(_firsts(call))), call, fresh=fresh)
        return
    for step, first in zip(steps, _firsts(call), strict=False):
        yield _work(step["function"], first, call, fresh=fresh)


def _firsts(call: Call) -> Iterator[StridedArray]:
    """The first array of every step but for its upstream gradient."""
    seen: set[str] = set()
    for name, array in call.arrays.items():
        step, _, argument = name.rpartition(".")
        if step not in seen and argument != "grad_output":
            seen.add(step)
            yield array


def _work(function: str, first: StridedArray, call: Call, *, fresh: bool) -> Work:
    elements = prod(first.shape)
    axis = class_axis(first.shape, call.options) if first.shape else 0
    classes = first.shape[axis] if first.shape else 1
    return Work(function, first.dtype, elements // max(classes, 1), elements, fresh)


@dataclass
class Fit:
    """Sums of products of the features of what was seen, from which `numbers` follow: of a call, a row, an element, new shapes."""

    count: int = 0
    products: Matrix = field(default_factory=lambda: np.zeros((4, 4)))
    answers: Vector = field(default_factory=lambda: np.zeros(4))
    numbers: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    fitted: int = 0

    def seconds(self, work: Work) -> float:
        call, row, element, fresh = self.numbers
        return call + row * work.rows + element * work.elements + fresh * work.fresh

    def note(self, work: Work, seconds: float) -> None:
        features = np.array([1.0, work.rows, work.elements, work.fresh])
        expected = self.seconds(work)
        # Weighted by what was expected and not by what came: else the fast ones of calls that differ would count for more.
        weight = 1.0 / (RESOLUTION + (expected or seconds)) ** 2
        self.products += weight * np.outer(features, features)
        self.answers += weight * seconds * features
        self.count += 1
        surprising = abs(seconds - expected) > RESOLUTION + 0.5 * expected
        if self.count <= EXACT or surprising or self.count > REFIT * self.fitted:
            self.numbers, self.fitted = non_negative(self.products, self.answers), self.count


def non_negative(products: Matrix, answers: Vector) -> tuple[float, ...]:
    """The non-negative least squares of normal equations: of all sets of features, the best whose solution has no negative number."""
    scale = np.sqrt(np.maximum(products.diagonal(), np.finfo(np.float64).tiny))
    matrix = products / np.outer(scale, scale) + SINGULAR * np.eye(len(scale))
    wanted = answers / scale
    best, least = np.zeros(len(scale)), 0.0
    for size in range(1, len(scale) + 1):
        for chosen in combinations(range(len(scale)), size):
            places = list(chosen)
            solution = np.linalg.solve(matrix[np.ix_(places, places)], wanted[places])
            error = -float(solution @ wanted[places])  # up to a constant, where the equations hold
            # Of fewer features rather than of others that explain as much.
            if error < (1 + ALIKE) * least and (solution >= 0).all():
                best, least = np.zeros(len(scale)), error
                best[places] = solution
    return tuple((best / scale).tolist())


@dataclass
class Costs:
    """fits: function and dtype -> what its calls take. kinds: what the first call of each kind took beyond that; see `Specialisations`.

    spent: seconds of all other calls; spent_fresh: seconds beyond a known shape's, in all calls so far. first: seconds of the first of the
    other calls.
    """

    fits: dict[tuple[str, str], Fit] = field(default_factory=dict)
    kinds: list[float] = field(default_factory=list)
    spent: float = 0.0
    spent_fresh: float = 0.0
    first: list[float] = field(default_factory=list)

    @property
    def evident(self) -> bool:
        """Whether calls have taken so long that the fits tell of the implementation, and not of single calls."""
        return self.spent >= EVIDENT

    @property
    def suspect(self) -> bool:
        """Whether it may be slow, so that what calls of a few sizes take is worth finding out."""
        return bool(self.first) and sorted(self.first)[int(MOST * (len(self.first) - 1))] > SUSPECT

    def note(self, work: Work, seconds: float, *, new_kind: bool) -> None:
        """Learn from one call. new_kind: it may have compiled; what that took says nothing about sizes."""
        fit = self.fits.setdefault((work.function, work.dtype), Fit())
        known = fit.seconds(work._replace(fresh=False)) if fit.count else 0.0
        if work.fresh:
            self.spent_fresh += max(0.0, seconds - known)
        if new_kind:
            self.kinds.append(max(0.0, seconds - known))
        else:
            self.spent += seconds
            if len(self.first) < FIRST_CALLS:
                self.first.append(seconds)
            fit.note(work, seconds)

    def seconds(self, work: Work) -> float:
        """What a call is expected to take; 0 where nothing is known."""
        return max((fit.seconds(work) for fit in self._fits(work.function, work.dtype)), default=0.0)

    def of_size(self, work: Work) -> float:
        """What of it is due to its rows and elements."""
        return self.seconds(work) - self.seconds(work._replace(rows=0, elements=0))

    def rate(self, dtype: str, feature: int) -> float:
        """The most that one row (ROW), one element (ELEMENT) or new shapes (FRESH) add to a call of any function in a dtype."""
        functions = {function for function, _ in self.fits}
        return max((fit.numbers[feature] for function in functions for fit in self._fits(function, dtype)), default=0.0)

    def _fits(self, function: str, dtype: str) -> list[Fit]:
        """That of a function in a dtype; where nothing is known of it, those of the function in others, else all."""
        own = self.fits.get((function, dtype))
        if own is not None and own.count:
            return [own]
        same = [fit for (other, _), fit in self.fits.items() if other == function and fit.count]
        return same or [fit for fit in self.fits.values() if fit.count]

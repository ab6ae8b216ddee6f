"""The inputs that are timed, and whether an implementation takes them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from xentfuzz.checks.refusal import refusal
from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.operation import Work
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.subjects.capabilities import Capabilities

WITH_GRADIENT = "+gradient"


@dataclass(frozen=True)
class Point:
    """One input: the first argument of `operation` has `dtype` and `shape`, (C,), (N, C) or (N, C, d1, ...)."""

    operation: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def classes(self) -> int:
        return self.shape[0] if len(self.shape) == 1 else self.shape[1]

    @property
    def rows(self) -> int:
        return prod(self.shape) // self.classes

    @property
    def nbytes(self) -> int:
        """Of the first argument."""
        return prod(self.shape) * FORMATS[self.dtype].bits // 8

    @property
    def measures(self) -> tuple[str, str]:
        """The result alone, and with its gradient: "loss" and "loss+gradient", "softmax" and "softmax+gradient"."""
        word = get_operation(self.operation).value_word or self.operation
        return word, f"{word}{WITH_GRADIENT}"

    def work(self, measure: str) -> Work:
        operation = get_operation(self.operation)
        return operation.gradient_work if measure.endswith(WITH_GRADIENT) else operation.value_work

    def bytes_moved(self, measure: str) -> int:
        """The least that must be read and written, as a model; 0 where it is next to nothing."""
        work = self.work(measure)
        return round(self.nbytes * (work.reads + work.writes))

    def described(self) -> dict[str, Any]:
        """As it stands in a record."""
        return {"operation": self.operation, "dtype": self.dtype, "shape": list(self.shape), "rows": self.rows, "classes": self.classes}


@dataclass(frozen=True, eq=False)
class TimedInput:
    """A point, expanded, with its exact result."""

    point: Point
    recipe: Recipe
    case: Case
    evaluation: Evaluation


def timed_input(point: Point, seed: int) -> TimedInput:
    recipe = benchmark_recipe(point, seed)
    case = expand(recipe)
    return TimedInput(point, recipe, case, get_operation(point.operation).evaluate(case))


def benchmark_recipe(point: Point, seed: int) -> Recipe:
    """Ordinary numbers, class-index targets, the default options, and an upstream gradient of one where the result is one number."""
    operation = get_operation(point.operation)
    arrays, options = {}, {}
    for number, argument in enumerate(argument for argument in operation.arguments if not argument.optional):
        arrays[argument.name] = ArrayRecipe("uniform" if argument == operation.target else "ordinary", seed=seed + number)
    arrays[GRAD_OUTPUT] = ArrayRecipe(elements=("1",)) if operation.target_kinds else ArrayRecipe("uneven", seed=seed + len(arrays))
    for option in operation.options:
        if option.always:
            options[option.name] = 0 if len(point.shape) == 1 else 1
    return Recipe(point.operation, point.dtype, point.shape, arrays, options, dict(operation.timed_sizes))


def why_not_timed(case: Case, capabilities: Capabilities) -> str | None:
    """Why an implementation doesn't take the input of a point, or None."""
    if case.dtype not in capabilities.dtypes:
        return f"{case.dtype} {next(iter(case.values))}"
    return refusal(case, get_operation(case.operation), capabilities)

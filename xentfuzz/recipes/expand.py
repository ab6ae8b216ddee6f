"""From a recipe to the case that it describes, bit for bit on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS, TARGET_NAMES, numpy_dtype
from xentfuzz.operations import get_operation, kinds
from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Argument, Operation
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.operations.rows import Rows
from xentfuzz.recipes.edits import apply_edits
from xentfuzz.recipes.labels import Labels
from xentfuzz.recipes.layouts import lay_out, repeated_values
from xentfuzz.recipes.log_probs import LOG_PROBS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.recipe import GRAD_OUTPUT, Recipe
from xentfuzz.recipes.regime import Grid, Regime, regime_named
from xentfuzz.recipes.shapes import class_rows, shape_along
from xentfuzz.recipes.target import INDEX, PROBABILITIES
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.validate import parsed, validate
from xentfuzz.recipes.weight import WEIGHT
from xentfuzz.recipes.words import Array, Words

TABLES: dict[str, dict[str, Regime]] = {kinds.LOGITS: LOGITS, kinds.LOG_PROBS: LOG_PROBS}


def expand(recipe: Recipe) -> Case:
    """The case that a recipe describes. Raises RecordError where the recipe contradicts itself, UnknownName for an unknown name in it."""
    operation = get_operation(recipe.operation)
    validate(recipe, operation)
    options = {option.name: option.default for option in operation.options if not option.opt_in} | recipe.options
    return Case(recipe.operation, recipe.dtype, _Expansion(recipe, operation, options).arrays(), options)


def case_hashes(case: Case) -> dict[str, str]:
    """argument name -> SHA-256 of its dtype, shape and logical values in C order."""
    return {name: _hash(array) for name, array in case.values.items()}


def _hash(array: Array) -> str:
    digest = hashlib.sha256(f"{array.dtype.name} {array.shape} ".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def target_kind(recipe: Recipe) -> str:
    """What the target holds: "index" or "probabilities", or "" for a recipe without a target."""
    target = recipe.arrays.get(target_name(recipe.operation))
    if target is None:
        return ""
    if target.elements is not None and target.regime not in INDEX and target.dtype not in TARGET_NAMES:
        return "probabilities"
    return "probabilities" if target.regime in PROBABILITIES else "index"


def output_shape(recipe: Recipe, options: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape of the operation's value, which is that of its upstream gradient."""
    operation = get_operation(recipe.operation)
    if operation.result_axes is not None:
        return shape_along(operation.result_axes, operation, recipe.shape, recipe.sizes)
    if not target_kind(recipe):
        return recipe.shape
    return class_rows(recipe.shape, options).positions if effective_reduction(options) == "none" else ()


def round_to(numbers: Array, dtype: str) -> Array:
    """float64 numbers rounded to a format; to bfloat16 by way of float32, because not every version of ml_dtypes rounds once."""
    with np.errstate(over="ignore", under="ignore"):
        if dtype == "bfloat16":
            numbers = numbers.astype(np.float32)
        return numbers.astype(numpy_dtype(dtype))


@dataclass(frozen=True)
class _Expansion:
    """One recipe on its way to a case: labels, then logits, then labels that look at the logits, then weights."""

    recipe: Recipe
    operation: Operation
    options: Mapping[str, Any]

    def arrays(self) -> dict[str, StridedArray]:
        given = (argument for argument in self.operation.arguments if argument.name in self.recipe.arrays)
        values = {argument.name: self._values(argument) for argument in given}
        if GRAD_OUTPUT in self.recipe.arrays:
            values[GRAD_OUTPUT] = self._upstream()
        return {name: lay_out(array, self.recipe.arrays[name].layout) for name, array in values.items()}

    def _values(self, argument: Argument) -> Array:
        if argument == self.operation.target:
            return self._target()
        if argument == self.operation.weight:
            return self._weight()
        return self._logits if argument == self.operation.arguments[0] else self._named(argument)

    def _named(self, argument: Argument) -> Array:
        """An array of named axes, whose rows lie along its last one."""
        shape = shape_along(argument.axes, self.operation, self.recipe.shape, self.recipe.sizes)
        return self._array(argument.name, TABLES[argument.kind], Rows(shape, len(shape) - 1), shape, None)

    @cached_property
    def rows(self) -> Rows:
        return class_rows(self.recipe.shape, self.options)

    @cached_property
    def labels(self) -> Labels | None:
        kind = target_kind(self.recipe)
        name = target_name(self.operation.name)
        return Labels(self.recipe.arrays[name], kind, self.rows, self.options, self._words(name)) if kind else None

    @cached_property
    def _logits(self) -> Array:
        first = self.operation.arguments[0]
        return self._array(first.name, TABLES[first.kind], self.rows, self.rows.shape, self.labels.provisional if self.labels else None)

    @cached_property
    def _final_labels(self) -> Array | None:
        if self.labels is None:
            return None
        return self.labels.final(self.rows.take(self._logits, slice(0, self.rows.count)))

    def _target(self) -> Array:
        assert self.labels is not None
        if self.labels.kind == "index":
            return self.labels.target(self._final_labels)
        return self._array(target_name(self.operation.name), PROBABILITIES, self.rows, self.rows.shape, self.labels.provisional)

    def _weight(self) -> Array:
        assert self.labels is not None
        kept = None if self._final_labels is None else self._final_labels[~self.labels.ignored]
        shape = (self.rows.classes,)
        return self._array(weight_name(self.operation.name), WEIGHT, Rows(shape, 0), shape, kept)

    def _upstream(self) -> Array:
        shape = output_shape(self.recipe, self.options)
        rows = self.rows if shape == self.rows.shape else Rows((prod(shape), 1), 1)
        return self._array(GRAD_OUTPUT, UPSTREAM, rows, shape, None)

    def _words(self, name: str) -> Words:
        return Words(self.recipe.arrays[name].seed, name)

    def _array(self, name: str, table: Mapping[str, Regime], rows: Rows, shape: tuple[int, ...], labels: Array | None) -> Array:
        """The array's values: from its elements, or from its regime and edits; rounded, and repeated where the layout repeats."""
        recipe = self.recipe.arrays[name]
        dtype = recipe.dtype or self.recipe.dtype
        if recipe.elements is not None:
            numbers = parsed(recipe.elements, shape)
        elif not prod(shape):
            numbers = np.zeros(shape)
        else:
            grid = Grid(self._words(name), rows.count, rows.classes, FORMATS[dtype], recipe.scale, labels)
            matrix = apply_edits(regime_named(name, recipe.regime, table).make(grid), recipe.edits, grid.format, labels)
            numbers = np.moveaxis(matrix.reshape(*rows.positions, rows.classes), -1, rows.axis).reshape(shape)
        return repeated_values(round_to(numbers, dtype), recipe.layout)

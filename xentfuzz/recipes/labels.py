"""The class that each row's target singles out, and the rows that are ignored: what logits, weights and edits look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.errors import RecordError
from xentfuzz.operations.options import IGNORE_INDEX, LABEL_SMOOTHING
from xentfuzz.operations.rows import Rows
from xentfuzz.recipes.edits import apply_edits
from xentfuzz.recipes.layouts import repeated_values
from xentfuzz.recipes.recipe import ArrayRecipe
from xentfuzz.recipes.regime import Grid, regime_named
from xentfuzz.recipes.target import INDEX, SETTLED_BY_LOGITS, fits, ignored_mask, label_rules, wrapped_label
from xentfuzz.recipes.validate import parsed
from xentfuzz.recipes.words import Array, Words, below


@dataclass(frozen=True)
class Labels:
    """The labels of one target. `kind` is "index" or "probabilities"; all arrays are (rows,)."""

    recipe: ArrayRecipe
    kind: str
    rows: Rows
    options: Mapping[str, Any]
    words: Words

    @property
    def dtype(self) -> str:
        """Of index targets."""
        return self.recipe.dtype or "int64"

    @property
    def ignore_index(self) -> int | None:
        return self.options.get(IGNORE_INDEX.name)

    @cached_property
    def ignored(self) -> Array:
        """bool; only index targets have ignored rows."""
        if self.kind != "index":
            return np.zeros(self.rows.count, bool)
        if self.recipe.elements is not None:
            return np.asarray(self._elements == self.ignore_index)
        return self._repeated(ignored_mask(self.recipe.ignored, self.rows.count, self.words))

    @cached_property
    def provisional(self) -> Array | None:
        """int64, as far as known before the logits; None where there is no class."""
        if not self.rows.classes:
            return None
        if self.kind == "probabilities":
            return below(self.words.rows(self.rows.count, lane=5), self.rows.classes)
        if self.recipe.elements is not None:
            return np.where(self.ignored, 0, self._elements)
        regime = regime_named("index targets", self.recipe.regime, INDEX)
        grid = Grid(self.words, self.rows.count, self.rows.classes, FORMATS["float64"], self.recipe.scale)
        return self._settled(regime.make(grid)[:, 0])

    def final(self, logits: Array) -> Array | None:
        """int64: argmax and argmin looked up in the logits, given as (rows, classes)."""
        if self.kind != "index" or self.recipe.regime not in SETTLED_BY_LOGITS or self.recipe.elements is not None or not logits.size:
            return self.provisional
        return self._settled(logits.argmax(axis=1) if self.recipe.regime == "argmax" else logits.argmin(axis=1))

    def target(self, labels: Array | None) -> Array:
        """The index target: ignore_index in the ignored rows. Raises RecordError where the dtype cannot hold it."""
        numbers = np.zeros(self.rows.count, np.int64) if labels is None else labels
        if self.ignored.any():
            if self.ignore_index is None or not fits(self.ignore_index, self.dtype):
                raise RecordError(f"ignored rows need an ignore_index that fits {self.dtype}, not {self.ignore_index}")
            numbers = np.where(self.ignored, self.ignore_index, numbers)
        numbers = apply_edits(numbers[:, None], self.recipe.edits, FORMATS["float64"], None)[:, 0]
        return numbers.reshape(self.rows.positions).astype(numpy_dtype(self.dtype))

    @cached_property
    def _elements(self) -> Array:
        return parsed(self.recipe.elements or (), self.rows.positions).reshape(-1).astype(np.int64)

    def _settled(self, labels: Array) -> Array:
        """Labels that obey the rules of index targets."""
        if self.recipe.regime == "wrapped" and self.ignore_index is not None:
            labels = np.full_like(labels, wrapped_label(self.ignore_index, self.dtype))
        rules = label_rules(self.rows.classes, self.dtype, self.ignore_index, self.options.get(LABEL_SMOOTHING.name, 0.0))
        return self._repeated(rules.kept(labels))

    def _repeated(self, values: Array) -> Array:
        return repeated_values(values.reshape(self.rows.positions), self.recipe.layout).reshape(-1)

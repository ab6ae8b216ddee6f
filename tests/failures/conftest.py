"""A failure put together by hand, as checks make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.failure import Failure, failure
from xentfuzz.failures.source import Source
from xentfuzz.operations.case import Case
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe

OPTIONS = {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0}

MakeFailure = Callable[..., Failure]


@pytest.fixture
def make_failure() -> MakeFailure:
    """Called with arrays, options={...}, kind=..., source=... and details, it gives a failure of the implementation "mine"."""

    def make(
        arrays: dict[str, Any] | None = None,
        *,
        kind: str = "value",
        message: str = "forward: loss is 1.0, exact: 2.0",
        operation: str = "cross_entropy",
        options: dict[str, Any] | None = None,
        source: Source | None = None,
        **details: Any,
    ) -> Failure:
        arrays = arrays or {"logits": np.zeros((2, 3), np.float32), "target": np.array([0, 2])}
        stored = {name: array if isinstance(array, StridedArray) else StridedArray.of(array) for name, array in arrays.items()}
        first = next(iter(stored.values()))
        defaults = OPTIONS if operation == "cross_entropy" else {}
        case = Case(operation, first.dtype, stored, {**defaults, **(options or {})})
        recipe = Recipe(operation, first.dtype, first.shape, {name: ArrayRecipe(layout="sliced_rows") for name in stored}, options or {})
        found = failure(kind, message, **details).about(kind, "mine", recipe, case)
        found.source = source
        return found

    return make

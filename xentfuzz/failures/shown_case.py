"""The small arrays of a finding as texts, so that a page can show them as tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.failures.failure import Failure

# Of all arrays of the case together.
MOST_ELEMENTS = 200


def shown_case(failure: Failure) -> dict[str, Any]:
    """{"arrays": {argument: {"dtype", "values"}}, "options": {name: text}, "output": {"name", "got", "expected", "allowed", "index"}}.

    Values are nested lists of texts. "arrays" is empty where they are too large to be read, "output" where the finding is about none.
    """
    arrays = {name: value for name, value in failure.case.items() if isinstance(value, np.ndarray)}
    small = sum(array.size for array in arrays.values()) <= MOST_ELEMENTS
    elements = failure.details.get("elements") or {}
    output = (
        {"name": str(failure.details.get("output", "")), "index": list(failure.details.get("index") or ()), **elements} if elements else {}
    )
    return {
        "arrays": {name: {"dtype": array.dtype.name, "values": _texts(array)} for name, array in arrays.items()} if small else {},
        "options": {name: repr(value) for name, value in failure.recipe.get("options", {}).items()},
        "output": output,
    }


def _texts(array: np.ndarray[Any, Any]) -> Any:
    texts: Any = np.array([str(value) for value in array.reshape(-1)], object).reshape(array.shape).tolist()
    return texts

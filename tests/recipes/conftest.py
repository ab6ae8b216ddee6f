"""Spaces with every option that an operation has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from xentfuzz.operations import get_operation
from xentfuzz.recipes.space import Space

MakeSpace = Callable[..., Space]


@pytest.fixture(scope="session")
def whole_space() -> MakeSpace:
    """Called with an operation, a dtype and a family, it gives the space of all their cases."""

    def make(operation: str = "cross_entropy", dtype: str = "float32", family: str = "ordinary", **limits: Any) -> Space:
        options = {option.name: None for option in get_operation(operation).options if not option.opt_in}
        return Space(operation, dtype, family, **{"options": options, **limits})

    return make

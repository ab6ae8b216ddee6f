"""The specification: arguments, options, exact results, error bounds and outcome sets of each operation."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from xentfuzz.errors import require_known

if TYPE_CHECKING:
    from xentfuzz.operations.operation import Operation

# Modules are imported when an operation is asked for: they need NumPy, which `xentfuzz --help` does without.
_MODULES = ("softmax", "log_softmax", "nll_loss", "cross_entropy")


def operation_names() -> tuple[str, ...]:
    """The names of all operations."""
    return _MODULES


@cache
def get_operation(name: str) -> Operation:
    """The operation called `name`. Raises UnknownName for any other."""
    require_known("operation", [name], _MODULES)
    operation: Operation = import_module(f"xentfuzz.operations.{name}").OPERATION
    return operation

"""The specification: arguments, options, exact results, error bounds and outcome sets of each operation.

An operation is known by the entry point group `xentfuzz.operations` (name = "module:attribute", an Operation of that name), or registered
by a program. Nothing is loaded before it is asked for: operations need NumPy, which `xentfuzz --help` does without.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from xentfuzz.errors import UsageError, require_known

if TYPE_CHECKING:
    from xentfuzz.operations.operation import Operation

GROUP = "xentfuzz.operations"

_loaded: dict[str, Operation] = {}


def operation_names() -> tuple[str, ...]:
    """The sorted names of all operations."""
    return tuple(sorted({*_installed(), *_loaded}))


def get_operation(name: str) -> Operation:
    """The operation called `name`. Raises UnknownName for any other, UsageError for one that fails to load."""
    if name not in _loaded:
        require_known("operation", [name], operation_names())
        _loaded[name] = _load(_installed()[name])
    return _loaded[name]


def usable_operations() -> tuple[Operation, ...]:
    """All operations but those that fail to load, which takes no other one along."""
    found = []
    for name in operation_names():
        try:
            found.append(get_operation(name))
        except UsageError:
            continue
    return tuple(found)


def register_operation(operation: Operation) -> None:
    """Make an operation known to this process. Raises ValueError where its name is taken."""
    if operation.name in operation_names():
        raise ValueError(f"an operation {operation.name!r} is known already; give the new one another name")
    _loaded[operation.name] = operation


@cache
def _installed() -> dict[str, EntryPoint]:
    """Raises UsageError where there are none, not even ours: an editable installation keeps the entry points of when it was made."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not found:
        raise UsageError("this installation of xentfuzz knows no operation, not even its own; install it again: pip install -e .")
    return found


def _load(entry: EntryPoint) -> Operation:
    from xentfuzz.operations.operation import Operation  # noqa: PLC0415 - it needs NumPy

    try:
        operation = entry.load()
    except (Exception, SystemExit) as error:
        raise UsageError(f"operation {entry.name}: {entry.value} failed to load: {type(error).__name__}: {error}") from error
    if not isinstance(operation, Operation) or operation.name != entry.name:
        given = f"the operation {operation.name!r}" if isinstance(operation, Operation) else type(operation).__name__
        raise UsageError(f"operation {entry.name}: {entry.value} is {given}, wanted an Operation of that name")
    return operation

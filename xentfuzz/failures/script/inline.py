"""Functions of this package that a script can carry whole, so that it needs no xentfuzz: thin adapters to a library's own functions."""

from __future__ import annotations

import builtins
import dis
import inspect
import re
import sys
from types import CodeType, FunctionType

PACKAGE = __name__.partition(".")[0]


def inlined(module: str, attribute: str, name: str | None = None) -> str | None:
    """The source of a function, under `name` if given; None for one of another package, or one that is not complete by itself."""
    function = getattr(sys.modules.get(module), attribute, None)
    if module.partition(".")[0] != PACKAGE or not isinstance(function, FunctionType) or not _is_complete(function):
        return None
    try:
        source = inspect.getsource(function)
    except OSError:
        return None
    # What is written for this package's linter says nothing elsewhere.
    source = re.sub(r"  # noqa.*", "", source).rstrip()
    return re.sub(rf"\bdef {re.escape(function.__name__)}\(", f"def {name or attribute}(", source, count=1)


def _is_complete(function: FunctionType) -> bool:
    """Whether a function uses nothing of its module: it imports what it needs by itself."""
    code = function.__code__
    inner = any(isinstance(constant, CodeType) for constant in code.co_consts)
    used = {instruction.argval for instruction in dis.get_instructions(code) if instruction.opname == "LOAD_GLOBAL"}
    return not inner and not code.co_freevars and all(hasattr(builtins, name) for name in used)

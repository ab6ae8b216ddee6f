"""Names for things that another process loads itself: "package.module:attribute.path" and "path/to/file.py:attribute.path".

A step of the attribute path that is a number indexes a sequence: "package.kernels:IMPLEMENTATIONS.2.forward".
"""

from __future__ import annotations

import difflib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.worker.texts import message_of


def load_reference(reference: str) -> Any:
    """The object that `reference` names. Raises UsageError: what is missing, what exists instead, or why its module failed to import."""
    where, separator, path = reference.rpartition(":")
    if not separator or not where or not path:
        raise UsageError(f"{reference!r} is not package.module:attribute or path/to/file.py:attribute")
    found: Any = load_file(where) if where.endswith(".py") else load_module(where)
    shown = where
    for step in path.split("."):
        found = _step(found, step, shown)
        shown = f"{shown}:{step}" if shown == where else f"{shown}.{step}"
    return found


def load_module(name: str) -> ModuleType:
    """The module, which may lie in the current directory. Raises UsageError with the reason why it can't be imported."""
    here = str(Path.cwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise UsageError(_failed(name, error)) from error
        if here not in sys.path:
            # Last, so that nothing in the current directory hides a module of the same name.
            sys.path.append(here)
            return load_module(name)
        raise UsageError(f"no module named {missing!r}; give a file as path/to/file.py:attribute, or set PYTHONPATH") from None
    except (Exception, SystemExit) as error:
        raise UsageError(_failed(name, error)) from error


def load_file(path: str) -> ModuleType:
    """The module in a file, run once under the file's stem; its folder is importable, as if Python had been started on it."""
    file = Path(path).resolve()
    if not file.is_file():
        raise UsageError(f"{path} does not exist; TARGET is path/to/file.py:attribute")
    known = _already_loaded(file)
    if known is not None:
        return known
    name = file.stem if file.stem not in sys.modules else f"xentfuzz_target_{file.stem}"
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    return _execute(name, file, path)


def _execute(name: str, file: Path, shown: str) -> ModuleType:
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(_failed(shown, error)) from error
    return module


def _already_loaded(file: Path) -> ModuleType | None:
    for module in list(sys.modules.values()):
        # __main__ has already run: a script that hands its own functions over must not run again.
        if getattr(module, "__file__", None) == str(file):
            return module
    return None


def _step(found: Any, step: str, shown: str) -> Any:
    if step.isdecimal():
        return found[int(step)]
    try:
        return getattr(found, step)
    except AttributeError:
        names = [name for name in dir(found) if not name.startswith("_") and not isinstance(getattr(found, name, None), ModuleType)]
        near = difflib.get_close_matches(step, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f" (it has: {', '.join(names[:12]) or 'nothing'})"
        raise UsageError(f"{shown} has no attribute {step!r}{hint}") from None


def _failed(what: str, error: BaseException) -> str:
    return f"{what} failed to import: {type(error).__name__}: {message_of(error)}"


def reference_to(function: Any) -> str | None:
    """A reference under which another process finds this very object, or None (a lambda, a closure, something that was replaced)."""
    module_name, path = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    module = sys.modules.get(module_name) if isinstance(module_name, str) else None
    if module is None or not path or "<" in path:
        return None
    try:
        found: Any = module
        for step in path.split("."):
            found = getattr(found, step)
    except AttributeError:
        return None
    where = _place(module)
    return f"{where}:{path}" if found is function and where is not None else None


def _place(module: ModuleType) -> str | None:
    """How another process imports `module`: by its file where its name means nothing there, or something else.

    None for an interactive one.
    """
    file = getattr(module, "__file__", None)
    if file is None and module.__name__ == "__main__":
        return None
    if file is None or "." in module.__name__ or _found_by_name(module.__name__) == file:
        return module.__name__
    return str(Path(file).resolve())


def _found_by_name(name: str) -> str | None:
    """The file of the top-level module that an import of `name` would load, were it not loaded already."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None)
        if spec is not None:
            return spec.origin
    return None

"""Where the code of an implementation can be imported from, and how it wants to be called: plain data for records and scripts."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from xentfuzz.implementation import Implementation


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to call an implementation without xentfuzz.

    forward, backward, value_and_grad: "package.module:attribute" or "file.py:attribute" (relative to the current directory); forward is ""
    where the function can't be imported (a lambda, a function made inside another one, the main program's).
    form: "function", "autograd_function" (called through `.apply`) or "module" (a class whose constructor takes the options).
    The other fields are those of `Implementation`.
    """

    forward: str = ""
    backward: str | None = None
    value_and_grad: str | None = None
    form: str = "function"
    array: str = "numpy"
    device: str = "cpu"
    renames: dict[str, str] = {}
    fixed: dict[str, Any] = {}
    environment: dict[str, str] = {}


def source_of(implementation: Implementation) -> Source:
    """The source of an implementation; nothing is imported for it."""
    return Source(
        forward=_place(implementation.forward) or "",
        backward=_place(implementation.backward),
        value_and_grad=_place(implementation.value_and_grad),
        array=implementation.array,
        device=implementation.device,
        renames=dict(implementation.renames),
        fixed=dict(implementation.fixed),
        environment=dict(implementation.environment),
    )


def _place(function: Callable[..., Any] | str | None) -> str | None:
    if function is None or isinstance(function, str):
        return function
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", None) or ""
    if not name or "<" in name:
        return None
    if module != "__main__" and _importable(module):
        return f"{module}:{name}"
    file = _file(function)
    return f"{_relative(file)}:{name}" if file else None


def _importable(module: str) -> bool:
    top = module.partition(".")[0]
    # The finders, not importlib.util.find_spec: a file that was loaded by its path sits in sys.modules under a made-up name.
    found = next((spec for finder in sys.meta_path if (spec := finder.find_spec(top, None))), None)
    loaded = getattr(sys.modules.get(top), "__file__", None)
    return found is not None and (loaded is None or found.origin == loaded)


def _file(function: Callable[..., Any]) -> Path | None:
    try:
        return Path(inspect.getfile(function)).resolve()
    except (TypeError, OSError):
        return None


def _relative(file: Path) -> str:
    return file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else file.name

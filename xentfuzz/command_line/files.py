"""Files that a command will read or write, tried before minutes of work depend on them."""

from __future__ import annotations

import os
from pathlib import Path

from xentfuzz.errors import UsageError
from xentfuzz.files import STANDARD_OUTPUT


def require_writable(*paths: str | None) -> None:
    """Raises UsageError for the first of `paths` (None and "-" are fine) that could not be written, or is one of those before it."""
    taken: set[str | Path] = set()
    for path in (path for path in paths if path is not None):
        place = STANDARD_OUTPUT if path == STANDARD_OUTPUT else Path(path).resolve()
        if place in taken:
            shown = "standard output" if path == STANDARD_OUTPUT else path
            raise UsageError(f"cannot write two results to {shown}: give each a file of its own")
        taken.add(place)
        if path != STANDARD_OUTPUT:
            _require_writable(Path(path))


def require_file(path: str | None) -> None:
    """Raises UsageError where `path` (None is fine) is a folder, which has no name of its own to complain about in `.`."""
    if path is not None and Path(path).is_dir():
        raise UsageError(f"cannot read {path}: it is a folder; give the name of a file")


def _require_writable(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; give the name of a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: {folder.name} is not a folder")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: no permission to write to {folder}")

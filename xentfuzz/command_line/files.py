"""Files that a command will write, tried before minutes of work depend on them."""

from __future__ import annotations

import os
from pathlib import Path

from xentfuzz.errors import UsageError
from xentfuzz.files import STANDARD_OUTPUT


def require_writable(*paths: str | None) -> None:
    """Raises UsageError for the first of `paths` (None and "-" are fine) that could not be written."""
    for path in paths:
        if path is not None and path != STANDARD_OUTPUT:
            _require_writable(Path(path))


def _require_writable(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; give the name of a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: {folder.name} is not a folder")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: no permission to write to {folder}")

"""Files that are written whole or not at all, or standard output. Standard library only."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

# In the place of a file's name, as many programs have it.
STANDARD_OUTPUT = "-"


def write_output(path: str, text: str) -> None:
    """Write text to a file, whole, or to standard output for "-". Halves of surrogate pairs, which no encoding has, become escapes."""
    content = text.encode(errors="backslashreplace")
    if path == STANDARD_OUTPUT:
        sys.stdout.write(content.decode())
        sys.stdout.flush()
    else:
        write_whole(path, content)


def append_output(path: str, text: str) -> None:
    """Add text to the end of a file, which is made if missing. Halves of surrogate pairs become escapes."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("ab") as file:
        file.write(text.encode(errors="backslashreplace"))


def write_whole(path: str | Path, content: str | bytes) -> Path:
    """Write `content` (text as UTF-8, line ends as given) to `path`; no reader ever sees a part of it. The folder is made if missing.

    Returns the path. Raises OSError where the folder cannot be written; an older file of that name is then left as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A rename replaces a file in one step only within one file system, so the temporary file is a neighbour.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        _give_usual_mode(temporary)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    return path


def _give_usual_mode(path: str) -> None:
    # mkstemp makes files that only their owner can read; reports are read by others, so give what open() would have given.
    mask = os.umask(0)
    os.umask(mask)
    Path(path).chmod(0o666 & ~mask)

"""One call, and what it changed in the process around it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

from xentfuzz.worker.memory import anonymous_file
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.surroundings import Fingerprint, differences, fingerprint, restore
from xentfuzz.worker.texts import shorten

STANDARD_OUTPUT = 1


def run(scene: Scene) -> Results:
    """What was changed, one thing a line: by calls before this one; by the call; by the same call again; and what that printed.

    The first call may compile, import and open files.
    """
    (step,) = scene.steps
    loaded = scene.callee.baseline
    earlier = _since(loaded, loaded)
    start = fingerprint()
    scene.run(step)
    first = _since(start, loaded)
    before = fingerprint()
    printed: list[str] = []
    with _captured(printed) if loaded is not None else contextlib.nullcontext():
        scene.run(step)
    changed = differences(before, fingerprint())
    restore(before)
    return {"changed": "\n".join(changed or first), "earlier": "\n".join(earlier), "printed": "".join(printed)}


def _since(before: Fingerprint | None, loaded: Fingerprint | None) -> list[str]:
    """What differs by now; all is then as it was when the implementation was loaded. Nothing where that is not known."""
    if before is None or loaded is None:
        return []
    changed = differences(before, fingerprint(), lasting=True)
    restore(loaded)
    return changed


@contextlib.contextmanager
def _captured(printed: list[str]) -> Iterator[None]:
    """Standard output goes to a file of no name; a closed one is left closed for the server to see."""
    if not _is_open(STANDARD_OUTPUT):
        yield
        return
    _flush()
    file, saved = anonymous_file(), os.dup(STANDARD_OUTPUT)
    os.dup2(file, STANDARD_OUTPUT)
    try:
        yield
    finally:
        _flush()
        if _is_open(STANDARD_OUTPUT):
            os.dup2(saved, STANDARD_OUTPUT)
        os.lseek(file, 0, os.SEEK_SET)
        printed.append(shorten(os.read(file, 1 << 16).decode(errors="replace")))
        os.close(file)
        os.close(saved)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    # What a C library has buffered.
    ctypes.CDLL(None).fflush(None)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True

"""How much memory a round of calls needs at its peak, beyond what the process had before: its arguments, code and libraries."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from pathlib import Path

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import Unsupported
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.thread_count import limited_threads

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# What makes the system forget the highest mark (proc(5), clear_refs).
FORGET_PEAK = "5"


def run(scene: Scene) -> Results:
    """rise: bytes. Parameters: threads. Raises Unsupported where the system doesn't tell a process's highest mark, or not forget it."""
    with limited_threads(scene.parameters["threads"]):
        arrays = [scene.fresh(step) for step in scene.steps]
        # Warm-up: whatever is compiled, started or allocated once for all calls.
        _round(scene, arrays)
        gc.collect()
        _return_free_memory()
        _forget_peak()
        before = _bytes("VmRSS")
        _round(scene, arrays)
        return {"rise": max(0, _bytes("VmHWM") - before)}


def _round(scene: Scene, arrays: list[dict[str, StridedArray]]) -> None:
    """The outputs of all steps are held until the round's end, as somebody who needs loss and gradient holds them."""
    held = [scene.run(step, given) for step, given in zip(scene.steps, arrays, strict=True)]
    del held


def _return_free_memory() -> None:
    """What the allocator keeps for the next call would hide that the call needs it."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    try:
        RESET.write_text(FORGET_PEAK)
    except OSError as error:
        raise Unsupported(f"the system does not let a process reset its highest mark of memory: {error.strerror}") from None


def _bytes(field: str) -> int:
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        lines = []
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")]
    if not found:
        raise Unsupported(f"the system does not tell {field} of a process")
    return found[0]

"""The first step's results are kept while the other steps run, or for a moment: whether they share memory with an argument, or change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number
from xentfuzz.worker.protocols.scene import Results, Scene, content

Array = np.ndarray[Any, Any]

# For whatever still writes to a result that was returned already: many times as long as a thread needs to start.
PAUSE = 0.01


def run(scene: Scene) -> Results:
    """shared: "output argument" pairs; late, without other steps: outputs that changed while nothing was called; changed: outputs that a
    later step changed; again: outputs whose memory a later step returned too; by: the number of that step, else -1.
    """
    first, *others = scene.steps
    arrays = scene.fresh(first)
    outputs = scene.run(first, arrays)
    held = _memory(scene.callee.library, outputs)
    shared = " ".join(f"{output} {name}" for output, bits in held.items() for name in _sharing(bits, _storages(arrays)))
    before = scene.snapshot(outputs)
    if not others:
        time.sleep(PAUSE)
        late = _changed(before, scene.snapshot(outputs))
        return {"shared": shared, "late": " ".join(late), "changed": "", "again": "", "by": -1}
    for number, step in enumerate(others, start=1):
        later = scene.run(step)
        changed = _changed(before, scene.snapshot(outputs))
        returned = _memory(scene.callee.library, later)
        # What nobody can write to, nobody can spoil.
        again = [output for output, bits in held.items() if bits.flags.writeable and any(_sharing(bits, returned))]
        if changed or again:
            return {"shared": shared, "late": "", "changed": " ".join(changed), "again": " ".join(again), "by": number}
    return {"shared": shared, "late": "", "changed": "", "again": "", "by": -1}


def _changed(before: Mapping[str, Collected | Number], after: Mapping[str, Collected | Number]) -> list[str]:
    return [name for name in before if content(before[name]) != content(after[name])]


def _memory(library: ArrayLibrary, outputs: Mapping[str, Any]) -> dict[str, Array]:
    """Where outputs lie."""
    collected = {output: library.collect(result) for output, result in outputs.items()}
    return {output: result.bits for output, result in collected.items() if isinstance(result, Collected)}


def _storages(arrays: Mapping[str, StridedArray]) -> dict[str, Array]:
    return {name: array.storage for name, array in arrays.items()}


def _sharing(bits: Array, others: Mapping[str, Array]) -> Iterator[str]:
    return (name for name, other in others.items() if np.may_share_memory(bits, other))

"""The first step's results are kept while the other steps run: whether they share memory with an argument, or change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected
from xentfuzz.worker.protocols.scene import Results, Scene, content

Array = np.ndarray[Any, Any]


def run(scene: Scene) -> Results:
    """shared: "output argument" pairs; changed: outputs that a later step changed; again: outputs whose memory a later step returned too;
    by: the number of that step, else -1.
    """
    first, *others = scene.steps
    arrays = scene.fresh(first)
    outputs = scene.run(first, arrays)
    held = _memory(scene.callee.library, outputs)
    shared = " ".join(f"{output} {name}" for output, bits in held.items() for name in _sharing(bits, _storages(arrays)))
    before = scene.snapshot(outputs)
    for number, step in enumerate(others, start=1):
        later = scene.run(step)
        after = scene.snapshot(outputs)
        changed = [name for name in before if content(before[name]) != content(after[name])]
        returned = _memory(scene.callee.library, later)
        # What nobody can write to, nobody can spoil.
        again = [output for output, bits in held.items() if bits.flags.writeable and any(_sharing(bits, returned))]
        if changed or again:
            return {"shared": shared, "changed": " ".join(changed), "again": " ".join(again), "by": number}
    return {"shared": shared, "changed": "", "again": "", "by": -1}


def _memory(library: ArrayLibrary, outputs: Mapping[str, Any]) -> dict[str, Array]:
    """Where outputs lie."""
    collected = {output: library.collect(result) for output, result in outputs.items()}
    return {output: result.bits for output, result in collected.items() if isinstance(result, Collected)}


def _storages(arrays: Mapping[str, StridedArray]) -> dict[str, Array]:
    return {name: array.storage for name, array in arrays.items()}


def _sharing(bits: Array, others: Mapping[str, Array]) -> Iterator[str]:
    return (name for name, other in others.items() if np.may_share_memory(bits, other))

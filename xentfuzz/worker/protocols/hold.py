"""The first step's results are kept while the other steps run: whether they share memory with an argument, or change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected
from xentfuzz.worker.protocols.scene import Results, Scene, content


def run(scene: Scene) -> Results:
    """shared: "output argument" pairs; changed: outputs that a later step changed; by: the number of that step, else -1."""
    first, *others = scene.steps
    arrays = scene.fresh(first)
    outputs = scene.run(first, arrays)
    shared = " ".join(f"{output} {name}" for output, name in _shared(scene.callee.library, outputs, arrays))
    before = scene.snapshot(outputs)
    for number, step in enumerate(others, start=1):
        scene.run(step)
        after = scene.snapshot(outputs)
        changed = [name for name in before if content(before[name]) != content(after[name])]
        if changed:
            return {"shared": shared, "changed": " ".join(changed), "by": number}
    return {"shared": shared, "changed": "", "by": -1}


def _shared(library: ArrayLibrary, outputs: Mapping[str, Any], arrays: Mapping[str, StridedArray]) -> Iterator[tuple[str, str]]:
    for output, result in outputs.items():
        collected = library.collect(result)
        if isinstance(collected, Collected):
            yield from ((output, name) for name, array in arrays.items() if np.may_share_memory(collected.bits, array.storage))

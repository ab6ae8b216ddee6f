"""Calls while every block of memory that an allocator hands out holds a given byte."""

from __future__ import annotations

from itertools import chain, combinations
from math import prod

from xentfuzz.worker.allocators import filled_memory
from xentfuzz.worker.protocols.scene import Results, Scene, Step

ITEM_SIZES = (1, 2, 4, 8, 16)


def run(scene: Scene) -> Results:
    """The results of each step, named "STEP.OUTPUT". Raises Unsupported where memory can't be filled."""
    results: Results = {}
    for number, step in enumerate(scene.steps):
        # A first call may compile, which uses up the blocks that are filled.
        scene.run(step)
        arrays = scene.fresh(step)
        with filled_memory(scene.parameters["byte"], _likely_sizes(step)):
            outputs = scene.run(step, arrays)
        results |= {f"{number}.{name}": result for name, result in scene.snapshot(outputs).items()}
    return results


def _likely_sizes(step: Step) -> set[int]:
    """The bytes of arrays that a call may make for itself: as long as some of an argument's axes, or one longer."""
    counts = {1}
    for array in step.arrays.values():
        axes = chain.from_iterable(combinations(array.shape, length) for length in range(1, len(array.shape) + 1))
        counts |= {prod(chosen) + more for chosen in axes for more in (0, 1)}
    return {count * size for count in counts for size in ITEM_SIZES}

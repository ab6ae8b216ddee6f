"""What a protocol works with: the implementation, and the calls that it may make in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xentfuzz.arrays import StridedArray, fresh_arrays
from xentfuzz.worker.libraries.library import Collected, Number

if TYPE_CHECKING:
    from xentfuzz.worker.callee import Callee

Results = dict[str, Collected | Number | str]


@dataclass(frozen=True, eq=False)
class Step:
    """One call. arrays: as they were sent; every run of the step takes copies."""

    function: str
    arrays: Mapping[str, StridedArray]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Scene:
    """parameters: what the protocol is told beside its calls."""

    callee: Callee
    steps: tuple[Step, ...]
    parameters: Mapping[str, Any]

    def fresh(self, step: Step) -> dict[str, StridedArray]:
        return fresh_arrays(step.arrays)

    def run(self, step: Step, arrays: Mapping[str, StridedArray] | None = None) -> dict[str, Any]:
        """The outputs of one call in the implementation's own library. arrays: handed over as they are; None: copies of the step's."""
        given = self.fresh(step) if arrays is None else arrays
        loaded = self.callee.load(given)
        outputs = self.callee.outputs(step.function, loaded, given, step.options)
        self.callee.library.finish(list(outputs.values()))
        return outputs

    def snapshot(self, outputs: Mapping[str, Any]) -> dict[str, Collected | Number]:
        """The outputs as they are now, in memory of their own."""
        return {name: copied(self.callee.library.collect(output)) for name, output in outputs.items()}


def scene_of(callee: Callee, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]) -> Scene:
    steps = tuple(Step(step["function"], _of_step(arrays, number), step["options"]) for number, step in enumerate(options["steps"]))
    return Scene(callee, steps, options)


def _of_step(arrays: Mapping[str, StridedArray], number: int) -> dict[str, StridedArray]:
    prefix = f"{number}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def copied(result: Collected | Number) -> Collected | Number:
    return Collected(np.array(result.bits, copy=True, order="C"), result.dtype) if isinstance(result, Collected) else result


def same(first: Mapping[str, Collected | Number], second: Mapping[str, Collected | Number]) -> bool:
    """Whether two snapshots hold the same bits."""
    return {name: content(result) for name, result in first.items()} == {name: content(result) for name, result in second.items()}


def content(result: Collected | Number) -> Any:
    """What two equal results have in common: bits, not values, so that a NaN equals itself."""
    return (result.bits.shape, result.bits.tobytes()) if isinstance(result, Collected) else repr(result)

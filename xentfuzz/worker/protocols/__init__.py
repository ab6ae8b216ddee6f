"""Named sequences of calls that must run where the implementation runs: they hold its own results, threads, memory or surroundings.

`protocol:NAME` as a call's function carries out `NAME.run` of this package. Its arrays are named "STEP.ARGUMENT"; its options hold "steps",
the function and the options of each, and the protocol's own parameters. A text is a result too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xentfuzz.worker.protocols.scene import Results, scene_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xentfuzz.arrays import StridedArray
    from xentfuzz.worker.callee import Callee

PREFIX = "protocol:"


def run_protocol(callee: Callee, function: str, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]) -> Results:
    """Whatever a step raises gets through."""
    protocol = import_module(f"{__name__}.{function.removeprefix(PREFIX)}")
    results: Results = protocol.run(scene_of(callee, arrays, options))
    return results

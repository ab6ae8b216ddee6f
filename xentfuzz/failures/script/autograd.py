"""What a script decides about the use of one graph of torch's autograd."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.failures.failure import Failure
from xentfuzz.failures.script.libraries import Library
from xentfuzz.failures.script.shown import Shown


def second_backward(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """The gradient of one loss, taken twice: the same bits are wanted."""
    call = shown[-1]
    variable = call.output(failure)
    *forward, backward = call.statements
    # An upstream gradient of its own each time: one that was written into is another finding.
    upstream = call.arguments["grad_output"]
    again = backward.replace(f", {upstream}", f", {upstream}.clone(), retain_graph=True")
    return [
        *forward,
        again,
        f"first = {library.bits(variable)}",
        f'print(f"first backward: {{{variable}}}")',
        again,
        f'print(f"second backward: {{{variable}}}")',
        f"ok = {library.bits(variable)} == first",
    ]

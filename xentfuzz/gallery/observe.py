"""What is seen of an implementation on one hand-written case, in a few words. No verdict: a person, or a test, compares two of these."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from xentfuzz.gallery.autograd import to_numpy, to_torch
from xentfuzz.gallery.call import Call
from xentfuzz.gallery.entry import Shown

Array = np.ndarray[Any, Any]

OBSERVATIONS = {
    "loss": "the loss",
    "gradient": "the gradient of the logits",
    "shape": "the shape of the loss",
    "inputs": "which arguments a backward changes",
    "second backward": "the gradient of a second backward through one forward, in torch",
    "second derivative": "the gradient of the sum of the first class's gradients, in torch",
    "threads": "whether calls from several threads give what one thread gives",
    "process": "how a process ends that makes the call",
}
# The free lists of NumPy hold blocks of up to this many bytes, at most seven of each size.
CACHED_BYTES, CACHED_BLOCKS = 1024, 7
THREADS, CALLS = 4, 40


def observe(kernel: Any, shown: Shown) -> str:
    """What `shown.by` names; the name of the exception's class where one is raised."""
    try:
        for earlier in shown.before:
            run_forward(kernel, earlier)
            run_backward(kernel, earlier)
        if shown.dirty is not None:
            dirty_free_lists(shown.dirty)
        return _LOOKS[shown.by](kernel, shown)
    except Exception as error:  # noqa: BLE001 - whatever an implementation raises is what is observed
        return type(error).__name__


def run_forward(kernel: Any, call: Call) -> Array:
    return np.asarray(kernel.forward(**call.arguments()))


def run_backward(kernel: Any, call: Call) -> Array:
    arguments = call.arguments()
    loss = np.zeros(arguments["target"].shape if _per_position(arguments) else (), arguments["logits"].dtype)
    if _per_position(arguments) and _is_probabilities(arguments):
        loss = loss.sum(axis=min(loss.ndim - 1, 1))
    return np.asarray(kernel.backward(call.upstream(loss), **arguments))


def _per_position(arguments: dict[str, Any]) -> bool:
    return bool(arguments.get("reduction") == "none")


def _is_probabilities(arguments: dict[str, Any]) -> bool:
    return bool(arguments["target"].shape == arguments["logits"].shape)


def dirty_free_lists(value: float) -> None:
    """Leave `value` in the small blocks that NumPy hands out next."""
    words = [np.full(count, value, np.float32) for count in range(2, CACHED_BYTES // 4) for _ in range(CACHED_BLOCKS)]
    del words


def words(numbers: Array, shown: Shown) -> str:
    flat = np.asarray(numbers, np.float64).reshape(-1)
    return " ".join(f"{number:.{shown.digits}g}" for number in (flat if shown.at is None else flat[shown.at]))


def _loss(kernel: Any, shown: Shown) -> str:
    return words(run_forward(kernel, shown.call), shown)


def _gradient(kernel: Any, shown: Shown) -> str:
    return words(run_backward(kernel, shown.call), shown)


def _shape(kernel: Any, shown: Shown) -> str:
    return str(run_forward(kernel, shown.call).shape)


def _inputs(kernel: Any, shown: Shown) -> str:
    arguments = shown.call.arguments()
    arrays = {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}
    before = {name: value.tobytes() for name, value in arrays.items()}
    loss = np.asarray(kernel.forward(**arguments))
    kernel.backward(np.ones(loss.shape, arguments["logits"].dtype), **arguments)
    return "changed: " + (", ".join(name for name, value in arrays.items() if value.tobytes() != before[name]) or "nothing")


def _second_backward(kernel: Any, shown: Shown) -> str:
    arguments = {name: to_torch(value) if isinstance(value, np.ndarray) else value for name, value in shown.call.arguments().items()}
    logits = arguments["logits"].requires_grad_()
    loss = kernel.forward(**arguments)
    for _ in range(2):
        logits.grad = None
        loss.backward(to_torch(shown.call.upstream(to_numpy(loss))), retain_graph=True)
    return words(to_numpy(logits.grad), shown)


def _second_derivative(kernel: Any, shown: Shown) -> str:
    import torch  # noqa: PLC0415 - only this observation needs it

    arguments = {name: to_torch(value) if isinstance(value, np.ndarray) else value for name, value in shown.call.arguments().items()}
    logits = arguments["logits"].requires_grad_()
    loss = kernel.forward(**arguments)
    upstream = to_torch(shown.call.upstream(to_numpy(loss))).requires_grad_()
    (gradient,) = torch.autograd.grad(loss, logits, upstream, create_graph=True)
    found: Sequence[Any] = torch.autograd.grad(gradient[..., 0].sum(), (logits, upstream), allow_unused=True)
    return words(np.zeros(logits.shape) if found[0] is None else to_numpy(found[0]), shown)


def _threads(kernel: Any, shown: Shown) -> str:
    alone = run_forward(kernel, shown.call)
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda _: run_forward(kernel, shown.call), range(CALLS)))
    return "same" if all(np.array_equal(alone, loss, equal_nan=True) for loss in together) else "different"


def _process(kernel: Any, shown: Shown) -> str:
    """Where the kernel is loaded from is all that another process can be told; the call is the one that `shown` holds."""
    kind = type(kernel)
    arguments = shown.call.arguments()
    shape, options = arguments["logits"].shape, shown.call.options
    lines = (
        "import numpy as np",
        f"from {kind.__module__} import {kind.__qualname__} as Kernel",
        f"print(Kernel().forward(np.zeros({shape}, np.float32), np.zeros({shape}, np.float32), **{options!r}))",
    )
    program = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)  # noqa: S603 - the lines above, on the gallery's own modules
    return (
        f"signal {-done.returncode}"
        if done.returncode < 0
        else done.stdout.strip() or done.stderr.strip().splitlines()[-1].partition(":")[0]
    )


_LOOKS = {
    "loss": _loss,
    "gradient": _gradient,
    "shape": _shape,
    "inputs": _inputs,
    "second backward": _second_backward,
    "second derivative": _second_derivative,
    "threads": _threads,
    "process": _process,
}

"""Honest implementations: what an author may declare, leave out, or return in another form."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.dtypes import TARGET_NAMES
from xentfuzz.gallery.autograd import SavedGradient
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import HonestShelf

SHELF = HonestShelf("INTERFACE")


@SHELF.honest("float32_loss", "the loss of 16-bit logits is float32", dtypes=("float16", "bfloat16"), loss_dtype="float32")
class Float32Loss(CrossEntropy):
    def loss_dtype(self, problem: Problem) -> np.dtype[Any]:
        del problem
        return np.dtype(np.float32)


@SHELF.honest("forward_only", "there is no backward", backward=None)
class ForwardOnly(CrossEntropy):
    pass


@SHELF.honest("fused", "value_and_grad gives both in one call", value_and_grad="xentfuzz.gallery.kernels:fused.value_and_grad")
class Fused(CrossEntropy):
    def value_and_grad(
        self,
        logits: Any,
        target: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> tuple[Array, Array]:
        options: dict[str, Any] = {
            "weight": weight,
            "ignore_index": ignore_index,
            "reduction": reduction,
            "label_smoothing": label_smoothing,
        }
        loss = self.forward(logits, target, **options)
        return loss, self.backward(np.ones_like(loss), logits, target, **options)


@SHELF.honest("overwrites_logits", "backward writes the gradient over the logits, and says so", mutates=("logits",), aliases=True)
class OverwritesLogits(CrossEntropy):
    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        logits = problem.given.logits
        finished = super().finish_gradient(problem, gradient)
        if 0 in logits.strides:  # elements share memory: there is no room for their gradients
            return finished
        logits[...] = finished
        return logits


@SHELF.honest(
    "reuses_its_buffer", "the gradient lies in a buffer that the next call overwrites, and says so", aliases=True, thread_safe=False
)
class ReusesItsBuffer(CrossEntropy):
    def __init__(self) -> None:
        self.buffer = np.zeros(0, np.uint8)

    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        finished = super().finish_gradient(problem, gradient)
        if self.buffer.nbytes < finished.nbytes:
            self.buffer = np.zeros(finished.nbytes, np.uint8)
        view = np.ndarray(finished.shape, finished.dtype, buffer=self.buffer.data)
        view[...] = finished
        return view


@SHELF.honest("fortran_gradient", "the gradient lies in Fortran order")
class FortranGradient(CrossEntropy):
    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        return np.asfortranarray(super().finish_gradient(problem, gradient))


@SHELF.honest("numpy_scalars", "a loss without axes is a NumPy scalar")
class NumpyScalars(CrossEntropy):
    def finish_loss(self, problem: Problem, loss: Array) -> Array:
        finished: Array = super().finish_loss(problem, loss)[()]
        return finished


@SHELF.honest(
    "contiguous_only",
    "arrays that are not contiguous are declared to be refused; read-only ones just raise a ValueError",
    supports={
        "target_dtypes": TARGET_NAMES,
        "layouts": ("contiguous", "inside_larger_buffer", "read_only"),
    },
)
class ContiguousOnly(CrossEntropy):
    def check(self, given: Given) -> None:
        for name in ("logits", "target", "weight"):
            array = getattr(given, name)
            if array is not None and not (array.flags.c_contiguous and array.flags.aligned and array.flags.writeable):
                raise ValueError(f"{name}: wanted a contiguous, aligned array that can be written")
        super().check(given)


@SHELF.honest(
    "indices_only",
    "no probabilities, no weight, no smoothing: what is not in the signature is not asked for",
    supports={"targets": ("index",), "target_dtypes": TARGET_NAMES},
)
class IndicesOnly:
    def __init__(self) -> None:
        self.kernel = CrossEntropy()

    def forward(self, logits: Any, target: Any, *, ignore_index: int = -100, reduction: str = "mean") -> Array:
        return self.kernel.forward(logits, target, ignore_index=ignore_index, reduction=reduction)

    def backward(self, grad_output: Any, logits: Any, target: Any, *, ignore_index: int = -100, reduction: str = "mean") -> Array:
        return self.kernel.backward(grad_output, logits, target, ignore_index=ignore_index, reduction=reduction)


@SHELF.honest(
    "own_spelling",
    "options have other names, and an argument of its own is always passed",
    renames={"ignored_label": "ignore_index", "class_weight": "weight"},
    fixed={"inplace_backward": False},
)
class OwnSpelling:
    def __init__(self) -> None:
        self.kernel = CrossEntropy()

    def forward(
        self,
        logits: Any,
        target: Any,
        *,
        inplace_backward: bool,
        class_weight: Any = None,
        ignored_label: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        del inplace_backward
        options: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        return self.kernel.forward(logits, target, weight=class_weight, ignore_index=ignored_label, **options)

    def backward(
        self,
        grad_output: Any,
        logits: Any,
        target: Any,
        *,
        inplace_backward: bool,
        class_weight: Any = None,
        ignored_label: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        del inplace_backward
        options: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        return self.kernel.backward(grad_output, logits, target, weight=class_weight, ignore_index=ignored_label, **options)


@SHELF.honest(
    "autograd_function",
    "a torch.autograd.Function that saves the gradient",
    array="torch",
    backward=None,
    supports={"targets": ("index",), "target_dtypes": ("int64",)},
)
class AutogradFunction(SavedGradient):
    pass

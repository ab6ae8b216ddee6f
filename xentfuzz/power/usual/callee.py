"""An entry of the gallery, called as its declaration says."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.gallery.autograd import to_numpy, to_torch
from xentfuzz.gallery.entry import Entry
from xentfuzz.implementation import TARGET_KINDS
from xentfuzz.power.usual.case import Array, Case


class Callee:
    """A fresh kernel of the entry: what it keeps from call to call begins here."""

    def __init__(self, entry: Entry) -> None:
        self.kernel = entry.kernel()
        self.declared = entry.implementation
        self.names = {ours: own for own, ours in self.declared.renames.items()}
        self.parameters = set(inspect.signature(self.kernel.forward).parameters)

    def refuses(self, case: Case) -> bool:
        """Whether the declaration leaves the case out."""
        supports = self.declared.supports or {}
        return not (
            case.dtype in (self.declared.dtypes or ())
            and ("probabilities" if case.has_probabilities else "index") in supports.get("targets", TARGET_KINDS)
            and case.layout in supports.get("layouts", (case.layout,))
            and case.classes <= supports.get("largest_class_count", case.classes)
            and {self.names.get(name, name) for name in case.asked_for} <= self.parameters
        )

    def loss_and_gradient(self, case: Case) -> tuple[Array, Array | None]:
        """Raises whatever the implementation raises. None for a gradient that is not asked for or not offered."""
        if self.declared.array == "torch":
            return self._with_autograd(case)
        arguments = {name: argument.fresh().view() for name, argument in _arrays(case).items()}
        logits, target = arguments.pop("logits"), arguments.pop("target")
        options = self._named({**arguments, **case.options})
        loss = np.array(self.kernel.forward(logits, target, **options))
        if case.grad_output is None or self.declared.backward is None:
            return self._loss(loss, case), None
        return self._loss(loss, case), np.asarray(self.kernel.backward(case.grad_output, logits, target, **options))

    def _with_autograd(self, case: Case) -> tuple[Array, Array | None]:
        import torch  # noqa: PLC0415 - loaded only where it is asked for

        arguments = {name: to_torch(argument.fresh().view()) for name, argument in _arrays(case).items()}
        logits, target = arguments.pop("logits").requires_grad_(case.grad_output is not None), arguments.pop("target")
        loss = self.kernel.forward(logits, target, **self._named({**arguments, **case.options}))
        if case.grad_output is None:
            return self._loss(to_numpy(loss), case), None
        (gradient,) = torch.autograd.grad(loss, logits, to_torch(np.array(case.grad_output)))
        return self._loss(to_numpy(loss), case), to_numpy(gradient)

    def _named(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {**self.declared.fixed, **{self.names.get(name, name): value for name, value in arguments.items()}}

    def _loss(self, loss: Array, case: Case) -> Array:
        """A loss in the dtype that the declaration names for it is no difference."""
        return loss.astype(case.loss.dtype) if loss.dtype.name == self.declared.loss_dtype_for(case.dtype) else loss


def _arrays(case: Case) -> dict[str, StridedArray]:
    weight = {} if case.weight is None else {"weight": case.weight}
    return {"logits": case.logits, "target": case.target, **weight}

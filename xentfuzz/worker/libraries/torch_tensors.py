"""torch tensors over given memory. torch holds any non-negative strides and any alignment, but has no read-only tensors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UsageError
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Invoke, Number, Unsupported, no_conversion, require_shape


class TorchTensors(ArrayLibrary):
    """device: "cpu", "cuda", "cuda:1", ... Elsewhere than on the CPU the whole storage is copied, so that strides and gaps survive."""

    def __init__(self, device: str) -> None:
        try:
            self.device = torch.device(device)
        except RuntimeError as error:
            raise _no_device(device, error) from None
        self.copies: list[tuple[Any, Any]] = []

    def require_device(self) -> None:
        try:
            torch.empty(1, device=self.device)
        except Exception as error:  # noqa: BLE001 - each kind of device is missing in its own way
            raise _no_device(str(self.device), error) from None

    def load(self, array: StridedArray) -> torch.Tensor:
        dtype = getattr(torch, array.dtype, None)
        if not isinstance(dtype, torch.dtype):
            raise Unsupported(f"torch has no {array.dtype}")
        if not array.writeable:
            raise Unsupported("torch has no read-only tensors")
        if 0 in array.shape:
            return torch.empty(array.shape, dtype=dtype, device=self.device)
        if any(stride < 0 or stride % dtype.itemsize for stride in array.strides):
            raise Unsupported(f"torch has no strides of {array.strides} bytes")
        return self._strided(array, dtype)

    def _strided(self, array: StridedArray, dtype: torch.dtype) -> torch.Tensor:
        steps = [stride // dtype.itemsize for stride in array.strides]
        # The storage begins where its own alignment is the array's, which a tensor's offset in elements couldn't express.
        begin = array.offset % dtype.itemsize
        whole = torch.frombuffer(array.storage.data, dtype=dtype, offset=begin, count=(array.storage.size - begin) // dtype.itemsize)
        if self.device.type != "cpu":
            if begin:
                raise Unsupported("tensors in device memory are aligned")
            host, whole = whole, whole.to(self.device)
            self.copies.append((host, whole))
        return whole.as_strided(array.shape, steps, array.offset // dtype.itemsize)

    def read(self, result: Any) -> Collected | Number:
        if isinstance(result, bool | int | float):
            return result
        if not isinstance(result, torch.Tensor):
            raise no_conversion(result, "a torch.Tensor")
        host = result.detach().to("cpu").resolve_conj().resolve_neg()
        if host.dtype == torch.bfloat16:
            return Collected(host.view(torch.int16).numpy(), "bfloat16")
        array = host.numpy()
        return Collected(array, array.dtype.str)

    def gradients(self, invoke: Invoke, arrays: Mapping[str, Any], wanted: Sequence[str], upstream: Any) -> dict[str, Any]:
        leaves = {name: arrays[name].requires_grad_() for name in wanted}
        result = invoke({**arrays, **leaves})
        if not isinstance(result, torch.Tensor):
            raise no_conversion(result, "a torch.Tensor")
        require_shape(tuple(result.shape), tuple(upstream.shape))
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(result, list(leaves.values()), upstream, allow_unused=True)
        gradients = {name: gradient for name, gradient in zip(leaves, found, strict=True) if gradient is not None}
        if wanted[0] not in gradients:
            raise LookupError(f"autograd finds no gradient of {wanted[0]}: the result does not depend on it")
        return gradients

    def second_gradients(
        self, invoke: Invoke, arrays: Mapping[str, Any], first: str, upstream: Any, vector: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        leaf, upstream = arrays[first].requires_grad_(), upstream.requires_grad_()
        (gradient,) = torch.autograd.grad(invoke({**arrays, first: leaf}), leaf, upstream, create_graph=True)
        # What the graph does not lead to counts as 0 wherever there is more in the graph: that is what is judged.
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(gradient, (leaf, upstream), vector, allow_unused=True)
        if all(each is None for each in found):
            # What once_differentiable gives leads to nothing but the error that it raises where it is reached.
            raise LookupError("the graph of the gradient leads to none of its arguments")
        return _or_zeros(found[0], leaf), _or_zeros(found[1], upstream)

    def tangent(self, invoke: Invoke, arrays: Mapping[str, Any], first: str, vector: Any) -> Any:
        with warnings.catch_warnings():
            # Of torch's own decompositions, which it compiles when forward mode is first used.
            warnings.filterwarnings("ignore", "`torch.jit.script`", DeprecationWarning)
            found: Sequence[Any] = torch.func.jvp(lambda given: invoke({**arrays, first: given}), (arrays[first],), (vector,))
        return found[1]

    def vectorised(self, invoke: Invoke, arrays: Mapping[str, Any], stacks: Mapping[str, Sequence[Any]]) -> Any:
        def function(*given: Any) -> Any:
            return invoke({**arrays, **dict(zip(stacks, given, strict=True))})

        return torch.func.vmap(function)(*(torch.stack(list(tensors)) for tensors in stacks.values()))

    def finish(self, results: Sequence[Any]) -> None:
        del results
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def write_back(self) -> None:
        for host, copy in self.copies:
            host.copy_(copy)
        self.copies.clear()


def _or_zeros(gradient: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def _no_device(device: str, error: Exception) -> UsageError:
    reason = str(error).strip().partition("\n")[0].rstrip(".")
    return UsageError(f"torch can't use the device {device!r} here: {reason}; give one that it can, such as cpu")

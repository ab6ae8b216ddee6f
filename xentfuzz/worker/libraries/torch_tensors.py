"""torch tensors over given memory. torch holds any non-negative strides and any alignment, but has no read-only tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UsageError
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Invoke, Number, Unsupported, no_conversion


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
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(result, list(leaves.values()), upstream, allow_unused=True)
        gradients = {name: gradient for name, gradient in zip(leaves, found, strict=True) if gradient is not None}
        if wanted[0] not in gradients:
            raise LookupError(f"autograd finds no gradient of {wanted[0]}: the result does not depend on it")
        return gradients

    def finish(self, results: Sequence[Any]) -> None:
        del results
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def write_back(self) -> None:
        for host, copy in self.copies:
            host.copy_(copy)
        self.copies.clear()


def _no_device(device: str, error: Exception) -> UsageError:
    reason = str(error).strip().partition("\n")[0].rstrip(".")
    return UsageError(f"torch can't use the device {device!r} here: {reason}; give one that it can, such as cpu")

"""The few calls of CUDA's driver that launching a kernel takes, by ctypes: a launch costs microseconds, of which Python has a part.

Modules are loaded into the context that is current, and kept for each; so is what is asked about a device.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from functools import cache
from typing import Any

_PARAMETERS, _PARAMETERS_SIZE, _END = 1, 2, 0  # of cuLaunchKernel's `extra`
_MULTIPROCESSORS, _MAJOR, _MINOR = 16, 75, 76  # device attributes
_MAPPED_EVERYWHERE = 1 | 2  # cuMemHostAlloc: portable, mapped
_lock = threading.Lock()


@cache
def library() -> Any:
    return ctypes.CDLL("libcuda.so.1")


def call(name: str, *arguments: Any) -> None:
    """Call a function of the driver. Raises RuntimeError with its words where it fails."""
    status = getattr(library(), name)(*arguments)
    if status != 0:
        words = c_char_p()
        library().cuGetErrorString(status, byref(words))
        raise RuntimeError(f"{name}: {(words.value or b'unknown error').decode()} ({status})")


def current_context() -> int:
    """The context of the calling thread, 0 where it has none."""
    context = c_void_p()
    call("cuCtxGetCurrent", byref(context))
    return context.value or 0


def current_device() -> int:
    device = c_int()
    call("cuCtxGetDevice", byref(device))
    return device.value


@cache
def attribute(device: int, number: int) -> int:
    found = c_int()
    call("cuDeviceGetAttribute", byref(found), number, device)
    return found.value


def multiprocessors(device: int) -> int:
    return attribute(device, _MULTIPROCESSORS)


def capability(device: int) -> tuple[int, int]:
    return attribute(device, _MAJOR), attribute(device, _MINOR)


class _Attribute(ctypes.Structure):
    """CUlaunchAttribute with an integer for its value, which has 64 bytes."""

    _fields_ = (("id", c_int), ("padding", c_int), ("value", c_int), ("rest", c_int * 15))


class _Configuration(ctypes.Structure):
    """CUlaunchConfig."""

    _fields_ = (
        ("grid", c_uint * 3),
        ("block", c_uint * 3),
        ("shared_bytes", c_uint),
        ("stream", c_void_p),
        ("attributes", ctypes.POINTER(_Attribute)),
        ("attribute_count", c_uint),
    )


_COOPERATIVE = 2


class Function:
    """A kernel in one context. blocks_resident: how many of its blocks a multiprocessor holds at once."""

    def __init__(self, ptx: str, name: str, threads: int) -> None:
        module, function, resident = c_void_p(), c_void_p(), c_int()
        call("cuModuleLoadData", byref(module), ptx.encode())
        call("cuModuleGetFunction", byref(function), module, name.encode())
        call("cuOccupancyMaxActiveBlocksPerMultiprocessor", byref(resident), function, c_int(threads), c_size_t(0))
        self.handle, self.threads, self.blocks_resident = function, threads, max(resident.value, 1)
        self._launch: Callable[..., int] = library().cuLaunchKernel

    def launch(self, blocks: tuple[int, int], stream: int, parameters: bytes, *, together: bool = False) -> None:
        """Put the kernel on a stream of the current context. parameters: all of them, packed as in C.

        together: start no block unless all of them find room at once, so that they may wait for each other.
        """
        if together:
            self._launch_together(blocks, stream, parameters)
            return
        size = c_size_t(len(parameters))
        address = ctypes.cast(c_char_p(parameters), c_void_p)
        extra = (c_void_p * 5)(_PARAMETERS, address.value, _PARAMETERS_SIZE, ctypes.addressof(size), _END)
        status = self._launch(
            self.handle, c_uint(blocks[0]), c_uint(blocks[1]), 1, c_uint(self.threads), 1, 1, 0, c_void_p(stream), None, extra
        )
        if status != 0:
            raise RuntimeError(f"cuLaunchKernel: error {status}, {blocks} blocks of {self.threads} threads")

    def _launch_together(self, blocks: tuple[int, int], stream: int, parameters: bytes) -> None:
        """A cooperative launch of a kernel whose parameters are integers of 64 bits, which are given one by one."""
        memory = ctypes.create_string_buffer(parameters, len(parameters))
        first, count = ctypes.addressof(memory), len(parameters) // 8
        pointers = (c_void_p * count)(*range(first, first + 8 * count, 8))
        attribute = _Attribute(_COOPERATIVE, 0, 1)
        configuration = _Configuration((c_uint * 3)(*blocks, 1), (c_uint * 3)(self.threads, 1, 1), 0, stream, ctypes.pointer(attribute), 1)
        call("cuLaunchKernelEx", byref(configuration), self.handle, pointers, None)


_functions: dict[Any, Function] = {}


def function(key: Any, threads: int, source: Callable[[tuple[int, int]], tuple[str, str]]) -> Function:
    """The function of a key in the current context; `source` gives PTX and the kernel's name for a compute capability."""
    context = current_context()
    found = _functions.get((context, key))
    if found is None:
        with _lock:
            text, name = source(capability(current_device()))
            found = _functions.setdefault((context, key), Function(text, name, threads))
    return found


def synchronize(stream: int) -> None:
    call("cuStreamSynchronize", c_void_p(stream))


def fill_with_ones(address: int, words: int, stream: int) -> None:
    """Set every bit of so many words of 32 bits, in the stream's order."""
    call("cuMemsetD32Async", c_void_p(address), c_uint(0xFFFFFFFF), c_size_t(words), c_void_p(stream))


def pinned(size: int) -> int:
    """Memory of the host that every device may write, at one address for both."""
    address = c_void_p()
    call("cuMemHostAlloc", byref(address), c_size_t(size), c_uint(_MAPPED_EVERYWHERE))
    return address.value or 0

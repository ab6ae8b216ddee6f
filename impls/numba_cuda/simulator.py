"""What the kernels ask of a GPU, in Python: the side of the seam for Numba's simulator, which lacks shuffles, vectors and raw memory.

A warp has one lane here, so that whatever crosses lanes crosses warps, through shared memory. Every access is held against the arrays
that the launch was given: one outside of them raises IndexError, as one at an address that is no multiple of its width does.
"""

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

import bisect
import ctypes
import math
import threading
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
from numba import cuda

from xentfuzz.impls.numba_cuda.formats import VECTOR, Format

# Ranges of addresses that kernels may touch: first and past the last, ascending.
_allowed: list[tuple[int, int]] = []
_sharing = threading.Lock()


def allow(ranges: list[tuple[int, int]]) -> None:
    """Name the memory that the next launch may touch."""
    _allowed[:] = sorted(ranges)


def _memory(address: int, size: int) -> Any:
    """The bytes at an address."""
    place = bisect.bisect_right(_allowed, (address, 2**63)) - 1
    if not any(start <= address and address + size <= end for start, end in _allowed[max(place - 4, 0) : place + 1]):
        raise IndexError(f"a kernel touches {size} bytes at {address:#x}, which is in none of the arrays that it was given")
    if address % size:
        raise IndexError(f"a kernel touches {size} bytes at {address:#x}, which is no multiple of {size}")
    return (ctypes.c_char * size).from_address(address)


def _read(address: int, dtype: Any, count: int = 1) -> Any:
    dtype = np.dtype(dtype)
    return np.frombuffer(bytes(_memory(int(address), dtype.itemsize * count)), dtype)


def _write(address: int, values: Any) -> None:
    data = values.tobytes()
    ctypes.memmove(_memory(int(address), len(data)), data, len(data))


def _shared_array(size: int, element: Any) -> Any:
    # Numba's makes an array where it finds none, which two threads can come upon at once.
    with _sharing:
        return cuda.shared.array(size, element)


def load_index(address: int, kind: int) -> Any:
    return np.int64(_read(address, f"{'i' if kind < 0 else 'u'}{abs(kind)}")[0].astype(np.int64))


def thread() -> int:
    return int(cuda.threadIdx.x)


def block() -> int:
    return int(cuda.blockIdx.x)


def blocks() -> int:
    return int(cuda.gridDim.x)


def block_y() -> int:
    return int(cuda.blockIdx.y)


def blocks_y() -> int:
    return int(cuda.gridDim.y)


def barrier() -> None:
    cuda.syncthreads()


def exchanged(value: Any, distance: int) -> Any:
    raise RuntimeError("a warp of one lane exchanges nothing")


def _waiting(*given: Any) -> Any:
    raise RuntimeError("blocks run one after the other, and cannot wait for each other")


def maximum(a: Any, b: Any) -> Any:
    return b if a != a or b > a else a  # noqa: PLR0124 - like max.f32: a number rather than NaN


def unrolled(step: Callable[..., Any], count: int) -> Callable[..., Any]:
    def fold(block: Any, value: Any, parameter: Any) -> Any:
        for index in range(count):
            value = step(value, block[index], parameter)
        return value

    return fold


def mapped(step: Callable[..., Any], count: int) -> Callable[..., Any]:
    def transform(block: Any, first: Any, second: Any) -> Any:
        return tuple(step(block[index], first, second) for index in range(count))

    return transform


@cache
def machine(floating: Format, threads: int, vectors: int, load_hint: str = "", store_hint: str = "") -> SimpleNamespace:
    """The same names as `gpu.machine`."""
    del load_hint, store_hint
    real, count = floating.real, floating.per_vector
    storage = ml_dtypes.bfloat16 if floating.name == "bfloat16" else floating.storage

    def load_block(address: int, step: int, remaining: int) -> Any:
        numbers: list[Any] = []
        for vector in range(vectors):
            inside = vector * step < remaining
            found = _read(address + vector * step, storage, count) if inside else np.full(count, -math.inf)
            numbers += list(found.astype(real))
        return tuple(numbers)

    def store_block(address: int, step: int, remaining: int, block: Any) -> None:
        for vector in range(vectors):
            if vector * step < remaining:
                _write(address + vector * step, np.array(block[vector * count : (vector + 1) * count]).astype(storage))

    def load_held(address: int, step: int, remaining: int) -> Any:
        return np.array(load_block(address, step, remaining))

    def store_held(address: int, step: int, remaining: int, held: Any, top: Any, scale: Any) -> None:  # noqa: PLR0917 - by position
        store_block(address, step, remaining, tuple(np.exp(held - top) * scale))

    return SimpleNamespace(
        jit=lambda function: function,
        load_held=load_held,
        held_maximum=lambda held: real(np.fmax.reduce(held)),
        held_total=lambda held, top: np.exp(held - top).sum(dtype=real),
        store_held=store_held,
        joined=_waiting,
        first_of=_waiting,
        second_of=_waiting,
        publish=_waiting,
        poll=_waiting,
        warp=1,
        unrolled=unrolled,
        mapped=mapped,
        thread=thread,
        block=block,
        blocks=blocks,
        block_y=block_y,
        blocks_y=blocks_y,
        divided=lambda a, b: a // b,
        barrier=barrier,
        exchanged=exchanged,
        cuda=SimpleNamespace(shared=SimpleNamespace(array=_shared_array)),
        scratch_size=2 * threads,  # two numbers for each warp, of one lane
        element=real,
        load_index=load_index,
        load_int64=lambda address: np.int64(_read(address, np.int64)[0]),
        store_int64=lambda address, value: _write(address, np.int64(value)),
        load=lambda address: real(_read(address, storage)[0]),
        store=lambda address, value: _write(address, np.asarray(value).astype(storage)),
        load_real=lambda address: real(_read(address, real)[0]),
        store_real=lambda address, value: _write(address, real(value)),
        maximum=maximum,
        exponential=np.exp,
        logarithm=np.log,
        load_block=load_block,
        store_block=store_block,
        vector=VECTOR,
    )


def run(kernel: Callable[..., Any], blocks: tuple[int, int], threads: int, arguments: tuple[Any, ...]) -> None:
    """Run a kernel in the simulator."""
    _entry[blocks, threads](kernel, arguments)


@cuda.jit
def _entry(kernel: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # In here `cuda` of this module is the simulator's, for as long as the block runs. Threads inherit no errstate.
    with np.errstate(all="ignore"):
        kernel(*arguments)

"""Runs kernels: on the caller's stream of a GPU, or in Numba's simulator."""

from __future__ import annotations

import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda import driver, settings
from xentfuzz.impls.numba_cuda.compiler import HOLDING_ROWS, KERNELS, READING_VECTORS, Specialisation, build, entry_name, ptx
from xentfuzz.impls.numba_cuda.placement import Place, Placed
from xentfuzz.impls.numba_cuda.simulation import SIMULATED

_BYTE = np.dtype(np.uint8)
# The simulator can run but one kernel at a time, and a grid of few blocks, so that blocks go on to a second row there too.
_simulator = threading.Lock()
_SIMULATED_MULTIPROCESSORS = 3


@cache
def _packing(which: Specialisation) -> tuple[struct.Struct, tuple[bool, ...]]:
    """How a kernel's arguments are packed, and which of them are tuples."""
    number = "d" if which.format == "float64" else "f"
    counts = KERNELS[which.kernel][1]
    return struct.Struct("@" + "".join(number if count == "real" else "q" * (int(count) or 1) for count in counts)), tuple(
        count not in {"real", 0} for count in counts
    )


def _function(which: Specialisation) -> driver.Function:
    def source(capability: tuple[int, int]) -> tuple[str, str]:
        text = ptx(which, capability)
        return text, entry_name(text)

    return driver.function(which, which.threads, source)


def multiprocessors() -> int:
    """Of the current device."""
    return _SIMULATED_MULTIPROCESSORS if SIMULATED else driver.multiprocessors(driver.current_device())


class Launcher:
    """The launches of one call: its arrays, where it allocates, and its stream."""

    def __init__(self, place: Place, floating: str) -> None:
        self.place, self.floating = place, floating
        self.settings = settings.usual()
        self._arrays: list[tuple[int, int]] = []
        # Kept to the end of the call: memory given back earlier could be the next allocation's.
        self._scratch: list[Placed] = []

    def know(self, *arrays: Placed | None) -> None:
        """Name the arrays that kernels are given: the simulator refuses accesses to others."""
        if SIMULATED:
            self._arrays += [array.extent for array in arrays if array is not None]

    def know_address(self, address: int, size: int) -> None:
        if SIMULATED:
            self._arrays.append((address, address + size))

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Placed, Callable[[], Any]]:
        """An array for a kernel to write into, and a function that gives it to the caller."""
        placed, result = self.place.empty(shape, dtype)
        self.know(placed)
        return placed, result

    def scratch(self, size: int) -> Placed:
        """So many bytes, at a multiple of 16."""
        placed, _ = self.empty((size,), _BYTE)
        self._scratch.append(placed)
        return placed

    def specialisation(self, kernel: str) -> Specialisation:
        """The kernel for this call; the knobs of the settings count for those that read rows in vectors."""
        knobs = self.settings
        if kernel in HOLDING_ROWS:
            return Specialisation(
                kernel, self.floating, knobs.held_threads, knobs.held, knobs.held_resident, knobs.load_hint, knobs.store_hint
            )
        if kernel not in READING_VECTORS:
            return Specialisation(kernel, self.floating, knobs.threads)
        return Specialisation(kernel, self.floating, knobs.threads, knobs.vectors, knobs.resident, knobs.load_hint, knobs.store_hint)

    def capacity(self, which: Specialisation) -> int:
        """How many blocks of a kernel the device holds at once."""
        return multiprocessors() * (1 if SIMULATED else _function(which).blocks_resident)

    def run(self, which: Specialisation, blocks: tuple[int, int], *arguments: Any, together: bool = False) -> None:
        """Launch a kernel on so many blocks, each of the arguments a number or a tuple of integers. together: as for `Function.launch`."""
        if SIMULATED:
            _simulate(which, blocks, arguments, self._arrays)
            return
        packing, tuples = _packing(which)
        flat: list[Any] = []
        for argument, is_tuple in zip(arguments, tuples, strict=True):
            if is_tuple:
                flat.extend(argument)
            else:
                flat.append(argument)
        _function(which).launch(blocks, self.place.stream, packing.pack(*flat), together=together)


def _simulate(which: Specialisation, blocks: tuple[int, int], arguments: tuple[Any, ...], arrays: list[tuple[int, int]]) -> None:
    from xentfuzz.impls.numba_cuda import simulator  # noqa: PLC0415 - importing Numba takes half a second

    real = np.float64 if which.format == "float64" else np.float32
    counts = KERNELS[which.kernel][1]
    given = tuple(real(argument) if count == "real" else argument for argument, count in zip(arguments, counts, strict=True))
    with _simulator, _eager_threads():
        simulator.allow(arrays)
        simulator.run(build(simulator.machine, which), blocks, which.threads, given)


@contextmanager
def _eager_threads() -> Iterator[None]:
    """Let Python threads take turns often: the simulator's wait for each other at every barrier, and are many times faster so."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)

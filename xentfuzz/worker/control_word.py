"""The floating-point control word of a thread: rounding mode, flushing of subnormal numbers, trapped exceptions.

A library linked with gcc's -ffast-math sets flush-to-zero in the thread that loads it, for everybody in it. The harness computes by the
word that C starts with, whatever an implementation did to its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

# At least what a fenv_t takes on either machine.
_State = ctypes.c_char * 32


@dataclass(frozen=True)
class Control:
    """What a control word says. flushes: subnormal results or operands become 0; rest: rounding mode, precision and traps, as bits."""

    flushes: bool
    rest: int


def _of_x86(state: bytes) -> Control:
    # fenv_t: the x87 environment in 28 bytes, then MXCSR. Of MXCSR bit 15 flushes results, bit 6 operands; the low six are flags.
    (x87,), (mxcsr,) = struct.unpack_from("<H", state), struct.unpack_from("<I", state, 28)
    return Control(bool(mxcsr & 0x8040), (x87 & 0x0F3F) << 16 | (mxcsr & 0x7F80))


def _of_aarch64(state: bytes) -> Control:
    # fenv_t: FPCR, then FPSR; bit 24 flushes, bit 19 does so in 16 bits.
    (fpcr,) = struct.unpack_from("<I", state)
    return Control(bool(fpcr & 0x01080000), fpcr & ~0x01080000)


READERS: dict[str, Callable[[bytes], Control]] = {"x86_64": _of_x86, "aarch64": _of_aarch64}


@cache
def _functions() -> tuple[Any, Any] | None:
    """C's fegetenv and fesetenv, None where this platform's layout of fenv_t is not known."""
    if platform.system() != "Linux" or platform.machine() not in READERS:
        return None
    try:
        library = ctypes.CDLL("libm.so.6")
    except OSError:  # a C library of another kind
        return None
    return library.fegetenv, library.fesetenv


def read() -> bytes | None:
    """The control word of the calling thread as C keeps it; None where it can't be had."""
    functions = _functions()
    if functions is None:
        return None
    state = _State()
    functions[0](state)
    return state.raw


def write(state: bytes | None) -> None:
    """Set this thread's control word; None leaves it as it is."""
    functions = _functions()
    if functions is not None and state is not None:
        functions[1](_State.from_buffer_copy(state))


@cache
def plain() -> bytes | None:
    """The word that every C program starts with: round to nearest, subnormal numbers as they are, no traps."""
    functions = _functions()
    before = read()
    if functions is None or before is None:
        return None
    functions[1](ctypes.c_void_p(-1))  # FE_DFL_ENV
    state = read()
    write(before)
    return state


def control(state: bytes | None) -> Control | None:
    """What a control word says; None where it can't be had."""
    return None if state is None else READERS[platform.machine()](state)


# What was in force in this thread before the harness set its own, the innermost last.
_found: list[bytes | None] = []


@contextlib.contextmanager
def plain_inside() -> Iterator[None]:
    """A block under the plain word; afterwards it is what was found."""
    _found.append(read())
    write(plain())
    try:
        yield
    finally:
        write(_found.pop())


class OwnWord:
    """A context in which an implementation's own word is in force: the one that was found, and what it has made of it since."""

    def __init__(self) -> None:
        self._theirs = _found[-1] if _found else read()
        self._ours: bytes | None = None

    def __enter__(self) -> None:
        self._ours = read()
        write(self._theirs)

    def __exit__(self, *_: object) -> None:
        self._theirs = read()
        write(self._ours)

    @property
    def flushes(self) -> bool:
        """Whether subnormal numbers become 0 in the thread that calls it."""
        state = control(self._theirs)
        return state is not None and state.flushes

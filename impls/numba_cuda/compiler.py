"""Compiles a kernel to PTX, with Numba, and names the kernels that there are."""

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xentfuzz.impls.numba_cuda import held, reductions, rows, strided
from xentfuzz.impls.numba_cuda.formats import FORMATS

# A folder in which compiled kernels are kept from one process to the next.
CACHE_VARIABLE = "XENTFUZZ_CUDA_CACHE"


@dataclass(frozen=True)
class Specialisation:
    """A kernel for one format. threads: of a block; vectors: of 16 bytes that a thread loads at once; resident: blocks that a
    multiprocessor shall hold at least, which limits the registers; load_hint, store_hint: of caches, in PTX's words.
    """

    kernel: str
    format: str
    threads: int
    vectors: int = 1
    resident: int = 1
    load_hint: str = ""
    store_hint: str = ""


def _rows(phase: str, *, gradient: bool) -> Callable[..., Any]:
    return lambda machine, which: rows.rows_kernel(
        machine, FORMATS[which.format], which.threads, which.vectors, phase=phase, gradient=gradient
    )


def _held(*, gradient: bool) -> Callable[..., Any]:
    return lambda machine, which: held.held_kernel(machine, FORMATS[which.format], which.threads, gradient=gradient)


# Name -> factory over a machine, and its arguments: how many integers each, or "real".
KERNELS: dict[str, tuple[Callable[..., Any], tuple[int | str, ...]]] = {
    "loss": (_rows("whole", gradient=False), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "loss_and_gradient": (_rows("whole", gradient=True), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "pieces": (_rows("pieces", gradient=False), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "finish_loss": (_rows("finish", gradient=False), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "finish_loss_and_gradient": (_rows("finish", gradient=True), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "shared_loss_and_gradient": (_rows("shared", gradient=True), (2, 2, 3, 2, 2, 2, 3, 3, 6)),
    "held_loss": (_held(gradient=False), (2, 2, 3, 2, 2, 2, 3, 0, 6, 3)),
    "held_loss_and_gradient": (_held(gradient=True), (2, 2, 3, 2, 2, 2, 3, 0, 6, 3)),
    "denominator": (
        lambda machine, which: reductions.denominator_kernel(machine, FORMATS[which.format], which.threads),
        (5, 2, 3, 3, 0, 0),
    ),
    "total": (lambda machine, which: reductions.total_kernel(machine, FORMATS[which.format], which.threads), (0, 0, 5)),
    **strided.KERNELS,
}

# The modules that kernels are made from.
_SOURCES = ("compiler", "formats", "gpu", "held", "parts", "reductions", "registers", "rows", "strided")
HOLDING_ROWS = {"held_loss", "held_loss_and_gradient"}
READING_VECTORS = {"loss", "loss_and_gradient", "pieces", "finish_loss_and_gradient", "shared_loss_and_gradient"}


def build(machine_of: Callable[..., Any], which: Specialisation) -> Any:
    """The kernel's function over a machine."""
    factory, _ = KERNELS[which.kernel]
    machine = machine_of(FORMATS[which.format], which.threads, which.vectors, which.load_hint, which.store_hint)
    return factory(machine, which)


def signature(which: Specialisation) -> tuple[Any, ...]:
    from numba.cuda import types  # noqa: PLC0415 - importing Numba takes half a second

    real = types.float64 if which.format == "float64" else types.float32
    return tuple(
        real if count == "real" else types.int64 if count == 0 else types.UniTuple(types.int64, count) for count in KERNELS[which.kernel][1]
    )


def compile_to_ptx(which: Specialisation, capability: tuple[int, int]) -> str:
    """The kernel's PTX for a compute capability (major, minor); no device is needed."""
    from numba import cuda  # noqa: PLC0415

    from xentfuzz.impls.numba_cuda import gpu  # noqa: PLC0415

    text, _ = cuda.compile(
        build(gpu.machine, which), signature(which), device=False, abi="numba", cc=capability, launch_bounds=(which.threads, which.resident)
    )
    return str(text)


@cache
def _source_digest() -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        # Without comments and blank lines, which make no other kernel.
        source = re.sub(r"(^|\s)#.*$", "", (Path(__file__).parent / f"{name}.py").read_text(), flags=re.MULTILINE)
        digest.update("".join(source.split()).encode())
    return digest.hexdigest()[:16]


def ptx(which: Specialisation, capability: tuple[int, int]) -> str:
    """As `compile_to_ptx`, kept in the folder that XENTFUZZ_CUDA_CACHE names, where it does."""
    folder = os.environ.get(CACHE_VARIABLE)
    if folder is None:
        return compile_to_ptx(which, capability)
    words = "-".join(str(word) for word in (*astuple(which), *capability))
    path = Path(folder) / f"{re.sub('[^A-Za-z0-9_-]', '.', words)}-{_source_digest()}.ptx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(compile_to_ptx(which, capability))
        part.rename(path)
    return path.read_text()


def entry_name(text: str) -> str:
    """The name under which a module of PTX holds its kernel."""
    return str(re.findall(r"\.entry\s+([\w$]+)", text)[0])

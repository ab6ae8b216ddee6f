"""Softmax cross entropy and its relatives as CUDA kernels in Numba: one block of threads per row.

Each thread keeps a running maximum and a rescaled sum of exponentials over its share of the classes (online softmax, Milakov and Gimelshein
2018); a tree in shared memory then combines them. Where a gradient is wanted, the same block reads its row again.

    decode, encode        between storage (bfloat16 as its bits) and float64
    row_statistics        maximum and sum of exponentials of a row
    *_kernel              one block per row, unless it says otherwise
    Host, Device          bring arrays into the form of the kernels, and results back
    launch                runs a kernel

Kernels see matrices as (a, b, c, classes) and what belongs to rows as (a, b, c), where a b c is the number of rows. NumPy arrays are copied
to the device and results back; objects with `__cuda_array_interface__` are used where they are, in any layout, and results stay there.

Without a GPU the kernels run in Numba's simulator, which wants NUMBA_ENABLE_CUDASIM=1 before Numba is imported. The kernels are plain
functions until one of them is first needed: then `compile_kernels` puts Numba's compiled forms in their place, so that importing this
module needs no Numba.
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from xentfuzz.implementation import Implementation
from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import Array, LossCall

Function = TypeVar("Function", bound=Callable[..., Any])

SIMULATOR_VARIABLE = "NUMBA_ENABLE_CUDASIM"


def gpu_present() -> bool:
    """Whether this machine seems to have an NVIDIA GPU; no library is loaded to find out."""
    return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg")) or shutil.which("nvidia-smi") is not None


SIMULATED = os.environ.get(SIMULATOR_VARIABLE) == "1" or not gpu_present()
# A power of two. The simulator runs every CUDA thread as a Python thread: a call takes five times as long on four of them as on two.
THREADS = 2 if SIMULATED else 256

cuda: Any = None  # numba.cuda, and below one of its types, from `compile_kernels` on; the simulator swaps the former while a kernel runs
float64: Any = None

_plain_functions: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
_lock = threading.Lock()


def jit(**options: Any) -> Callable[[Function], Function]:
    """Mark a function for `compile_kernels`, with options of `numba.cuda.jit`."""

    def mark(function: Function) -> Function:
        _plain_functions[function.__name__] = function, options
        return function

    return mark


def compile_kernels() -> None:
    """Put Numba's dispatchers in the place of the marked functions; each compiles when it is first called.

    Raises RuntimeError where there is neither a GPU nor the simulator.
    """
    with _lock:
        if not _plain_functions:
            return
        import numba  # noqa: PLC0415 - importing Numba takes half a second
        import numba.cuda  # noqa: PLC0415

        if SIMULATED and not numba.config.ENABLE_CUDASIM:  # type: ignore[attr-defined]  # set at run time
            raise RuntimeError(f"numba-cuda: no GPU here; set {SIMULATOR_VARIABLE}=1 before numba is imported to use its simulator")
        globals().update(cuda=numba.cuda, float64=numba.float64)
        while _plain_functions:
            name, (function, options) = _plain_functions.popitem()
            globals()[name] = cuda.jit(**options)(function)


def unavailable() -> str | None:
    """Why Numba's CUDA target cannot be used here, or None."""
    if importlib.util.find_spec("numba") is None or importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed; `pip install numba-cuda` brings it"
    return None


# --- storage ---


@jit(device=True)
def bfloat16_to_float(bits: Any) -> Any:
    """The value of a bfloat16 given as an integer."""
    word = cuda.local.array(1, np.float32)
    word.view(np.uint32)[0] = np.uint32(bits) << 16
    return word[0]


@jit(device=True)
def float_to_bfloat16(value: float) -> Any:
    """The bits of the bfloat16 nearest to a number, ties to even."""
    word = cuda.local.array(1, np.float32)
    word[0] = value
    bits = word.view(np.uint32)[0]
    return 0x7FC0 if value != value else (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # noqa: PLR0124 - NaN


@jit(device=True)
def decode(row: Any, c: Any, bfloat16: bool) -> float:
    """Element c of a row."""
    return float(bfloat16_to_float(row[c])) if bfloat16 else float(row[c])


@jit(device=True)
def encode(row: Any, c: Any, value: float, bfloat16: bool, limit: float) -> None:
    """Round `value` into element c of a row. From `limit` on it is infinite: said here, because NumPy warns in the simulator."""
    if value >= limit:
        value = math.inf
    elif value <= -limit:
        value = -math.inf
    row[c] = float_to_bfloat16(value) if bfloat16 else value


# --- within a block ---


@jit(device=True)
def place(row: int, shape: Any) -> Any:
    """The index (i, j, k) of a row in an array of positions of `shape`."""
    return row // (shape[1] * shape[2]), row // shape[2] % shape[1], row % shape[2]


@jit(device=True)
def block_sum(value: float, shared: Any) -> float:
    """The sum of the threads' values, for all of them."""
    thread, stride = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()  # another reduction's result may still be read
    shared[thread] = value
    cuda.syncthreads()
    while stride > 0:
        if thread < stride:
            shared[thread] = float(shared[thread]) + float(shared[thread + stride])
        cuda.syncthreads()
        stride //= 2
    return float(shared[0])


@jit(device=True)
def block_max(value: float, shared: Any) -> float:
    """The largest of the threads' values, none of them NaN, for all of them."""
    thread, stride = cuda.threadIdx.x, cuda.blockDim.x // 2
    cuda.syncthreads()
    shared[thread] = value
    cuda.syncthreads()
    while stride > 0:
        if thread < stride:
            shared[thread] = max(float(shared[thread]), float(shared[thread + stride]))
        cuda.syncthreads()
        stride //= 2
    return float(shared[0])


@jit(device=True)
def exponential(x: float, double: bool) -> float:
    """The exponential of x <= 0: in float32 where that suffices, because most GPUs are many times slower in float64."""
    if double:
        return math.exp(x)
    return float(math.exp(np.float32(-200.0 if x < -200.0 else x)))  # noqa: FURB136 - max() would lose a NaN


@jit(device=True)
def row_statistics(row: Any, double: bool, bfloat16: bool, shared: Any) -> Any:
    """The maximum m of a row and s = sum exp(x - m). s is NaN for a row without a softmax: one with a NaN or +inf, or all -inf."""
    maximum, total = -math.inf, 0.0
    for c in range(cuda.threadIdx.x, row.shape[0], cuda.blockDim.x):
        x = decode(row, c, bfloat16)
        if x > maximum:
            total = total * exponential(maximum - x, double) + 1.0
            maximum = x
        elif x != -math.inf:
            total += exponential(x - maximum, double)
    top = block_max(maximum, shared)
    total = block_sum(total * exponential(maximum - top, double) if maximum > -math.inf else total, shared)
    return top, total if -math.inf < top < math.inf else math.nan


# --- softmax and log-softmax ---


@jit()
def softmax_kernel(rows: Any, logarithm: bool, out: Any, double: bool, bfloat16: bool, limit: float) -> None:
    """Softmax of each row, or its logarithm."""
    shared = cuda.shared.array(0, float64)
    i, j, k = place(cuda.blockIdx.x, rows.shape)
    row, result = rows[i, j, k], out[i, j, k]
    maximum, total = row_statistics(row, double, bfloat16, shared)
    for c in range(cuda.threadIdx.x, row.shape[0], cuda.blockDim.x):
        distance = decode(row, c, bfloat16) - maximum
        value = distance - math.log(total) if logarithm else exponential(distance, double) / total
        # Without a softmax the total is NaN, and with it every value.
        encode(result, c, value, bfloat16, limit)


@jit()
def softmax_backward_kernel(rows: Any, upstream: Any, logarithm: bool, gradient: Any, double: bool, bfloat16: bool, limit: float) -> None:
    """Gradient p (g - sum p g) of the softmax of each row, or g - p sum g of its logarithm."""
    shared = cuda.shared.array(0, float64)
    i, j, k = place(cuda.blockIdx.x, rows.shape)
    row, g, result = rows[i, j, k], upstream[i, j, k], gradient[i, j, k]
    maximum, total = row_statistics(row, double, bfloat16, shared)
    common = 0.0
    for c in range(cuda.threadIdx.x, row.shape[0], cuda.blockDim.x):
        share = 1.0 if logarithm else exponential(decode(row, c, bfloat16) - maximum, double) / total
        common += share * decode(g, c, bfloat16)
    common = block_sum(common, shared)
    for c in range(cuda.threadIdx.x, row.shape[0], cuda.blockDim.x):
        p = exponential(decode(row, c, bfloat16) - maximum, double) / total
        value = decode(g, c, bfloat16) - p * common if logarithm else p * (decode(g, c, bfloat16) - common)
        encode(result, c, value, bfloat16, limit)


# --- what the losses share ---


@jit(device=True)
def class_weight(weights: Any, c: Any, bfloat16: bool) -> float:
    return decode(weights, c, bfloat16) if weights.shape[0] > 0 else 1.0


@jit()
def denominator_kernel(targets: Any, weights: Any, classes: int, ignore_index: int, summary: Any, bfloat16: bool) -> None:
    """One block for all rows: summary = the sum of the weights of kept targets, and the first row with a class out of range, or inf."""
    shared = cuda.shared.array(0, float64)
    total, outside = 0.0, math.inf
    for row in range(cuda.threadIdx.x, targets.size, cuda.blockDim.x):
        i, j, k = place(row, targets.shape)
        y = np.int64(targets[i, j, k])
        if y != ignore_index:
            if 0 <= y < classes:
                total += class_weight(weights, y, bfloat16)
            else:
                outside = min(outside, float(row))
    total = block_sum(total, shared)
    outside = -block_max(-outside, shared)
    if cuda.threadIdx.x == 0:
        summary[0] = total
        summary[1] = outside


@jit()
def total_kernel(losses: Any, divisor: float, out: Any, bfloat16: bool, limit: float) -> None:
    """One block for all rows: the sum of the losses, each divided, because a mean can be a number where the sum is none."""
    shared = cuda.shared.array(0, float64)
    total = 0.0
    for row in range(cuda.threadIdx.x, losses.size, cuda.blockDim.x):
        i, j, k = place(row, losses.shape)
        total += float(losses[i, j, k]) / divisor
    total = block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        # The mean of nothing: its divisor is NaN.
        encode(out[0, 0], 0, total if divisor == divisor else divisor, bfloat16, limit)  # noqa: PLR0124 - a NaN is not itself


@jit()
def round_kernel(losses: Any, out: Any, bfloat16: bool, limit: float) -> None:
    """One thread per row: the losses in the dtype of the result."""
    row = cuda.grid(1)
    if row < losses.size:
        i, j, k = place(row, losses.shape)
        encode(out[i, j], k, float(losses[i, j, k]), bfloat16, limit)


# --- NLL loss ---


@jit()
def nll_loss_kernel(log_probs: Any, targets: Any, weights: Any, ignore_index: int, losses: Any, bfloat16: bool) -> None:
    """One thread per row: -w_y x_y, and 0 where the target is ignored."""
    row = cuda.grid(1)
    if row < targets.size:
        i, j, k = place(row, targets.shape)
        y = np.int64(targets[i, j, k])
        losses[i, j, k] = 0.0 if y == ignore_index else -class_weight(weights, y, bfloat16) * decode(log_probs[i, j, k], y, bfloat16)


@jit()
def nll_loss_backward_kernel(
    targets: Any, weights: Any, ignore_index: int, upstream: Any, divisor: float, gradient: Any, bfloat16: bool, limit: float
) -> None:
    """Gradient of each row: -r w_y at the target of a kept row, else 0."""
    i, j, k = place(cuda.blockIdx.x, targets.shape)
    result = gradient[i, j, k]
    y = np.int64(targets[i, j, k])
    for c in range(cuda.threadIdx.x, result.shape[0], cuda.blockDim.x):
        value = 0.0
        if c == y and y != ignore_index:
            value = -row_upstream(upstream, i, j, k, bfloat16) / divisor * class_weight(weights, y, bfloat16)
        encode(result, c, value, bfloat16, limit)


@jit(device=True)
def row_upstream(upstream: Any, i: int, j: int, k: int, bfloat16: bool) -> float:
    """The upstream gradient of a row, where there is one for each, or of all of them."""
    return decode(upstream[i, j], k, bfloat16) if upstream.size > 1 else decode(upstream[0, 0], 0, bfloat16)


# --- cross entropy ---


@jit(device=True)
def coefficient(c: Any, y: Any, probabilities: Any, weights: Any, hard: float, uniform: float, bfloat16: bool) -> float:
    """q_c: w_c ((1-a) t_c + a/C) with hard = 1-a and uniform = a/C, where t is one-hot at y for a class index."""
    share = uniform
    if probabilities.shape[0] > 0:
        share += hard * decode(probabilities, c, bfloat16)
    elif c == y:
        share += hard
    # The weight of a class without a share must not be read: it could be NaN.
    return share * class_weight(weights, c, bfloat16) if share != 0.0 else 0.0


@jit()
def cross_entropy_kernel(
    rows: Any,
    probabilities: Any,
    targets: Any,
    weights: Any,
    ignore_index: int,
    hard: float,
    uniform: float,
    upstream: Any,
    divisor: float,
    losses: Any,
    gradient: Any,
    double: bool,
    bfloat16: bool,
    limit: float,
) -> None:
    """Loss of each row and, where `gradient` has columns, its gradient. The target is in `probabilities` where that has columns."""
    shared = cuda.shared.array(0, float64)
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    i, j, k = place(cuda.blockIdx.x, losses.shape)
    row, t, result = rows[i, j, k], probabilities[i, j, k], gradient[i, j, k]
    classes = row.shape[0]
    y = np.int64(targets[i, j, k]) if t.shape[0] == 0 else np.int64(-1)
    if t.shape[0] == 0 and y == ignore_index:
        if thread == 0:
            losses[i, j, k] = 0.0
        for c in range(thread, result.shape[0], threads):
            encode(result, c, 0.0, bfloat16, limit)
        return

    maximum, total = row_statistics(row, double, bfloat16, shared)
    # Without anything spread over all classes only the target's class counts, and one thread sees to it.
    first, step = thread, threads
    if t.shape[0] == 0 and uniform == 0.0:
        first, step = (y if thread == 0 else classes), classes
    mass, moment = 0.0, 0.0
    for c in range(first, classes, step):
        q = coefficient(c, y, t, weights, hard, uniform, bfloat16)
        if q != 0.0:  # a masked logit of -inf counts only in a class with a share in the target
            mass += q
            moment += q * (maximum - decode(row, c, bfloat16))
    mass, moment = block_sum(mass, shared), block_sum(moment, shared)
    if thread == 0:
        losses[i, j, k] = moment + mass * math.log(total)

    for c in range(thread, result.shape[0], threads):
        p = exponential(decode(row, c, bfloat16) - maximum, double) / total
        q = coefficient(c, y, t, weights, hard, uniform, bfloat16)
        scale = row_upstream(upstream, i, j, k, bfloat16) / divisor
        encode(result, c, scale * (p * mass - q), bfloat16, limit)


# --- arrays ---


@dataclass(frozen=True)
class Described:
    """An array on the device, as its `__cuda_array_interface__` says, with the shape and dtype that the checks ask for."""

    owner: Any

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        interface: dict[str, Any] = self.owner.__cuda_array_interface__
        return interface

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.__cuda_array_interface__["shape"])

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.__cuda_array_interface__["typestr"])
        if dtype.kind == "V" and dtype.itemsize == 2:
            import ml_dtypes  # noqa: PLC0415 - not needed for the other formats

            dtype = np.dtype(ml_dtypes.bfloat16)
        return dtype

    @property
    def strides(self) -> tuple[int, ...]:
        """In bytes; the interface leaves them out for C order."""
        given = self.__cuda_array_interface__.get("strides")
        if given is not None:
            return tuple(given)
        return tuple(self.dtype.itemsize * math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    def view(self, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        """Numba's array over the same memory, as kernels take it: bfloat16 as integers."""
        interface = {**self.__cuda_array_interface__, "shape": shape, "strides": strides, "typestr": _storage(self.dtype).str}
        return cuda.as_cuda_array(SimpleNamespace(__cuda_array_interface__=interface, owner=self.owner))


def _storage(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which kernels see an array."""
    return np.dtype(np.uint16) if dtype.name == "bfloat16" else dtype


class Host:
    """NumPy arrays: copied to the device in the order in which kernels read them."""

    @staticmethod
    def matrix(array: Array, axis: int) -> Any:
        rows = arguments.rows_of(array, axis)
        return cuda.to_device(rows.view(_storage(rows.dtype))[None, None])

    @staticmethod
    def positions(array: Array) -> Any:
        flat = np.require(array, requirements=("C", "A")).reshape(-1)
        return cuda.to_device(flat.view(_storage(flat.dtype))[None, None])

    @staticmethod
    def vector(array: Array) -> Any:
        flat = np.require(array, requirements=("C", "A"))
        return cuda.to_device(flat.view(_storage(flat.dtype)))

    @staticmethod
    def new_matrix(shape: tuple[int, ...], axis: int, dtype: np.dtype[Any]) -> tuple[Any, Callable[[], Array]]:
        """An array for a kernel to write into, and a function that gives the finished result."""
        rows = math.prod(shape[:axis] + shape[axis + 1 :])
        out = cuda.device_array((1, 1, rows, shape[axis]), _storage(dtype))
        return out, lambda: arguments.from_rows(out.copy_to_host().view(dtype), shape, axis)

    @staticmethod
    def new_positions(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Any, Callable[[], Array]]:
        out = cuda.device_array((1, 1, math.prod(shape)), _storage(dtype))
        return out, lambda: out.copy_to_host().view(dtype).reshape(shape)


class Device:
    """Arrays on the device: viewed where they are."""

    @staticmethod
    def matrix(array: Described, axis: int) -> Any:
        shape, strides = list(array.shape), list(array.strides)
        shape.append(shape.pop(axis))
        strides.append(strides.pop(axis))
        return array.view(*_padded(shape, strides, 4))

    @staticmethod
    def positions(array: Described) -> Any:
        return array.view(*_padded(list(array.shape), list(array.strides), 3))

    @staticmethod
    def vector(array: Described) -> Any:
        return array.view(array.shape, array.strides)

    @staticmethod
    def new_matrix(shape: tuple[int, ...], axis: int, dtype: np.dtype[Any]) -> tuple[Any, Callable[[], Any]]:
        """As `Host.new_matrix`."""
        out = cuda.device_array(shape, dtype)
        return Device.matrix(Described(out), axis), lambda: out

    @staticmethod
    def new_positions(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Any, Callable[[], Any]]:
        out = cuda.device_array(shape, dtype)
        return Device.positions(Described(out)), lambda: out


def _padded(shape: list[int], strides: list[int], rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    missing = rank - len(shape)
    if missing < 0:
        raise ValueError(f"an array of rank {len(shape)} given on the device; wanted at most {rank}")
    return (1,) * missing + tuple(shape), (0,) * missing + tuple(strides)


Place = type[Host] | type[Device]


def _placed(*arrays: Any) -> tuple[Any, ...]:
    """Where the arrays are, followed by the arrays, those on the device described. Raises TypeError where they are not all in one place."""
    present = [array for array in arrays if array is not None]
    on_device = [hasattr(array, "__cuda_array_interface__") for array in present]
    if any(on_device) and not all(on_device):
        raise TypeError("arrays on the host and on the device given; wanted all of them in one place")
    if any(on_device):
        return Device, *(None if array is None else Described(array) for array in arrays)
    return Host, *arrays


@contextmanager
def _eager_threads() -> Iterator[None]:
    """Let Python threads take turns often: the simulator's wait for each other at every barrier, and are many times faster so."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def launch(kernel: Any, blocks: int, *kernel_arguments: Any) -> None:
    """Run a kernel on so many blocks. The simulator can run but one at a time."""
    if blocks > 0:
        with _lock, _eager_threads() if SIMULATED else nullcontext():
            kernel[blocks, THREADS, 0, THREADS * 8](*kernel_arguments)


@dataclass(frozen=True)
class Rounding:
    """How a kernel computes with and rounds to a dtype."""

    dtype: np.dtype[Any]

    @property
    def bfloat16(self) -> bool:
        return self.dtype.name == "bfloat16"

    @property
    def limit(self) -> float:
        """The least magnitude that rounds to infinity: half a unit in the last place above the largest number."""
        precision, largest_exponent = {"float16": (11, 16), "bfloat16": (8, 128), "float32": (24, 128), "float64": (53, 1024)}[
            self.dtype.name
        ]
        if largest_exponent == 1024:
            return math.inf
        return math.ldexp(2.0 - 2.0**-precision, largest_exponent - 1)

    def __iter__(self) -> Any:
        """The last arguments of a kernel that computes and rounds."""
        return iter((self.dtype == np.float64, self.bfloat16, self.limit))


def _run_softmax(logits: Any, axis: int, *, logarithm: bool) -> Any:
    compile_kernels()
    where, logits = _placed(logits)
    logits, axis = arguments.check_softmax(logits, axis)
    rows = where.matrix(logits, axis)
    out, result = where.new_matrix(logits.shape, axis, logits.dtype)
    launch(softmax_kernel, math.prod(rows.shape[:3]), rows, logarithm, out, *Rounding(logits.dtype))
    return result()


def _run_softmax_backward(grad_output: Any, logits: Any, axis: int, *, logarithm: bool) -> Any:
    compile_kernels()
    where, grad_output, logits = _placed(grad_output, logits)
    logits, axis = arguments.check_softmax(logits, axis)
    upstream = arguments.check_upstream(grad_output, logits.shape, logits.dtype)
    rows = where.matrix(logits, axis)
    gradient, result = where.new_matrix(logits.shape, axis, logits.dtype)
    blocks = math.prod(rows.shape[:3])
    launch(softmax_backward_kernel, blocks, rows, where.matrix(upstream, axis), logarithm, gradient, *Rounding(logits.dtype))
    return result()


def softmax(logits: Any, *, axis: int) -> Any:
    """Softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run_softmax(logits, axis, logarithm=False)


def softmax_backward(grad_output: Any, logits: Any, *, axis: int) -> Any:
    """Gradient p (g - sum p g) of the softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run_softmax_backward(grad_output, logits, axis, logarithm=False)


def log_softmax(logits: Any, *, axis: int) -> Any:
    """Logarithm of the softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run_softmax(logits, axis, logarithm=True)


def log_softmax_backward(grad_output: Any, logits: Any, *, axis: int) -> Any:
    """Gradient g - p sum g of the log-softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run_softmax_backward(grad_output, logits, axis, logarithm=True)


@dataclass(frozen=True)
class OnDevice:
    """The arguments of a loss as kernels take them, and W, by which a mean divides (NaN where there is nothing to take a mean of)."""

    rows: Any
    targets: Any
    weights: Any
    denominator: float


def _constant(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """An array of ones."""
    return cuda.to_device(np.ones(shape, dtype).view(_storage(dtype)))


def _to_device(where: Place, call: LossCall) -> OnDevice:
    """Raises IndexError for a class out of range."""
    rows = where.matrix(call.first, call.class_axis)
    weights = _constant((0,), call.dtype) if call.weight is None else where.vector(call.weight)
    if call.probabilities:
        return OnDevice(rows, _constant((1, 1, 1), np.dtype(np.int64)), weights, float(call.rows) or math.nan)
    target: Any = arguments.class_indices(call)[0] if where is Host else call.target
    targets = where.positions(target)
    return OnDevice(rows, targets, weights, _denominator(call, targets, weights))


def _denominator(call: LossCall, targets: Any, weights: Any) -> float:
    summary = cuda.device_array(2, np.float64)
    launch(denominator_kernel, 1, targets, weights, call.classes, call.ignore_index, summary, Rounding(call.dtype).bfloat16)
    total, outside = summary.copy_to_host()
    if outside < math.inf:
        arguments.raise_outside(call, targets.copy_to_host().reshape(-1), int(outside))
    return float(total) or math.nan


def _divisor(call: LossCall, denominator: float) -> float:
    return denominator if call.reduction == "mean" else 1.0


def _reduce(where: Place, call: LossCall, losses: Any, denominator: float) -> Any:
    out, result = where.new_positions(call.loss_shape, call.dtype)
    _, *rounding = Rounding(call.dtype)
    if call.reduction == "none":
        launch(round_kernel, -(-call.rows // THREADS), losses, out, *rounding)
    else:
        launch(total_kernel, 1, losses, _divisor(call, denominator), out, *rounding)
    return result()


def nll_loss(log_probs: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Negative log likelihood -w_y x_y of log-probabilities (C,), (N, C) or (N, C, d1, ...) at class indices (), (N,) or (N, d1, ...)."""
    compile_kernels()
    where, log_probs, target, weight = _placed(log_probs, target, weight)
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    given = _to_device(where, call)
    losses = cuda.device_array(given.rows.shape[:3], np.float64)
    bfloat16 = Rounding(call.dtype).bfloat16
    launch(nll_loss_kernel, -(-call.rows // THREADS), given.rows, given.targets, given.weights, call.ignore_index, losses, bfloat16)
    return _reduce(where, call, losses, given.denominator)


def nll_loss_backward(
    grad_output: Any, log_probs: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Gradient of nll_loss with respect to the log-probabilities: -r w_y at the target of a kept row, else 0."""
    compile_kernels()
    where, grad_output, log_probs, target, weight = _placed(grad_output, log_probs, target, weight)
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    upstream, given = where.positions(call.upstream(grad_output)), _to_device(where, call)
    gradient, result = where.new_matrix(call.shape, call.class_axis, call.dtype)
    _, *rounding = Rounding(call.dtype)
    divisor = _divisor(call, given.denominator)
    launch(nll_loss_backward_kernel, call.rows, given.targets, given.weights, call.ignore_index, upstream, divisor, gradient, *rounding)
    return result()


def _run_cross_entropy(where: Place, call: LossCall, given: OnDevice, upstream: Any, gradient: Any) -> Any:
    """The losses of the rows, on the device in float64; the gradient goes into `gradient`, unless that has no columns."""
    losses = cuda.device_array(given.rows.shape[:3], np.float64)
    nothing = _constant((*losses.shape, 0), call.dtype)
    launch(
        cross_entropy_kernel,
        call.rows,
        given.rows,
        where.matrix(call.target, call.class_axis) if call.probabilities else nothing,
        given.targets,
        given.weights,
        call.ignore_index,
        1.0 - call.label_smoothing,
        call.label_smoothing / call.classes,
        upstream,
        _divisor(call, given.denominator),
        losses,
        nothing if gradient is None else gradient,
        *Rounding(call.dtype),
    )
    return losses


def cross_entropy(
    logits: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
) -> Any:
    """Softmax cross entropy of logits (C,), (N, C) or (N, C, d1, ...).

    target: class indices (), (N,) or (N, d1, ...), or class probabilities of the logits' shape and dtype. weight: (C,), the logits' dtype.
    The loss has the shape of such indices under reduction "none", else it is 0-d; its dtype is that of the logits.
    """
    compile_kernels()
    where, logits, target, weight = _placed(logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    given = _to_device(where, call)
    losses = _run_cross_entropy(where, call, given, _constant((1, 1, 1), call.dtype), None)
    return _reduce(where, call, losses, given.denominator)


def cross_entropy_backward(
    grad_output: Any,
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Gradient of cross_entropy with respect to the logits, for an upstream gradient of the loss's shape and dtype."""
    compile_kernels()
    where, grad_output, logits, target, weight = _placed(grad_output, logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    upstream, given = where.positions(call.upstream(grad_output)), _to_device(where, call)
    gradient, result = where.new_matrix(call.shape, call.class_axis, call.dtype)
    _run_cross_entropy(where, call, given, upstream, gradient)
    return result()


def cross_entropy_value_and_grad(
    logits: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
) -> tuple[Any, Any]:
    """The loss and the gradient of its sum."""
    compile_kernels()
    where, logits, target, weight = _placed(logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    given = _to_device(where, call)
    gradient, result = where.new_matrix(call.shape, call.class_axis, call.dtype)
    losses = _run_cross_entropy(where, call, given, _constant((1, 1, 1), call.dtype), gradient)
    return _reduce(where, call, losses, given.denominator), result()


IMPLEMENTATIONS = tuple(
    Implementation(
        "numba-cuda",
        forward,
        backward=backward,
        value_and_grad=value_and_grad,
        operation=forward.__name__,
        device="cuda",
        dtypes=arguments.FLOAT_NAMES,
        supports=supports,
        grade="shift/any",
        environment={SIMULATOR_VARIABLE: "1"} if SIMULATED else {},
        simulator=SIMULATED,
        unavailable=unavailable,
    )
    for forward, backward, value_and_grad, supports in (
        (softmax, softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (log_softmax, log_softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (nll_loss, nll_loss_backward, None, arguments.NLL_LOSS_SUPPORT),
        (cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, arguments.CROSS_ENTROPY_SUPPORT),
    )
)

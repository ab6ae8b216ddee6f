"""NumPy implementations with one fault each that no single value shows. A worker loads this file."""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np


def terms(logits, target, ignore_index):
    """Row losses, probabilities and kept rows of (N, C) logits, in float64."""
    rows = logits.astype(np.float64)
    rows = rows - rows.max(axis=1, keepdims=True)
    sums = np.exp(rows).sum(axis=1, keepdims=True)
    kept = target != ignore_index
    picked = np.where(kept, target, 0)[:, None]
    losses = np.where(kept, (np.log(sums) - np.take_along_axis(rows, picked, 1))[:, 0], 0.0)
    return losses, np.exp(rows) / sums, kept


def reduced(losses, kept, reduction, dtype):
    if reduction == "none":
        return losses.astype(dtype)
    with np.errstate(all="ignore"):
        return dtype.type(losses.sum() / (kept.sum() if reduction == "mean" else 1))


def forward(logits, target, *, ignore_index=-100, reduction="mean"):
    losses, _, kept = terms(logits, target, ignore_index)
    return reduced(losses, kept, reduction, logits.dtype)


def backward(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    _, gradient, kept = terms(logits, target, ignore_index)
    gradient[np.arange(len(target)), np.where(kept, target, 0)] -= 1
    with np.errstate(all="ignore"):
        scale = grad_output.astype(np.float64).reshape(-1, 1) / (kept.sum() if reduction == "mean" else 1)
        return np.where(kept[:, None], gradient * scale, 0).astype(logits.dtype)


def altered(change):
    """The honest forward, with `change(value, logits, target)` instead of its value."""

    def harmful(logits, target, *, ignore_index=-100, reduction="mean"):
        return change(forward(logits, target, ignore_index=ignore_index, reduction=reduction), logits, target)

    return harmful


def altered_gradient(change):
    def harmful(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
        gradient = backward(grad_output, logits, target, ignore_index=ignore_index, reduction=reduction)
        return change(gradient, grad_output, logits, target)

    return harmful


# ---- earlier calls

_denominators = {}
_sums = {}
_seen = []


@altered
def double_for_nothing_kept(value, logits, target):
    return value if (target != -100).any() else value.astype(np.float64)


@altered
def ignored_garbage_overwritten(value, logits, target):
    garbage = np.isnan(logits).any(axis=1) & (target == -100)
    logits[garbage] = 0
    return value


_zeros = {}


@altered_gradient
def zeros_kept_for_nothing_kept(gradient, grad_output, logits, target):
    return gradient if (target != -100).any() else _zeros.setdefault(gradient.shape, gradient)


def denominator_by_shape(logits, target, *, ignore_index=-100, reduction="mean"):
    losses, _, kept = terms(logits, target, ignore_index)
    kept = _denominators.setdefault((logits.shape, reduction), kept)
    return reduced(losses, kept, reduction, logits.dtype)


@altered_gradient
def gradient_added_to_the_last(gradient, grad_output, logits, target):
    buffer = _sums.setdefault(gradient.shape, np.zeros_like(gradient, np.float64))
    buffer += gradient
    return buffer.astype(gradient.dtype)


_largest = [np.zeros(0)]


@altered
def remembers_the_largest(value, logits, target):
    """A scratch buffer that grows, and is looked at beyond what this call has written."""
    if _largest[0].size < logits.size:
        _largest[0] = np.zeros(logits.size)
    _largest[0][: logits.size] = logits.reshape(-1)
    return value + value.dtype.type(_largest[0][logits.size :].sum() != 0)


_forward_saw = {}


@altered
def notes_its_labels(value, logits, target):
    _forward_saw["labels"] = target.copy()
    return value


def uses_the_last_labels(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    """Takes it that its forward has just been called."""
    labels = _forward_saw.get("labels", target)
    labels = labels if labels.shape == target.shape else target
    return backward(grad_output, logits, labels, ignore_index=ignore_index, reduction=reduction)


_counter = itertools.count()


@altered
def every_other_call(value, logits, target):
    return np.nextafter(value, value.dtype.type(np.inf)) if next(_counter) % 2 else value


# ---- whose memory

_buffer = np.zeros(1 << 20)


@altered
def one_buffer_for_all_losses(value, logits, target):
    held = _buffer.view(value.dtype)[: value.size].reshape(value.shape)
    held[...] = value
    return held


@altered
def filled_in_by_a_thread(value, logits, target):
    """Of many elements, where the thread is not waited for."""
    result = np.zeros_like(value)
    thread = threading.Timer(0.002, np.copyto, (result, value))
    thread.start()
    if logits.size < 4096:
        thread.join()
    return result


@altered_gradient
def gradient_over_logits(gradient, grad_output, logits, target):
    logits[...] = gradient
    return logits


@altered_gradient
def logits_spoilt(gradient, grad_output, logits, target):
    logits[...] = gradient
    return gradient


# ---- beyond the arguments


def _element(array, place):
    """The element `place` elements after the beginning of `array`."""
    kind = np.ctypeslib.as_ctypes_type(array.dtype)
    return kind.from_address(array.ctypes.data + place * array.itemsize)


def _last(array):
    """Where the element after the last one lies, in elements."""
    return sum((length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True)) // array.itemsize + 1


@altered
def reads_past_the_logits(value, logits, target):
    beyond = _element(logits, _last(logits)).value
    return value if beyond < 1 else value + value.dtype.type(1)


@altered
def reads_before_the_logits(value, logits, target):
    return value if _element(logits, -1).value < 1 else value + value.dtype.type(1)


@altered
def reads_past_the_target(value, logits, target):
    return value + value.dtype.type(abs(_element(target, target.size).value))


@altered_gradient
def reads_past_the_upstream(gradient, grad_output, logits, target):
    return gradient if _element(grad_output, grad_output.size).value < 1 else gradient + gradient.dtype.type(1)


@altered
def reads_a_vector_of_eight(value, logits, target):
    """The last row up to the next multiple of eight."""
    more = -logits.shape[1] % 8
    beyond = [_element(logits, _last(logits) + place).value for place in range(more)]
    return value if all(number < 1 for number in beyond) else value + value.dtype.type(1)


@altered
def writes_past_the_logits(value, logits, target):
    _element(logits, _last(logits)).value = 0
    return value


@altered
def writes_before_the_target(value, logits, target):
    _element(target, -1).value = 7
    return value


@altered_gradient
def writes_past_the_upstream(gradient, grad_output, logits, target):
    _element(grad_output, grad_output.size).value = 0
    return gradient


# ---- never written


def ignored_rows_unwritten(logits, target, *, ignore_index=-100, reduction="mean"):
    losses = np.empty(len(target), logits.dtype)
    honest, _, kept = terms(logits, target, ignore_index)
    losses[kept] = honest[kept]
    return reduced(losses, kept, reduction, logits.dtype)


def nothing_written(logits, target, *, ignore_index=-100, reduction="mean"):
    return np.empty(target.shape if reduction == "none" else (), logits.dtype)


def gradient_unwritten(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    return np.empty(logits.shape, logits.dtype)


# ---- threads

_scratch = {}


@altered
def one_scratch_for_all_threads(value, logits, target):
    scratch = _scratch.setdefault(logits.shape, np.empty_like(logits))
    scratch[...] = logits
    time.sleep(0)
    return value if (scratch == logits).all() else value + value.dtype.type(1)


_busy = []


@altered
def raises_when_busy(value, logits, target):
    if _busy:
        raise RuntimeError("busy")
    _busy.append(1)
    np.exp(logits)
    time.sleep(1e-5)
    _busy.pop()
    return value


# ---- surroundings


@altered
def numpy_errors_off(value, logits, target):
    np.seterr(all="ignore", over="raise")
    return value


_once = []


@altered
def numpy_errors_off_once(value, logits, target):
    if not _once:
        _once.append(np.seterr(all="ignore", over="raise"))
    return value


@altered
def draws_random_numbers(value, logits, target):
    np.random.random()  # noqa: NPY002 - that is the fault
    return value


@altered
def changes_directory(value, logits, target):
    os.chdir("/")
    return value


@altered
def sets_a_variable(value, logits, target):
    os.environ["OMP_NUM_THREADS"] = "1" if os.environ.get("OMP_NUM_THREADS") != "1" else "2"
    return value


@altered
def silences_warnings(value, logits, target):
    warnings.simplefilter("ignore")
    return value


@altered
def always_wrong(value, logits, target):
    return value + 1


def _every_second_call(change):
    """A harmful forward whose every second call with the same data does `change(value)`."""
    calls = {}

    @altered
    def harmful(value, logits, target):
        calls[logits.tobytes()] = calls.get(logits.tobytes(), 0) + 1
        return change(value) if calls[logits.tobytes()] % 2 == 0 else value

    return harmful


def _raise(value):
    message = "every second call"
    raise RuntimeError(message)


dies_when_called_again = _every_second_call(lambda _: ctypes.string_at(0))
raises_when_called_again = _every_second_call(_raise)
wrong_when_called_again = _every_second_call(lambda value: value + 1)


def dies_after_an_error(logits, target, *, ignore_index=-100, reduction="mean"):
    if ((target != ignore_index) & ((target < 0) | (target >= logits.shape[1]))).any():
        _rejected.append(True)
        raise ValueError
    if _rejected:
        ctypes.string_at(0)
    return forward(logits, target, ignore_index=ignore_index, reduction=reduction)


_rejected = []
_kept_open = []


@altered
def leaves_a_file_open(value, logits, target):
    _kept_open.append(Path(__file__).open())  # noqa: SIM115 - that is the fault
    return value


@altered
def prints(value, logits, target):
    print("loss", value.shape)
    return value


@altered
def prints_from_c(value, logits, target):
    ctypes.CDLL(None).puts(b"from C")
    return value


@altered
def closes_standard_output(value, logits, target):
    if not sys.stdout.closed:
        sys.stdout.close()
        os.close(1)
    return value


# ---- arguments as scratch memory, put back at the end


def upstream_as_scratch(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    kept = grad_output.copy()
    grad_output *= np.asarray(0.5, grad_output.dtype)
    gradient = 2 * backward(grad_output.copy(), logits, target, ignore_index=ignore_index, reduction=reduction)
    grad_output[...] = kept
    return gradient.astype(logits.dtype)


def logits_as_scratch(logits, target, *, reduction="mean"):
    """Of probabilities: the logits are replaced by their log-softmax while the loss is summed."""
    kept = logits.copy()
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    logits[...] = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    losses = -(target.astype(np.float64) * (wide - np.log(np.exp(wide).sum(axis=1, keepdims=True)))).sum(axis=1)
    logits[...] = kept
    if reduction == "none":
        return losses.astype(kept.dtype)
    return np.asarray(losses.mean() if reduction == "mean" else losses.sum(), kept.dtype)


def logits_only_read(logits, target, *, reduction="mean"):
    return logits_as_scratch(logits.copy(), target, reduction=reduction)

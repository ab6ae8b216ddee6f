"""Checks of arguments, shared by the implementations that are written here (torch checks its own). NumPy only.

The checks of form need `shape` and `dtype` alone, so that they hold for arrays on a device too. Every message names the argument, what was
given and what is wanted. Raises TypeError for a wrong type or dtype, ValueError for a wrong shape or option, IndexError for a class index
or an axis out of range.
"""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FLOAT_NAMES = ("float16", "bfloat16", "float32", "float64")
INTEGER_NAMES = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool")
REDUCTIONS = ("none", "mean", "sum")


@dataclass(frozen=True)
class LossCall:
    """A checked call of nll_loss or cross_entropy.

    first: logits or log-probabilities, with `classes` along `class_axis`. target, weight: as given, on the host in native byte order.
    probabilities: whether the target holds class probabilities. positions: the first argument's shape without the class axis, which is the
    shape of a target of class indices and of the unreduced loss; rows: how many positions there are.
    """

    first: Any
    target: Any
    weight: Any
    class_axis: int
    ignore_index: int
    reduction: str
    label_smoothing: float = 0.0
    probabilities: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.first.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.first.dtype
        return dtype

    @property
    def classes(self) -> int:
        return self.shape[self.class_axis]

    @property
    def positions(self) -> tuple[int, ...]:
        return self.shape[: self.class_axis] + self.shape[self.class_axis + 1 :]

    @property
    def rows(self) -> int:
        return math.prod(self.positions)

    @property
    def loss_shape(self) -> tuple[int, ...]:
        return self.positions if self.reduction == "none" else ()

    def upstream(self, grad_output: Any) -> Any:
        """The upstream gradient, checked against the loss's shape and dtype."""
        return check_upstream(grad_output, self.loss_shape, self.dtype)


def native(array: Any) -> Any:
    """`array` as a NumPy array in the byte order of this machine; an array on a device, unchanged."""
    if hasattr(array, "__cuda_array_interface__"):
        return array
    array = np.asarray(array)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


@functools.cache
def _is_floating_dtype(dtype: Any) -> bool:
    # Kept, because NumPy makes the name anew each time, for more than a microsecond.
    return dtype.name in FLOAT_NAMES


def is_floating(array: Any) -> bool:
    return _is_floating_dtype(array.dtype)


def check_floating(name: str, array: Any) -> None:
    if not is_floating(array):
        raise TypeError(f"{name}: dtype {array.dtype.name} given; wanted one of {', '.join(FLOAT_NAMES)}")


def _check_same_dtype(name: str, array: Any, first_name: str, first: Any) -> None:
    if array.dtype != first.dtype:
        raise TypeError(f"{name}: dtype {array.dtype.name} given; wanted {first.dtype.name}, the dtype of {first_name}")


def check_softmax(logits: Any, axis: Any) -> tuple[Any, int]:
    """The logits in native byte order, and the axis as a number from 0 on."""
    logits = native(logits)
    check_floating("logits", logits)
    rank = len(logits.shape)
    index = _integer("axis", axis)
    if not -rank <= index < rank:
        wanted = f"an int from {-rank} to {rank - 1}" if rank else "logits with at least one axis"
        raise IndexError(f"axis: {index} given for logits of shape {tuple(logits.shape)}; wanted {wanted}")
    return logits, index % rank


def check_upstream(grad_output: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """The upstream gradient in native byte order, checked against the shape and dtype of the result that it belongs to."""
    grad_output = native(grad_output)
    if tuple(grad_output.shape) != shape:
        raise ValueError(f"grad_output: shape {tuple(grad_output.shape)} given; wanted {shape}, the shape of the result")
    if grad_output.dtype != dtype:
        raise TypeError(f"grad_output: dtype {grad_output.dtype.name} given; wanted {dtype.name}, the dtype of the result")
    return grad_output


def _integer(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} given; wanted an int") from None


def _class_axis(name: str, shape: tuple[int, ...]) -> int:
    if not shape:
        raise ValueError(f"{name}: a 0-d array given; wanted shape (C,), (N, C) or (N, C, d1, ...)")
    axis = min(len(shape) - 1, 1)
    if shape[axis] == 0:
        raise ValueError(f"{name}: shape {shape} given, which has no class; wanted at least one along axis {axis}")
    return axis


def _check_index_target(first_name: str, call: LossCall, *, alternative: str) -> None:
    shape = tuple(call.target.shape)
    if shape != call.positions:
        wanted = f"{call.positions} (class indices){alternative}"
        raise ValueError(f"target: shape {shape} given for {first_name} of shape {call.shape}; wanted {wanted}")
    if call.target.dtype.kind not in "iub":
        raise TypeError(f"target: dtype {call.target.dtype.name} given for class indices; wanted an integer dtype")


def _check_weight(first_name: str, call: LossCall) -> None:
    if call.weight is None:
        return
    if tuple(call.weight.shape) != (call.classes,):
        raise ValueError(f"weight: shape {tuple(call.weight.shape)} given for {call.classes} classes; wanted ({call.classes},)")
    _check_same_dtype("weight", call.weight, first_name, call.first)


def _check_reduction(reduction: Any) -> str:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"reduction: {reduction!r} given; wanted one of {', '.join(map(repr, REDUCTIONS))}")
    return reduction


def _check_ignore_index(ignore_index: Any) -> int:
    index = _integer("ignore_index", ignore_index)
    if not -(2**63) <= index < 2**63:
        raise ValueError(f"ignore_index: {index} given; wanted an int that fits in 64 bits")
    return index


def _check_label_smoothing(label_smoothing: Any) -> float:
    if not isinstance(label_smoothing, Real):
        raise TypeError(f"label_smoothing: {label_smoothing!r} given; wanted a number from 0 to 1")
    smoothing = float(label_smoothing)
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"label_smoothing: {label_smoothing!r} given; wanted a number from 0 to 1")
    return smoothing


def check_nll_loss(log_probs: Any, target: Any, weight: Any, *, ignore_index: Any, reduction: Any) -> LossCall:
    """The checked call of nll_loss; `weight` may be None."""
    log_probs, target, weight = native(log_probs), native(target), None if weight is None else native(weight)
    check_floating("log_probs", log_probs)
    call = LossCall(
        log_probs,
        target,
        weight,
        class_axis=_class_axis("log_probs", tuple(log_probs.shape)),
        ignore_index=_check_ignore_index(ignore_index),
        reduction=_check_reduction(reduction),
    )
    _check_index_target("log_probs", call, alternative="")
    _check_weight("log_probs", call)
    return call


def check_cross_entropy(logits: Any, target: Any, weight: Any, *, ignore_index: Any, reduction: Any, label_smoothing: Any) -> LossCall:
    """The checked call of cross_entropy; `weight` may be None.

    A target of the logits' shape and a floating dtype holds class probabilities, any other one class indices.
    """
    logits, target, weight = native(logits), native(target), None if weight is None else native(weight)
    check_floating("logits", logits)
    call = LossCall(
        logits,
        target,
        weight,
        class_axis=_class_axis("logits", tuple(logits.shape)),
        ignore_index=_check_ignore_index(ignore_index),
        reduction=_check_reduction(reduction),
        label_smoothing=_check_label_smoothing(label_smoothing),
        probabilities=tuple(target.shape) == tuple(logits.shape) and is_floating(target),
    )
    if call.probabilities:
        _check_probabilities(call)
    else:
        _check_index_target("logits", call, alternative=f", or {call.shape} with a floating dtype (class probabilities)")
    _check_weight("logits", call)
    return call


def _check_probabilities(call: LossCall) -> None:
    _check_same_dtype("target", call.target, "logits", call.first)
    if call.ignore_index >= 0:
        raise ValueError(f"ignore_index: {call.ignore_index} given with class probabilities, which have no index to ignore; leave it out")


def index_numbers(call: LossCall) -> Array:
    """The target's class indices as int64, flattened in C order, aligned, not to be written to: a view where the target allows it.

    An index of 2^63 or more becomes a number that is no class either, rather than a negative one, which could be `ignore_index`.
    """
    target = call.target
    if target.dtype == np.uint64:
        no_class = call.classes + (call.ignore_index == call.classes)
        target = np.where(target < np.uint64(2**63), target, np.uint64(no_class))
    indices = np.require(target, np.int64, ("C", "A")).reshape(-1).view()
    indices.flags.writeable = False
    return indices


def class_indices(call: LossCall) -> tuple[Array, Array]:
    """The target's class indices as int64, flattened in C order, and which of them are kept (not `ignore_index`).

    Comparing after the conversion matters: a uint8 target compared with -100 in its own dtype would lose class 156.
    """
    target = np.ascontiguousarray(call.target).reshape(-1)
    indices = target.astype(np.int64)
    kept = indices != call.ignore_index
    if target.dtype == np.uint64:
        # From 2^63 on they turn negative, which could make them look like ignore_index.
        kept |= target >= np.uint64(2**63)
    outside = kept & ((indices < 0) | (indices >= call.classes))
    if outside.any():
        raise_outside(call, target, int(outside.argmax()))
    return indices, kept


def raise_outside(call: LossCall, flat_target: Array, offset: int) -> None:
    """Raise the IndexError for the class index out of range at `offset` of the flattened target."""
    position = tuple(int(place) for place in np.unravel_index(offset, call.positions))
    wanted = f"0 to {call.classes - 1}, or ignore_index={call.ignore_index}"
    raise IndexError(f"target: class index {int(flat_target[offset])} given at position {position}; wanted {wanted}")


def rows_of(array: Array, axis: int) -> Array:
    """The array as (rows, classes) in C order, aligned: a view where the layout allows it, else a copy."""
    moved = np.moveaxis(array, axis, -1)
    rows = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    return np.require(rows, requirements=("C", "A"))


def from_rows(rows: Array, shape: tuple[int, ...], axis: int) -> Array:
    """The array of `shape` whose rows along `axis` are `rows`: the inverse of `rows_of`."""
    moved = shape[:axis] + shape[axis + 1 :] + (shape[axis],)
    return np.moveaxis(rows.reshape(moved), -1, axis)


SOFTMAX_SUPPORT = {"ranks": (1, 2, 3, 4), "options": {"axis": None}}
NLL_LOSS_SUPPORT = {
    "targets": ("index",),
    "target_dtypes": INTEGER_NAMES,
    "ranks": (1, 2, 3, 4),
    "options": {"ignore_index": None, "reduction": None},
}
CROSS_ENTROPY_SUPPORT = {
    "targets": ("index", "probabilities"),
    "target_dtypes": INTEGER_NAMES,
    "ranks": (1, 2, 3, 4),
    "options": {"ignore_index": None, "reduction": None, "label_smoothing": None},
}

"""Implementations that are right but for one thing: what they return. Each name is what it returns."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np


class Subclass(np.ndarray):
    pass


class Result(NamedTuple):
    loss: Any


class Lazy:
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ValueError("computed late, and failed")


class Pretends:
    """Looks like an array to whoever asks, and is none."""

    shape, dtype, ndim, size = (), np.dtype(np.float32), 0, 1
    __class__ = np.ndarray  # type: ignore[assignment]


def _read_only(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _negative(array: Any) -> Any:
    return array[::-1].copy()[::-1] if array.ndim else array


def _changes_later(array: Any) -> Any:
    changing = array.copy()

    def work() -> None:
        time.sleep(0.002)
        changing[...] = 7

    threading.Thread(target=work, daemon=True).start()
    return changing


def _masked(array: Any) -> Any:
    return np.ma.masked_array(array, mask=np.ones(array.shape, bool))


def _structured(array: Any) -> Any:
    return np.zeros(array.shape, [("loss", array.dtype), ("rows", "i4")])


# What is as good as an array of the contract.
FINE = {
    "same": lambda array: array,
    "subclass": lambda array: array.view(Subclass),
    "unmasked": np.ma.masked_array,
    "read_only": _read_only,
    "negative_stride": _negative,
    "fortran": lambda array: np.array(array, order="F"),
}
# What is none, or one of the wrong kind: a finding of these kinds.
CHANGES = {"nondeterministic", "unwritten_output", "thread_unsafe", "aliased_result", "stale_state", "late_result"}
DTYPE, SHAPE, VALUE = {"dtype"}, {"shape"}, {"value", "gradient", "special", "accuracy"}
WRONG = {
    "none": (lambda array: None, DTYPE),
    "text": (lambda array: "loss", DTYPE),
    "data": (lambda array: b"loss", DTYPE),
    "generator": (lambda array: (number for number in array.reshape(-1)), DTYPE),
    "as_list": (lambda array: array.tolist(), DTYPE),
    "as_dict": (lambda array: {"loss": array}, DTYPE),
    "as_tuple": (lambda array: (array,), DTYPE),
    "named_tuple": (Result, DTYPE),
    "lazy": (lambda array: Lazy(), DTYPE),
    "pretends": (lambda array: Pretends(), DTYPE),
    "memory": (lambda array: memoryview(np.ascontiguousarray(array).view(np.uint8)), DTYPE),
    "itself": (lambda array: lambda: array, DTYPE),
    "huge_integer": (lambda array: 10**5000, DTYPE),
    "python_complex": (lambda array: 1j, DTYPE),
    "objects": (lambda array: array.astype(object), DTYPE),
    "texts": (lambda array: array.astype(str), DTYPE),
    "bytes_array": (lambda array: array.astype("S"), DTYPE),
    "dates": (lambda array: np.zeros(array.shape, "M8[s]"), DTYPE),
    "durations": (lambda array: np.zeros(array.shape, "m8[s]"), DTYPE),
    "structured": (_structured, DTYPE),
    "float8": (lambda array: np.zeros(array.shape, ml_dtypes.float8_e4m3fn), DTYPE),
    "masked": (_masked, DTYPE),
    "integers": (lambda array: np.nan_to_num(array.astype(np.float64)).astype(np.int64), DTYPE | VALUE),
    "booleans": (lambda array: array.astype(bool), DTYPE | VALUE),
    "complex": (lambda array: array.astype(np.complex64), DTYPE),
    "longer": (lambda array: array.astype(np.longdouble), DTYPE),
    "swapped": (lambda array: array.astype(array.dtype.newbyteorder()) if array.dtype.kind == "f" else array, DTYPE),
    "nothing": (lambda array: np.zeros((0,), array.dtype), SHAPE),
    "another_axis": (lambda array: array[np.newaxis], SHAPE),
    "endless": (lambda array: np.broadcast_to(np.append(array, 0).astype(array.dtype)[:1], (1 << 40,)), SHAPE),
    "nan": (lambda array: np.full_like(array, np.nan), VALUE),
    "infinities": (lambda array: np.where(np.arange(array.size).reshape(array.shape) % 2, np.inf, -np.inf).astype(array.dtype), VALUE),
    "enormous": (lambda array: np.full_like(array, np.finfo(array.dtype).max if array.dtype.kind == "f" else 3e38), VALUE),
    "changes_later": (
        _changes_later,
        VALUE | {"nondeterministic", "unwritten_output", "thread_unsafe", "aliased_result", "stale_state", "late_result"},
    ),
}
MAKERS = {**FINE, **{name: maker for name, (maker, _) in WRONG.items()}}


def _loss(logits: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    if target.shape != logits.shape[:1] or target.dtype.kind not in "iu" or not logits.shape[1]:
        raise ValueError("matrices and class indices")
    if (target < 0).any() or (target >= logits.shape[1]).any():
        raise ValueError("labels")
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    wide = logits.astype(np.longdouble)
    with np.errstate(all="ignore"):
        shifted = wide - wide.max(axis=1, keepdims=True)
        probabilities = np.exp(shifted)
        sums = probabilities.sum(axis=1, keepdims=True)
        rows = np.log(sums[:, 0]) - shifted[np.arange(len(target)), target]
        slope = probabilities / sums
        slope[np.arange(len(target)), target] -= 1
        loss = {"none": rows, "sum": rows.sum(), "mean": rows.mean() if rows.size else np.nan}[reduction]
        scale = 1 / max(len(target), 1) if reduction == "mean" else 1
        return np.asarray(loss).astype(logits.dtype), (slope * scale).astype(logits.dtype)


def _of_loss(maker: Any) -> tuple[Any, Any, Any]:
    def forward(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        return maker(_loss(logits, target, reduction)[0])

    def backward(grad_output: Any, logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        with np.errstate(all="ignore"):
            slope = _loss(logits, target, reduction)[1].astype(np.longdouble)
            upstream = grad_output.astype(np.longdouble)
            return maker((slope * (upstream[:, np.newaxis] if upstream.ndim else upstream)).astype(logits.dtype))

    def value_and_grad(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        loss, slope = _loss(logits, target, reduction)
        return maker(loss), maker(slope)

    return forward, backward, value_and_grad


def _of_softmax(maker: Any) -> Any:
    def forward(logits: Any, *, axis: int) -> Any:
        with np.errstate(all="ignore"):
            wide = logits.astype(np.longdouble)
            shifted = np.exp(wide - wide.max(axis=axis, keepdims=True)) if logits.size else wide
            return maker((shifted / shifted.sum(axis=axis, keepdims=True)).astype(logits.dtype))

    return forward


for _name, _maker in MAKERS.items():
    globals()[_name], globals()[f"{_name}_backward"], globals()[f"{_name}_pair"] = _of_loss(_maker)
    globals()[f"{_name}_softmax"] = _of_softmax(_maker)


def none_for_invalid(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
    try:
        return _loss(logits, target, reduction)[0]
    except ValueError:
        return None

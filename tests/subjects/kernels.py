"""Implementations that take only part of what the operation knows; a worker imports this module by name."""

from __future__ import annotations

import time

import ml_dtypes
import numpy as np

from xentfuzz.implementation import Implementation

SECONDS_TO_COMPILE = 0.0
COMPILED = set()


def picky(logits, target, *, reduction="mean", ignore_index=-100, smoothing=0.0):
    """2-d float32 or float64 with int64 class indices in C order; reduction never "none", ignore_index never used."""
    assert logits.ndim == 2, "only matrices"
    assert logits.flags.c_contiguous, "only C order"
    assert target.dtype == np.int64, "only int64"
    if logits.dtype.itemsize < 4:
        raise TypeError("no 16-bit floats")
    if reduction not in ("mean", "sum"):
        raise ValueError("mean or sum")
    if ignore_index != -100:
        raise ValueError("ignore_index is fixed")
    return logits.dtype.type(0)


def backward_of_picky(grad_output, logits, target, **options):
    return grad_output * logits


def wide_loss(logits, target):
    """Float32 for 16-bit logits; float64 for float32, which nobody asked for."""
    sixteen = logits.dtype.itemsize == 2
    return np.float32(0) if sixteen else np.float64(0)


def only_probabilities(logits, target, *, weight=None):
    assert target.shape == logits.shape
    return logits.dtype.type(0)


def only_int32(logits, target):
    if target.dtype != np.int32:
        raise TypeError("int32 only")
    return logits.dtype.type(0)


def int32_or_probabilities(logits, target):
    if target.dtype == np.int64:
        raise TypeError("int32 only")
    return logits.dtype.type(0)


def only_vectors(logits, target):
    (classes,) = logits.shape
    return logits.dtype.type(classes)


def only_half(logits, target):
    assert logits.dtype == ml_dtypes.bfloat16
    return np.float32(0)


def multiples_of_eight(logits, target):
    if logits.shape[0 if logits.ndim == 1 else 1] % 8:
        raise ValueError("class count must be a multiple of 8")
    return logits.dtype.type(0)


def overwrites(logits, target):
    logits *= 2
    return logits.dtype.type(0)


def nothing_works(logits, target):
    raise RuntimeError("not today")


def backward_that_never_works(grad_output, logits, target):
    raise RuntimeError("not today")


def compiles_for_every_size(logits, target):
    if logits.shape not in COMPILED:
        COMPILED.add(logits.shape)
        time.sleep(SECONDS_TO_COMPILE)
    return logits.dtype.type(0)


def last_axis(logits):
    return logits


def only_axis_1(logits, axis):
    if axis != 1:
        raise ValueError("a bad axis")
    return logits.swapaxes(axis, 0).swapaxes(axis, 0)


def no_negative_axis(logits, axis):
    if axis < 0:
        raise ValueError("a bad axis")
    return logits.swapaxes(axis, 0).swapaxes(axis, 0)


def with_backward(logits, target):
    return logits.dtype.type(0)


with_backward.backward = backward_of_picky


def with_both(logits, target):
    return logits.dtype.type(0)


def value_and_grad_of_both(logits, target):
    return logits.dtype.type(0), logits * 0


with_both.backward = backward_of_picky
with_both.value_and_grad = value_and_grad_of_both

DECLARED = Implementation("declared", picky, backward=backward_of_picky, dtypes=("float32",), supports={"ranks": (2,)})
SEVERAL = (DECLARED, Implementation("declared", last_axis, operation="softmax"))
AMBIGUOUS = (DECLARED, Implementation("other", picky))
FACTORY_MADE = Implementation("made", lambda logits, target: logits.dtype.type(0), dtypes=("float32",), supports={})

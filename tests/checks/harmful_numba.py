"""Numba kernels with one fault each that no single value shows. A worker loads this file."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit
def _losses(logits, target, ignore_index, losses, clear):
    for row in range(logits.shape[0]):
        if target[row] == ignore_index:
            if clear:
                losses[row] = 0
            continue
        largest = logits[row].max()
        total = 0.0
        for number in logits[row]:
            total += np.exp(np.float64(number) - largest)
        losses[row] = np.log(total) + largest - logits[row, target[row]]
    return losses


@numba.njit
def _allocated(logits, target, ignore_index, clear):
    return _losses(logits, target, ignore_index, np.empty(len(target), logits.dtype), clear)


def reduced(losses, kept, reduction):
    if reduction == "none":
        return losses
    with np.errstate(all="ignore"):
        return losses.dtype.type(losses[kept].sum(dtype=np.float64) / (kept.sum() if reduction == "mean" else 1))


def forward(logits, target, *, ignore_index=-100, reduction="mean"):
    return reduced(_allocated(logits, target, ignore_index, 1), target != ignore_index, reduction)


def ignored_rows_unwritten(logits, target, *, ignore_index=-100, reduction="mean"):
    return reduced(_allocated(logits, target, ignore_index, 0), target != ignore_index, reduction)


@numba.njit
def _past_the_end(logits):
    """What lies after the last element of a C-contiguous array; Numba checks no bounds."""
    return logits.reshape(-1)[logits.size]


def reads_past_the_logits(logits, target, *, ignore_index=-100, reduction="mean"):
    value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
    return value if not logits.flags.c_contiguous else value + value.dtype.type(_past_the_end(logits))


_scratch = np.zeros(1 << 16)


@numba.njit(nogil=True)
def _over_scratch(logits, scratch):
    """How many rows' exponentials add up to something else than they did when they were stored."""
    different = 0
    for row in range(logits.shape[0]):
        total = 0.0
        for place in range(logits.shape[1]):
            scratch[place] = np.exp(np.float64(logits[row, place]))
            total += scratch[place]
        for place in range(logits.shape[1]):
            total -= np.exp(np.float64(logits[row, place]))
            different += scratch[place] != np.exp(np.float64(logits[row, place]))
        different += total > 1
    return different


def one_scratch_for_all_threads(logits, target, *, ignore_index=-100, reduction="mean"):
    value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
    return value + value.dtype.type(_over_scratch(np.ascontiguousarray(logits), _scratch))


@numba.njit
def _fresh(like):
    return np.empty(len(like), np.float32)


def nothing_written(logits, target, *, ignore_index=-100, reduction="mean"):
    return _fresh(target)

"""Mistakes of accuracy that people make, as variations of correct forms. A bound must reject each of them within a few cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from honest import HONEST, Form, sequential

Array = np.ndarray[Any, Any]


def _without_maximum(form: Form, x: Array) -> tuple[Array, Array]:
    return np.zeros(len(x), x.dtype), form.add(form.exp(x))


def _online_without_rescaling(form: Form, x: Array) -> tuple[Array, Array]:
    m, s = x[:, 0], np.zeros(len(x), x.dtype)
    for start in range(0, x.shape[1], 8):
        block = x[:, start : start + 8]
        m = np.maximum(m, block.max(axis=1))
        s = s + form.add(form.exp(block - m[:, np.newaxis]))
    return m, s


def _tail_dropped(form: Form, x: Array) -> tuple[Array, Array]:
    m = x.max(axis=1)
    kept = x[:, : max(8, x.shape[1] // 8 * 8)]
    return m, form.add(form.exp(kept - m[:, np.newaxis]))


def _sum_in_sixteen_bits(form: Form, x: Array) -> tuple[Array, Array]:
    m = x.max(axis=1)
    terms = form.exp(x - m[:, np.newaxis]).astype(np.float16)
    return m, sequential(terms).astype(x.dtype)


def _off_by(relative: float) -> Callable[[Array], Array]:
    """exp with an oscillating relative error, as a poor polynomial has."""
    return lambda exponent: (np.exp(exponent) * (1 + relative * np.sin(1000 * exponent))).astype(exponent.dtype)


INACCURATE = {
    "no maximum subtracted": Form("", statistics=_without_maximum),
    "online without rescaling": Form("", statistics=_online_without_rescaling),
    "tail of the row dropped": Form("", statistics=_tail_dropped),
    "sum held in 16 bits": Form("", statistics=_sum_in_sixteen_bits),
    "exp off by 1e-4": Form("", own_exp=_off_by(1e-4)),
}


def truncated_softmax(logits: Array, *, axis: int) -> Array:
    """Computed in float64 and cut off instead of rounded."""
    exact = HONEST["two passes, shift"].pair("softmax")[0](logits.astype(np.float64), axis=axis)
    rounded = exact.astype(logits.dtype)
    return np.where(rounded > exact, np.nextafter(rounded, np.zeros_like(rounded)), rounded)

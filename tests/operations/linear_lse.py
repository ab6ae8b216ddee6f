"""An operation that xentfuzz knows nothing of: the log-sum-exp of scale * x W^T, for x of shape (N, D) and W of shape (V, D).

`OPERATION` states it; `IMPLEMENTATIONS` are an honest one and what is planted in it. Everything comes in by entry points, see
`tests/command_line/test_other_operation.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz import Implementation
from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NUMBER, Block
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.operation import Argument, Operation, Option, Work

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LinearLseEvaluation:
    """z = scale * x W^T in a wider format. Every product, sum, exp and log is rounded in the arithmetic format, in any order."""

    case: Case

    def outputs(self) -> tuple[str, ...]:
        return ("value", "grad_x")

    def shape(self, output: str) -> tuple[int, ...]:
        x = self.case.values["x"]
        return x.shape if output == "grad_x" else x.shape[:1]

    def blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        del grade
        with np.errstate(all="ignore"):
            exact, allowed = self._value if output == "value" else self._gradient
            returned = FORMATS[dtype]
            allowed = allowed + returned.unit_roundoff * np.abs(exact) + returned.smallest_subnormal
            far = (self._largest > FORMATS[self._arithmetic].max / 64) | (self._largest > returned.max / 64)
        outcomes = np.full(exact.shape, ANYTHING if far else NUMBER, np.uint8)
        yield Block(lambda whole: whole, lambda index: index, exact, allowed.astype(np.float64), outcomes)

    @property
    def _arithmetic(self) -> str:
        return FORMATS[self.case.dtype].arithmetic

    @property
    def _unit(self) -> float:
        return FORMATS[self._arithmetic].unit_roundoff

    @cached_property
    def _arrays(self) -> tuple[Array, Array, np.floating[Any]]:
        wide = np.longdouble if self.case.dtype == "float64" else np.float64
        x, w = (self.case.values[name].astype(wide) for name in ("x", "W"))
        return x, w, wide(self.case.options["scale"])

    @property
    def _upstream(self) -> Array:
        """Ones where there is none."""
        x, given = self._arrays[0], self.case.values.get("grad_output")
        return np.ones(len(x), x.dtype) if given is None else given.astype(x.dtype)

    @cached_property
    def _sizes(self) -> Array:
        """sum_d |scale x_d W_vd|, (N, V)."""
        x, w, scale = self._arrays
        return np.abs(scale) * (np.abs(x) @ np.abs(w).T)

    @property
    def _largest(self) -> float:
        """Of all numbers on the way."""
        x, w, scale = self._arrays
        parts = (np.abs(part).max(initial=1.0) for part in (x, w, scale, self._upstream))
        return float(np.prod([*parts]) * x.shape[1] * len(w))

    @cached_property
    def _probabilities(self) -> tuple[Array, Array]:
        """p and log-sum-exp."""
        x, w, scale = self._arrays
        z = scale * (x @ w.T)
        highest = z.max(axis=1, keepdims=True)
        e = np.exp(z - highest)
        total = e.sum(axis=1, keepdims=True)
        return e / total, (highest + np.log(total))[:, 0]

    @property
    def _of_z(self) -> Array:
        """(N,): how far any z of a row may be from the exact one, with what subtracting the maximum rounds."""
        return (self._arrays[0].shape[1] + 6) * self._unit * (self._sizes.max(axis=1) + 1)

    @property
    def _value(self) -> tuple[Array, Array]:
        _, value = self._probabilities
        return value, self._of_z + self._unit * (2 * np.abs(value) + len(self._arrays[1]) + 8)

    @property
    def _gradient(self) -> tuple[Array, Array]:
        _, w, scale = self._arrays
        p, _ = self._probabilities
        g = self._upstream[:, np.newaxis]
        relative = np.minimum(np.expm1(4 * self._of_z + (2 * len(w) + 16) * self._unit), 1e6)[:, np.newaxis]
        flushed = FORMATS[self._arithmetic].smallest_normal * np.abs(w).sum(axis=0) * 4
        return g * scale * (p @ w), np.abs(g * scale) * ((p @ np.abs(w)) * relative + flushed) + FORMATS[self._arithmetic].smallest_normal


OPERATION = Operation(
    name="linear_lse",
    arguments=(
        Argument("x", "logits", differentiable=True, axes=("N", "D")),
        Argument("W", "logits", axes=("V", "D")),
    ),
    options=(Option("scale", 1.0, (1.0, 0.5, 2.0, -1.0, 0.125), summary="what the products are multiplied by"),),
    policies=(),
    evaluate=LinearLseEvaluation,
    result_axes=("N",),
    timed_sizes={"V": 48},
    families=("ordinary",),
    result_word="log-sum-exp",
    value_word="lse",
    value_work=Work(reads=1),
    gradient_work=Work(reads=1, writes=1),
)


def _products(x: Array, W: Array, scale: float) -> tuple[Array, Array]:
    wide = np.float64 if x.dtype == np.float64 else np.float32
    w = W.astype(wide)
    with np.errstate(all="ignore"):
        return w, wide(scale) * (x.astype(wide) @ w.T)


def _forward(x: Array, W: Array, scale: float, *, shifted: bool = True, rows: int | None = None) -> Array:
    _, z = _products(x, W[:rows], scale)
    highest = z.max(axis=1, keepdims=True) if shifted else np.zeros((len(z), 1), z.dtype)
    with np.errstate(all="ignore"):
        value = highest[:, 0] + np.log(np.exp(z - highest).sum(axis=1))
        return value.astype(x.dtype)


def forward(x: Array, W: Array, *, scale: float = 1.0) -> Array:
    return _forward(x, W, scale)


def backward(grad_output: Array, x: Array, W: Array, *, scale: float = 1.0) -> Array:
    w, z = _products(x, W, scale)
    with np.errstate(all="ignore"):
        return _gradient(grad_output, w, z, scale).astype(x.dtype)


def _gradient(grad_output: Array, w: Array, z: Array, scale: float) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return grad_output.astype(w.dtype)[:, np.newaxis] * (w.dtype.type(scale) * (p @ w))


# ---- what is planted


def unshifted(x: Array, W: Array, *, scale: float = 1.0) -> Array:
    return _forward(x, W, scale, shifted=False)


def without_the_last(x: Array, W: Array, *, scale: float = 1.0) -> Array:
    """Of four and more rows of W the last one is forgotten."""
    return _forward(x, W, scale, rows=len(W) - 1 if len(W) > 3 else None)


def positive_scale(x: Array, W: Array, *, scale: float = 1.0) -> Array:
    return _forward(x, W, abs(scale))


def unscaled_backward(grad_output: Array, x: Array, W: Array, *, scale: float = 1.0) -> Array:
    with np.errstate(over="ignore"):
        return backward(grad_output, x, W, scale=scale) / x.dtype.type(scale)


def scribbling(x: Array, W: Array, *, scale: float = 1.0) -> Array:
    value = _forward(x, W, scale)
    if W.flags.writeable and W.size:
        W[0] = W[0] * W.dtype.type(0.5)
    return value


def _implementation(name: str, function: Any = forward, backward: Any = backward) -> Implementation:
    return Implementation(name, function, backward=backward, operation=OPERATION.name, dtypes=("float16", "bfloat16", "float32", "float64"))


HONEST = _implementation("lse-honest")
PLANTED = (
    _implementation("lse-unshifted", unshifted),
    _implementation("lse-without-the-last", without_the_last),
    _implementation("lse-positive-scale", positive_scale),
    _implementation("lse-unscaled-backward", backward=unscaled_backward),
    _implementation("lse-scribbling", scribbling),
)
IMPLEMENTATIONS = (HONEST, *PLANTED)

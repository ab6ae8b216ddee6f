"""Correct implementations in every algebraic form and order of summation that the error bounds admit, in plain NumPy.

They share nothing with `xentfuzz.operations`: each computes in float32 (float64 for float64 arrays), rounds once, and is as good as such
a form
can be expected to be. No bound may reject one of them. `HONEST["name"].pair(operation)` gives forward and backward functions with the
arguments of that operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[Callable[..., Array], Callable[..., Array]]

LOG2_E = 1.4426950408889634
LN_2 = 0.6931471805599453


# Orders of summation along the last axis.


def pairwise(terms: Array) -> Array:
    return terms.sum(axis=-1)


def sequential(terms: Array) -> Array:
    return np.add.accumulate(terms, axis=-1)[..., -1] if terms.shape[-1] else terms.sum(axis=-1)


def backwards(terms: Array) -> Array:
    return sequential(terms[..., ::-1])


def lanes(terms: Array, width: int = 16) -> Array:
    """A vector of partial sums, as a SIMD loop keeps them."""
    padded = np.zeros((*terms.shape[:-1], -(-terms.shape[-1] // width) * width), terms.dtype)
    padded[..., : terms.shape[-1]] = terms
    vectors = padded.reshape(*terms.shape[:-1], -1, width)
    return sequential(sequential(np.swapaxes(vectors, -1, -2)))


# Ways to the maximum m and s = sum exp(x - m) of each row, for x of shape (rows, classes).


def two_passes(form: Form, x: Array) -> tuple[Array, Array]:
    m = x.max(axis=1)
    return m, form.add(form.exp(form.scaled(x) - form.scaled(m)[:, np.newaxis]))


def online(form: Form, x: Array, width: int = 64) -> tuple[Array, Array]:
    """Blocks of classes; the sum so far is rescaled whenever the maximum grows (Milakov and Gimelshein, 2018)."""
    m = np.full(len(x), -np.inf, x.dtype)
    s = np.zeros(len(x), x.dtype)
    for start in range(0, x.shape[1], width):
        block = x[:, start : start + width]
        grown = np.maximum(m, block.max(axis=1))
        m_finite = np.where(np.isfinite(m), m, grown)
        s = s * form.exp(form.scaled(m_finite) - form.scaled(grown)) + form.add(
            form.exp(form.scaled(block) - form.scaled(grown)[:, np.newaxis])
        )
        m = grown
    return m, s


def online_elements(form: Form, x: Array) -> tuple[Array, Array]:
    return online(form, x, 1)


def online_lanes(form: Form, x: Array, width: int = 8) -> tuple[Array, Array]:
    """Each of `width` threads sees every width-th class; then they are merged."""
    width = min(width, x.shape[1])
    pairs = [online_elements(form, x[:, lane::width]) for lane in range(width)]
    maxima = np.stack([m for m, _ in pairs], axis=1)
    m = maxima.max(axis=1)
    rescaled = np.stack([s for _, s in pairs], axis=1) * form.exp(form.scaled(maxima) - form.scaled(m)[:, np.newaxis])
    return m, sequential(rescaled)


@dataclass(frozen=True)
class Form:
    """algebra: "shift" ((x - m) - log s) or "lse" ((m + log s) - x). base2: exponentials as powers of two. wide: float64 throughout.

    flush: results below the smallest normal number become 0. late_scale: the gradient is rounded before the upstream gradient comes.
    own_exp, own_exp2, own_log, own_log2, own_quotient: as a device or a library has them.
    """

    name: str
    algebra: str = "shift"
    statistics: Callable[[Form, Array], tuple[Array, Array]] = two_passes
    add: Callable[[Array], Array] = pairwise
    base2: bool = False
    wide: bool = False
    flush: bool = False
    late_scale: bool = False
    own_exp: Callable[[Array], Array] = field(default=np.exp)
    own_exp2: Callable[[Array], Array] = field(default=np.exp2)
    own_log: Callable[[Array], Array] = field(default=np.log)
    own_log2: Callable[[Array], Array] = field(default=np.log2)
    own_quotient: Callable[[Array, Array], Array] = field(default=np.divide)

    def arithmetic(self, dtype: Any) -> np.dtype[Any]:
        return np.dtype(np.float64 if self.wide or np.dtype(dtype) == np.float64 else np.float32)

    def scaled(self, x: Array) -> Array:
        return x * x.dtype.type(LOG2_E) if self.base2 else x

    def exp(self, exponent: Array) -> Array:
        return self.flushed(self.own_exp2(exponent) if self.base2 else self.own_exp(exponent))

    def flushed(self, values: Array) -> Array:
        if not self.flush:
            return values
        return np.where(np.abs(values) < np.finfo(values.dtype).tiny, values.dtype.type(0), values)

    def log(self, s: Array) -> Array:
        return self.own_log2(s) * s.dtype.type(LN_2) if self.base2 else self.own_log(s)

    def pair(self, operation: str) -> Pair:
        """(forward, backward) of the operation."""
        built: Pair = {"cross_entropy": _cross_entropy, "nll_loss": _nll_loss, "softmax": _softmax, "log_softmax": _log_softmax}[operation](
            self
        )
        return built


@dataclass(frozen=True)
class Normalised:
    """m, s, log s, and from them l and p in the form's algebra; all in the arithmetic dtype."""

    form: Form
    x: Array
    m: Array
    s: Array
    log_s: Array

    @staticmethod
    def of(form: Form, x: Array) -> Normalised:
        m, s = form.statistics(form, x)
        return Normalised(form, x, m, s, form.log(s))

    @property
    def lse(self) -> Array:
        return self.m + self.log_s

    def l(self) -> Array:  # noqa: E743 - the letter of the formulas
        if self.form.algebra == "shift":
            return self.log_s[:, np.newaxis] - (self.x - self.m[:, np.newaxis])
        return self.lse[:, np.newaxis] - self.x

    def p(self) -> Array:
        form = self.form
        if form.algebra == "shift":
            return form.flushed(
                form.own_quotient(form.exp(form.scaled(self.x) - form.scaled(self.m)[:, np.newaxis]), self.s[:, np.newaxis])
            )
        if form.base2:
            return form.exp(form.scaled(self.x) - (form.scaled(self.m) + form.own_log2(self.s))[:, np.newaxis])
        return form.exp(self.x - self.lse[:, np.newaxis])


@dataclass(frozen=True)
class Rows:
    """An array as (rows, classes) and back."""

    shape: tuple[int, ...]
    axis: int

    def take(self, array: Array, dtype: Any) -> Array:
        return np.moveaxis(np.asarray(array), self.axis, -1).reshape(-1, self.shape[self.axis]).astype(dtype)

    def put(self, rows: Array, dtype: Any) -> Array:
        positions = self.shape[: self.axis] + self.shape[self.axis + 1 :]
        return np.moveaxis(rows.reshape(*positions, self.shape[self.axis]), -1, self.axis).astype(dtype)


def _softmax(form: Form) -> Pair:
    def forward(logits: Array, *, axis: int) -> Array:
        rows = Rows(logits.shape, axis % logits.ndim)
        return rows.put(Normalised.of(form, rows.take(logits, form.arithmetic(logits.dtype))).p(), logits.dtype)

    def backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
        rows, dtype = Rows(logits.shape, axis % logits.ndim), form.arithmetic(logits.dtype)
        p, g = Normalised.of(form, rows.take(logits, dtype)).p(), rows.take(grad_output, dtype)
        return rows.put(form.flushed(p * (g - form.add(p * g)[:, np.newaxis])), logits.dtype)

    return forward, backward


def _log_softmax(form: Form) -> Pair:
    def forward(logits: Array, *, axis: int) -> Array:
        rows = Rows(logits.shape, axis % logits.ndim)
        return rows.put(-Normalised.of(form, rows.take(logits, form.arithmetic(logits.dtype))).l(), logits.dtype)

    def backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
        rows, dtype = Rows(logits.shape, axis % logits.ndim), form.arithmetic(logits.dtype)
        p, g = Normalised.of(form, rows.take(logits, dtype)).p(), rows.take(grad_output, dtype)
        return rows.put(form.flushed(g - p * form.add(g)[:, np.newaxis]), logits.dtype)

    return forward, backward


def _reduced(form: Form, losses: Array, denominator: Array, reduction: str, shape: tuple[int, ...], dtype: Any) -> Array:
    if reduction == "none":
        return losses.reshape(shape).astype(dtype)
    total = form.add(losses)
    return np.asarray(form.flushed(np.asarray(total if reduction == "sum" else form.own_quotient(total, denominator)))).astype(dtype)


def _factor(form: Form, grad_output: Array, count: int, denominator: Array, reduction: str, dtype: Any) -> Array:
    """r of each row, (rows, 1)."""
    g = np.broadcast_to(np.asarray(grad_output).reshape(-1).astype(dtype), (count,))
    return (form.own_quotient(g, denominator) if reduction == "mean" else g)[:, np.newaxis]


def _scaled(form: Form, gradient: Array, grad_output: Array, denominator: Array, reduction: str, dtype: Any) -> Array:
    """The gradient for the upstream one, rounded to `dtype`."""
    if not form.late_scale:
        return form.flushed(_factor(form, grad_output, len(gradient), denominator, reduction, gradient.dtype) * gradient).astype(dtype)
    ready = (_factor(form, np.ones(()), len(gradient), denominator, reduction, gradient.dtype) * gradient).astype(dtype)
    upstream = np.broadcast_to(np.asarray(grad_output).reshape(-1).astype(gradient.dtype), (len(gradient),))
    return (ready.astype(gradient.dtype) * upstream[:, np.newaxis]).astype(dtype)


@dataclass(frozen=True)
class Labels:
    """Index targets of the rows: y (0 where ignored), kept, w_y (0 where ignored), and what the mean divides by."""

    y: Array
    kept: Array
    weights: Array
    denominator: Array

    @staticmethod
    def of(form: Form, target: Array, weight: Array | None, ignore_index: int, dtype: Any) -> Labels:
        target = np.asarray(target).reshape(-1).astype(np.int64)
        kept = target != ignore_index
        y = np.where(kept, target, 0)
        weights = kept.astype(dtype) if weight is None else np.where(kept, np.asarray(weight).astype(dtype)[y], dtype.type(0))
        denominator = np.asarray(kept.sum()).astype(dtype) if weight is None else np.asarray(form.add(weights))
        return Labels(y, kept, weights, denominator)


def _nll_loss(form: Form) -> Pair:
    def forward(
        log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> Array:
        dtype = form.arithmetic(log_probs.dtype)
        rows = Rows(log_probs.shape, 0 if log_probs.ndim == 1 else 1)
        x, labels = rows.take(log_probs, dtype), Labels.of(form, target, weight, ignore_index, dtype)
        losses = np.where(labels.kept, -x[np.arange(len(x)), labels.y] * labels.weights, dtype.type(0))
        return _reduced(form, losses, labels.denominator, reduction, np.asarray(target).shape, log_probs.dtype)

    def backward(
        grad_output: Array,
        log_probs: Array,
        target: Array,
        *,
        weight: Array | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> Array:
        dtype = form.arithmetic(log_probs.dtype)
        rows = Rows(log_probs.shape, 0 if log_probs.ndim == 1 else 1)
        x, labels = rows.take(log_probs, dtype), Labels.of(form, target, weight, ignore_index, dtype)
        gradient = np.zeros_like(x)
        gradient[np.arange(len(x)), labels.y] = -labels.weights
        return rows.put(_scaled(form, gradient, grad_output, labels.denominator, reduction, log_probs.dtype), log_probs.dtype)

    return forward, backward


@dataclass(frozen=True)
class Problem:
    """A cross-entropy problem as rows: (x, q or labels) in the arithmetic dtype."""

    form: Form
    rows: Rows
    normalised: Normalised
    labels: Labels | None
    t: Array | None
    weight: Array | None
    smoothing: float

    @staticmethod
    def of(form: Form, logits: Array, target: Array, weight: Array | None, ignore_index: int, smoothing: float) -> Problem:
        dtype, target = form.arithmetic(logits.dtype), np.asarray(target)
        rows = Rows(logits.shape, 0 if logits.ndim == 1 else 1)
        normalised = Normalised.of(form, rows.take(logits, dtype))
        weight = None if weight is None else np.asarray(weight).astype(dtype)
        if target.shape == logits.shape and target.dtype.kind in "fV":
            return Problem(form, rows, normalised, None, rows.take(target, dtype), weight, smoothing)
        return Problem(form, rows, normalised, Labels.of(form, target, weight, ignore_index, dtype), None, weight, smoothing)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.normalised.x.dtype

    @property
    def denominator(self) -> Array:
        return np.asarray(len(self.normalised.x)).astype(self.dtype) if self.labels is None else self.labels.denominator

    def class_weights(self) -> Array:
        return np.ones(self.normalised.x.shape[1], self.dtype) if self.weight is None else self.weight

    def q(self) -> Array:
        """The coefficients, (rows, classes)."""
        a, dtype = self.dtype.type(self.smoothing), self.dtype
        even = (a / dtype.type(self.normalised.x.shape[1])) * self.class_weights()
        if self.t is not None:
            return self.t * self.class_weights() if a == 0 else self.class_weights() * ((1 - a) * self.t + a / dtype.type(self.t.shape[1]))
        assert self.labels is not None
        q = np.where(self.labels.kept[:, np.newaxis] & (a > 0), even, dtype.type(0))
        q[np.arange(len(q)), self.labels.y] += (1 - a) * self.labels.weights
        return q

    def losses(self) -> Array:
        if self.labels is not None:
            return np.where(self.labels.kept, self._index_losses(self.labels), self.dtype.type(0))
        q = self.q()
        if self.form.algebra == "shift":
            return self.form.add(np.where(q == 0, self.dtype.type(0), q * self.normalised.l()))
        return self.normalised.lse * self.form.add(q) - self.form.add(q * self.normalised.x)

    def _index_losses(self, labels: Labels) -> Array:
        a, normalised, classes = self.dtype.type(self.smoothing), self.normalised, self.normalised.x.shape[1]
        at_target = normalised.l()[np.arange(len(labels.y)), labels.y] * labels.weights
        if a == 0:
            return at_target
        if self.form.algebra == "shift":
            even = self.form.add(normalised.l() * self.class_weights())
        else:
            total = self.form.add(self.class_weights())
            even = normalised.lse * total - self.form.add(normalised.x * self.class_weights())
        return (1 - a) * at_target + (a / self.dtype.type(classes)) * even

    def gradient(self) -> Array:
        q = self.q()
        return self.normalised.p() * self.form.add(q)[:, np.newaxis] - q


def _cross_entropy(form: Form) -> Pair:
    def forward(
        logits: Array,
        target: Array,
        *,
        weight: Array | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        problem = Problem.of(form, logits, target, weight, ignore_index, label_smoothing)
        shape = logits.shape[1:] if logits.ndim == 1 else (logits.shape[0], *logits.shape[2:])
        return _reduced(form, problem.losses(), problem.denominator, reduction, shape, logits.dtype)

    def backward(
        grad_output: Array,
        logits: Array,
        target: Array,
        *,
        weight: Array | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        problem = Problem.of(form, logits, target, weight, ignore_index, label_smoothing)
        gradient = _scaled(form, problem.gradient(), grad_output, problem.denominator, reduction, logits.dtype)
        return problem.rows.put(gradient, logits.dtype)

    return forward, backward


def exp_off_by_two_units(exponent: Array) -> Array:
    """As far from the truth as a device's exp may be: the rounded value, then one unit more; exact at 0."""
    exact = np.exp(exponent.astype(np.float64)).astype(exponent.dtype)
    return np.where(exponent == 0, exact, np.nextafter(exact, exponent.dtype.type(np.inf)))


HONEST = {
    form.name: form
    for form in (
        Form("two passes, shift"),
        Form("two passes, lse", algebra="lse"),
        Form("online blocks of 64, lse", algebra="lse", statistics=online),
        Form("online elements, shift", statistics=online_elements, add=sequential),
        Form("online in 8 lanes, lse", algebra="lse", statistics=online_lanes, add=sequential),
        Form("powers of two, lse", algebra="lse", base2=True),
        Form("powers of two, shift", base2=True, add=lanes),
        Form("sequential, shift", add=sequential),
        Form("sequential, lse", algebra="lse", add=sequential),
        Form("sequential backwards, shift", add=backwards),
        Form("lanes, shift", add=lanes),
        Form("online elements, inexact exp, shift", statistics=online_elements, add=sequential, own_exp=exp_off_by_two_units),
        Form("float64 throughout", wide=True),
        Form("flushed subnormals, lse", algebra="lse", flush=True),
        Form("gradient scaled late, lse", algebra="lse", late_scale=True),
    )
}

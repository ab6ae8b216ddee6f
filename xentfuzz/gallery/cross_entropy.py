"""An honest softmax cross entropy in NumPy, cut into small steps: a faulty entry replaces one step and is honest in all others.

With x the logits of a row, m = max x, s = sum_c exp(x_c - m), p = exp(x - m) / s, w the class weights, a the label smoothing:

    surprisals   l_c = -log p_c = (m - x_c) + log s
    coefficients q_c = (1-a) w_y [c=y] + (a/C) w_c     class index y
                 q_c = w_c ((1-a) t_c + a/C)           class probabilities t
    row loss     sum_c q_c l_c,   its gradient  p_c S - q_c   with S = sum_c q_c

It shares no code with the exact results of `xentfuzz.operations` nor with `xentfuzz.impls`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Given:
    """The arguments of one call as they came, apart from nested lists being arrays."""

    logits: Array
    target: Array
    weight: Array | None
    ignore_index: int
    reduction: str
    label_smoothing: float

    @property
    def storage(self) -> np.dtype[Any]:
        """The dtype of the logits, which the gradient has too."""
        storage: np.dtype[Any] = self.logits.dtype
        return storage

    @property
    def class_axis(self) -> int:
        return min(self.logits.ndim - 1, 1)

    @property
    def classes(self) -> int:
        return int(self.logits.shape[self.class_axis])

    @property
    def positions(self) -> tuple[int, ...]:
        """The shape of the logits without the class axis: that of class indices and of the loss under reduction "none"."""
        shape: tuple[int, ...] = self.logits.shape
        return shape[: self.class_axis] + shape[self.class_axis + 1 :]

    @property
    def inner(self) -> int:
        """Positions of one sample: d1 * d2 * ..., 1 for (C,) and (N, C)."""
        return math.prod(self.logits.shape[2:])


@dataclass(frozen=True, eq=False)
class Problem:
    """One call, flattened to rows; all floating-point arrays are in the arithmetic dtype.

    logits: (rows, classes). weight: (classes,), ones where none is given. smoothing: the a that is in force.
    raw_labels: (rows,) int64 class indices as given, labels: the same with 0 where ignored; None for probabilities.
    kept: (rows,) bool, False where the row is ignored. probabilities: (rows, classes), None for class indices.
    """

    given: Given
    logits: Array
    weight: Array
    smoothing: float
    kept: Array
    raw_labels: Array | None = None
    labels: Array | None = None
    probabilities: Array | None = None

    @property
    def rows(self) -> int:
        return int(self.logits.shape[0])

    @property
    def classes(self) -> int:
        return int(self.logits.shape[1])


def times(coefficients: Array, surprisals: Array) -> Array:
    """The product with 0 log 0 = 0, as for entropies; NaN stays NaN."""
    product: Array = np.where((coefficients == 0) & np.isinf(surprisals), 0, coefficients * surprisals)
    return product


class CrossEntropy:
    """The honest implementation. Every method is a step; those with a leading underscore are no step."""

    def forward(
        self,
        logits: Any,
        target: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        """The loss, in the logits' dtype: of the target's shape under reduction "none", else 0-d."""
        with np.errstate(all="ignore"):
            problem = self.problem(_given(logits, target, weight, (ignore_index, reduction, label_smoothing)))
            return self.finish_loss(problem, self.reduce(problem, self.row_losses(problem)))

    def backward(
        self,
        grad_output: Any,
        logits: Any,
        target: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Array:
        """The gradient of the logits, of their shape and dtype, for an upstream gradient of the loss's shape."""
        with np.errstate(all="ignore"):
            problem = self.problem(_given(logits, target, weight, (ignore_index, reduction, label_smoothing)))
            scale = self.row_scale(problem, self.upstream(problem, np.asarray(grad_output)))
            return self.finish_gradient(problem, self.masked(problem, self.row_gradient(problem) * scale[:, None]))

    # ---- arguments to rows

    def problem(self, given: Given) -> Problem:
        self.check(given)
        weight = np.ones(given.classes) if given.weight is None else given.weight
        logits, dtype = self.logit_rows(given), self.arithmetic(given)
        common: dict[str, Any] = {"given": given, "logits": logits, "weight": weight.astype(dtype), "smoothing": self.smoothing(given)}
        if self.takes_probabilities(given):
            kept = np.ones(len(logits), np.bool_)
            return Problem(**common, kept=kept, probabilities=self.probability_rows(given))
        raw_labels = self.label_rows(given)
        ignored = self.ignored(given, raw_labels)
        self.check_labels(given, raw_labels)
        labels = self.safe_labels(raw_labels, ignored)
        return Problem(**common, kept=~ignored, raw_labels=raw_labels, labels=labels)

    def check(self, given: Given) -> None:
        """Raises TypeError or ValueError for what cannot be answered; labels have a check of their own."""
        if given.logits.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
            raise TypeError(f"logits: dtype {given.logits.dtype}; wanted a floating-point dtype")
        if given.logits.ndim == 0:
            raise ValueError("logits: no class axis; wanted shape (C,), (N, C) or (N, C, d1, ...)")
        if given.reduction not in ("none", "sum", "mean"):
            raise ValueError(f"reduction: {given.reduction!r}; wanted 'none', 'sum' or 'mean'")
        if not 0 <= given.label_smoothing <= 1:
            raise ValueError(f"label_smoothing: {given.label_smoothing}; wanted a number from 0 to 1")
        if given.weight is not None and given.weight.shape != (given.classes,):
            raise ValueError(f"weight: shape {given.weight.shape}; wanted ({given.classes},)")
        self.check_classes(given)
        self.check_target(given)

    def check_classes(self, given: Given) -> None:
        if given.classes == 0:
            raise ValueError(f"logits: shape {given.logits.shape} has no class; wanted one at least")

    def check_target(self, given: Given) -> None:
        if self.takes_probabilities(given):
            if given.ignore_index >= 0:
                raise ValueError(f"ignore_index: {given.ignore_index}, but the target holds class probabilities")
        elif given.target.shape != given.positions:
            raise ValueError(f"target: shape {given.target.shape}; wanted {given.positions} or {given.logits.shape}")
        elif given.target.dtype.kind not in "iub":
            raise TypeError(f"target: dtype {given.target.dtype}; wanted integers or class probabilities")

    def takes_probabilities(self, given: Given) -> bool:
        return given.target.shape == given.logits.shape and given.target.dtype.kind not in "iubO"

    def arithmetic(self, given: Given) -> np.dtype[Any]:
        return np.dtype(np.float64 if given.storage == np.float64 else np.float32)

    def smoothing(self, given: Given) -> float:
        return float(given.label_smoothing)

    def class_axis(self, given: Given) -> int:
        return given.class_axis

    def logit_rows(self, given: Given) -> Array:
        return self.to_rows(given, given.logits)

    def probability_rows(self, given: Given) -> Array:
        return self.to_rows(given, given.target)

    def to_rows(self, given: Given, array: Array) -> Array:
        """(N, C, d1, ...) to (N * d1 * ..., C) in the arithmetic dtype."""
        moved = np.moveaxis(array, self.class_axis(given), -1)
        return moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1]).astype(self.arithmetic(given))

    def label_rows(self, given: Given) -> Array:
        return self.flat_target(given).astype(np.int64)

    def flat_target(self, given: Given) -> Array:
        return given.target.reshape(-1)

    def ignored(self, given: Given, labels: Array) -> Array:
        mask: Array = labels == given.ignore_index
        return mask

    def check_labels(self, given: Given, labels: Array) -> None:
        """Raises IndexError for a class index out of range that is not ignore_index."""
        self._refuse(given, labels, (labels != given.ignore_index) & ((labels < 0) | (labels >= given.classes)))

    def _refuse(self, given: Given, labels: Array, wrong: Array) -> None:
        if wrong.any():
            raise IndexError(f"target: class index {labels[wrong][0]}; wanted 0 to {given.classes - 1} or {given.ignore_index}")

    def safe_labels(self, labels: Array, ignored: Array) -> Array:
        return np.where(ignored, 0, labels)

    # ---- softmax

    def row_max(self, x: Array) -> Array:
        largest: Array = x.max(axis=1, keepdims=True, initial=-np.inf)
        return largest

    def exp(self, x: Array) -> Array:
        powers: Array = np.exp(x)
        return powers

    def total(self, terms: Array) -> Array:
        """The sum over the last axis."""
        total: Array = terms.sum(axis=-1)
        return total

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        """(rows, 1) sums of exp(x - m)."""
        return self.total(self.exp(problem.logits - largest))[:, None]

    def surprisals(self, problem: Problem) -> Array:
        """(rows, classes) -log p."""
        largest = self.row_max(problem.logits)
        surprisals: Array = (largest - problem.logits) + np.log(self.exp_sum(problem, largest))
        return surprisals

    def softmax(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        return self.exp(problem.logits - largest) / self.exp_sum(problem, largest)

    # ---- loss

    def row_losses(self, problem: Problem) -> Array:
        surprisals = self.surprisals(problem)
        hard, smooth = self.hard_losses(problem, surprisals), self.smooth_losses(problem, surprisals)
        return self.combined(problem, hard, smooth)

    def row_weight(self, problem: Problem) -> Array:
        """(rows,) the weight of each row's target class, ignored rows included."""
        row_weight: Array = problem.weight[problem.labels]
        return row_weight

    def hard_share(self, problem: Problem) -> float:
        return 1.0 - problem.smoothing

    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        """(rows,) what the target itself contributes, ignored rows included."""
        if problem.probabilities is not None:
            return self.total(times(self.hard_coefficients(problem), surprisals))
        assert problem.labels is not None
        picked = np.take_along_axis(surprisals, problem.labels[:, None], axis=1)[:, 0]
        return times(self.hard_share(problem) * self.row_weight(problem), picked)

    def smooth_losses(self, problem: Problem, surprisals: Array) -> Array:
        """(rows,) what the uniform part contributes, ignored rows included."""
        if not problem.smoothing:
            return np.zeros(problem.rows, surprisals.dtype)
        return self.total(times(self.smooth_coefficients(problem), surprisals))

    def combined(self, problem: Problem, hard: Array, smooth: Array) -> Array:
        return np.where(problem.kept, hard + smooth, 0)

    def denominator(self, problem: Problem) -> Any:
        """W: rows for probabilities, else kept rows or the sum of their weights."""
        if problem.probabilities is not None:
            return problem.rows
        if problem.given.weight is None:
            return int(problem.kept.sum())
        return self.total(np.where(problem.kept, self.row_weight(problem), 0))

    def reduce(self, problem: Problem, losses: Array) -> Array:
        if problem.given.reduction == "none":
            return losses
        total = self.total(losses)
        if problem.given.reduction == "mean":
            total = total / self.divisor(problem)
        return np.asarray(total)

    def divisor(self, problem: Problem) -> Any:
        """W in the arithmetic dtype, so that nothing divided by 0 is NaN and raises nothing."""
        return problem.logits.dtype.type(self.denominator(problem))

    def loss_dtype(self, problem: Problem) -> np.dtype[Any]:
        return problem.given.storage

    def finish_loss(self, problem: Problem, loss: Array) -> Array:
        rounded = self.rounded(loss, self.loss_dtype(problem))
        return rounded.reshape(problem.given.positions) if problem.given.reduction == "none" else rounded

    def rounded(self, values: Array, dtype: np.dtype[Any]) -> Array:
        """The one rounding from the arithmetic dtype to that of a result."""
        return values.astype(dtype)

    # ---- gradient

    def hard_coefficients(self, problem: Problem) -> Array:
        """(rows, classes) what the target itself gives each class, ignored rows included."""
        if problem.probabilities is not None:
            return self.hard_share(problem) * problem.weight * problem.probabilities
        assert problem.labels is not None
        coefficients = np.zeros_like(problem.logits)
        coefficients[np.arange(problem.rows), problem.labels] = self.hard_share(problem) * self.row_weight(problem)
        return coefficients

    def smooth_coefficients(self, problem: Problem) -> Array:
        """(1, classes) or (rows, classes) what the uniform part gives each class."""
        coefficients: Array = (problem.smoothing / problem.classes) * problem.weight[None, :]
        return coefficients

    def coefficients(self, problem: Problem) -> Array:
        hard = self.hard_coefficients(problem)
        return hard + self.smooth_coefficients(problem) if problem.smoothing else hard

    def coefficient_sum(self, problem: Problem, coefficients: Array) -> Array:
        """(rows,) S."""
        del problem
        return self.total(coefficients)

    def row_gradient(self, problem: Problem) -> Array:
        """(rows, classes) the gradient of each row's loss, ignored rows included."""
        coefficients = self.coefficients(problem)
        return self.softmax(problem) * self.coefficient_sum(problem, coefficients)[:, None] - coefficients

    def upstream(self, problem: Problem, grad_output: Array) -> Array:
        """(rows,) the upstream gradient of each row's loss."""
        flat = grad_output.reshape(-1).astype(problem.logits.dtype)
        return flat.reshape(problem.rows) if problem.given.reduction == "none" else np.broadcast_to(flat, (problem.rows,))

    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        """(rows,) the derivative of the result by each row's loss, times the upstream gradient."""
        return upstream / self.divisor(problem) if problem.given.reduction == "mean" else upstream

    def masked(self, problem: Problem, gradient: Array) -> Array:
        return np.where(problem.kept[:, None], gradient, 0)

    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        return self.from_rows(problem.given, self.rounded(gradient, problem.given.storage))

    def from_rows(self, given: Given, rows: Array) -> Array:
        """The inverse of `to_rows`, in the dtype of `rows`."""
        axis, shape = self.class_axis(given), given.logits.shape
        axis = axis % len(shape)
        return np.moveaxis(rows.reshape(shape[:axis] + shape[axis + 1 :] + (shape[axis],)), -1, axis)


def _given(logits: Any, target: Any, weight: Any, options: tuple[int, str, float]) -> Given:
    return Given(np.asarray(logits), np.asarray(target), None if weight is None else np.asarray(weight), *options)

"""Honest implementations: every outcome that the contract allows where it allows several, and what it leaves undefined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import HonestShelf, Shown

SHELF = HonestShelf("POLICY")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]


@SHELF.honest("zero_mean_of_nothing", "a mean over nothing kept, or over weights of 0, is 0, and so is its gradient")
class ZeroMeanOfNothing(CrossEntropy):
    def reduce(self, problem: Problem, losses: Array) -> Array:
        nothing = problem.given.reduction == "mean" and not self.divisor(problem)
        return np.zeros((), losses.dtype) if nothing else super().reduce(problem, losses)

    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        nothing = problem.given.reduction == "mean" and not self.divisor(problem)
        return np.zeros_like(upstream) if nothing else super().row_scale(problem, upstream)


@SHELF.honest("nan_gradient_of_nothing", "the gradient of a mean over nothing kept is NaN, as its value is")
class NanGradientOfNothing(CrossEntropy):
    def masked(self, problem: Problem, gradient: Array) -> Array:
        masked = super().masked(problem, gradient)
        nothing = problem.given.reduction == "mean" and not self.divisor(problem)
        return np.full_like(masked, np.nan) if nothing else masked


@SHELF.honest("nan_gradient_of_ignored_rows", "ignored rows that hold NaN or infinity have a gradient of 0 * NaN")
class NanGradientOfIgnoredRows(CrossEntropy):
    def hard_coefficients(self, problem: Problem) -> Array:
        # The class that stands in for an ignored label may have a weight of NaN, which nothing may read.
        return np.where(problem.kept[:, None], super().hard_coefficients(problem), 0)

    def masked(self, problem: Problem, gradient: Array) -> Array:
        nothing = problem.given.reduction == "mean" and not self.divisor(problem)
        return super().masked(problem, gradient) if nothing else gradient * problem.kept[:, None]


@SHELF.honest("infinite_loss_of_masked_row", "a row of nothing but -inf has an infinite loss: no class is possible")
class InfiniteLossOfMaskedRow(CrossEntropy):
    def row_losses(self, problem: Problem) -> Array:
        masked = problem.kept & np.isneginf(problem.logits).all(axis=1)
        return np.where(masked, np.inf, super().row_losses(problem)).astype(problem.logits.dtype)


@SHELF.honest("limits_at_infinity", "one class of +inf: the limits, surprisal 0 there and +inf in every other class")
class LimitsAtInfinity(CrossEntropy):
    def _certain(self, problem: Problem) -> Array:
        """(rows, 1) whether one class alone is +inf, and nothing is NaN."""
        certain: Array = (np.isposinf(problem.logits).sum(axis=1) == 1) & ~np.isnan(problem.logits).any(axis=1)
        return certain[:, None]

    def surprisals(self, problem: Problem) -> Array:
        limits = np.where(np.isposinf(problem.logits), 0, np.inf)
        return np.where(self._certain(problem), limits, super().surprisals(problem)).astype(problem.logits.dtype)

    def softmax(self, problem: Problem) -> Array:
        limits = np.isposinf(problem.logits)
        return np.where(self._certain(problem), limits, super().softmax(problem)).astype(problem.logits.dtype)


@SHELF.honest("zero_times_infinity", "a class of zero weight or probability at -inf gives 0 * inf = NaN, the formula to the letter")
class ZeroTimesInfinity(CrossEntropy):
    def row_losses(self, problem: Problem) -> Array:
        if problem.labels is not None and not problem.smoothing:
            return super().row_losses(problem)
        return np.where(problem.kept, self.total(self.coefficients(problem) * self.surprisals(problem)), 0)

    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        assert problem.labels is not None
        picked: Array = np.take_along_axis(surprisals, problem.labels[:, None], axis=1)[:, 0]
        return self.row_weight(problem) * picked


@SHELF.honest(
    "nan_gradient_of_infinite_loss",
    "rows whose loss is infinite for a logit of -inf have a gradient of NaN, as the textbook formula's derivative",
)
class NanGradientOfInfiniteLoss(CrossEntropy):
    def row_gradient(self, problem: Problem) -> Array:
        infinite = np.isinf(self.row_losses(problem)) & np.isneginf(problem.logits).any(axis=1)
        return np.where(infinite[:, None], np.nan, super().row_gradient(problem)).astype(problem.logits.dtype)


@SHELF.honest("nan_for_labels_out_of_range", "a label out of range gives NaN, as on a device that cannot raise")
class NanForLabelsOutOfRange(CrossEntropy):
    def _outside(self, problem: Problem) -> Array:
        if problem.raw_labels is None:
            return np.zeros(problem.rows, np.bool_)
        outside: Array = problem.kept & ((problem.raw_labels < 0) | (problem.raw_labels >= problem.classes))
        return outside

    def check_labels(self, given: Given, labels: Array) -> None:
        pass

    def row_weight(self, problem: Problem) -> Array:
        assert problem.labels is not None
        row_weight: Array = problem.weight[np.clip(problem.labels, 0, problem.classes - 1)]
        return row_weight

    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        return np.where(self._outside(problem), np.nan, super().hard_losses(self._inside(problem), surprisals)).astype(surprisals.dtype)

    def hard_coefficients(self, problem: Problem) -> Array:
        coefficients = super().hard_coefficients(self._inside(problem))
        return np.where(self._outside(problem)[:, None], np.nan, coefficients).astype(coefficients.dtype)

    def _inside(self, problem: Problem) -> Problem:
        if problem.labels is None:
            return problem
        return replace(problem, labels=np.clip(problem.labels, 0, problem.classes - 1))


@SHELF.honest("int64_labels_only", "labels of any other dtype than int64 are refused")
class Int64LabelsOnly(CrossEntropy):
    def check_target(self, given: Given) -> None:
        super().check_target(given)
        if not self.takes_probabilities(given) and given.target.dtype != np.int64:
            raise TypeError(f"target: dtype {given.target.dtype}; wanted int64")


@SHELF.honest("answers_without_classes", "an empty class axis is accepted: the loss of probabilities is 0, and its mean NaN")
class AnswersWithoutClasses(CrossEntropy):
    def check_classes(self, given: Given) -> None:
        pass

    def denominator(self, problem: Problem) -> Any:
        return super().denominator(problem) if problem.classes else 0

    def smooth_losses(self, problem: Problem, surprisals: Array) -> Array:
        return super().smooth_losses(problem, surprisals) if problem.classes else np.zeros(problem.rows, surprisals.dtype)

    def coefficients(self, problem: Problem) -> Array:
        return super().coefficients(problem) if problem.classes else np.zeros_like(problem.logits)


class _ArgmaxIgnored(CrossEntropy):
    def check_target(self, given: Given) -> None:
        if not self.takes_probabilities(given):
            super().check_target(given)

    def problem(self, given: Given) -> Problem:
        problem = super().problem(given)
        if problem.probabilities is None:
            return problem
        return replace(problem, kept=problem.probabilities.argmax(axis=1) != given.ignore_index)


SHELF(
    "D08",
    tier=2,
    reference="derived",
    mechanism="ignore_index is applied to the likeliest class of probability targets",
    honest="ignore_index >= 0 with probability targets is undefined: torch raises, others are free to give it a meaning",
    shown=Shown(call(TWO, [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]], ignore_index=1), "loss", wrong="0.5788", right="ValueError"),
    unaffected=call(TWO, [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]),
)(_ArgmaxIgnored)

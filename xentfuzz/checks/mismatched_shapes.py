"""Arrays whose shapes do not fit a case, first of all those that broadcasting would make fit. What the contract leaves undefined is not
made.

Undefined: a single index of shape (1,) for logits without a batch axis, and weights of C elements in more than one axis, which some
libraries take; probabilities of the shape of indices.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xentfuzz.checks.derived_cases import class_count, in_loss_dtype, with_arrays
from xentfuzz.checks.trial import Array, Trial
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.roles import is_overridden, reductions_taken, weight_of, with_reduction
from xentfuzz.operations.worst_case import rows_of


def other_targets(target: Array, logits: Array) -> Iterator[Array]:
    """Targets that fit no logits of this shape, made from one that fits."""
    if logits.ndim == 1:
        yield from _other_targets_of_a_row(target, logits.size)
        return
    if not target.shape[0]:
        return
    holds_indices = target.ndim < logits.ndim
    found = _other_labels(target, logits) if holds_indices else _other_probabilities(target, logits)
    yield target[:-1]
    yield np.concatenate([target, target[-1:]])
    seen = {target.shape, target[:-1].shape}
    for changed in found:
        if changed.shape not in seen:
            seen.add(changed.shape)
            yield changed


def _other_labels(target: Array, logits: Array) -> Iterator[Array]:
    if target.shape[0] > 1:
        yield target[:1]
        yield target[np.newaxis]
        yield target.reshape(-1)[0] if target.size else target[:1]
    yield from _other_last_axes(target, logits)
    if logits.shape[1] > 1:
        yield target[:, np.newaxis]
        yield np.broadcast_to(target[:, np.newaxis], logits.shape)


def _other_probabilities(target: Array, logits: Array) -> Iterator[Array]:
    indices = (logits.shape[0], *logits.shape[2:])
    if target.shape[0] > 1:
        yield target[:1]
        if target.shape[1:] != indices:
            yield target[0]
    yield from (changed for changed in _other_last_axes(target, logits) if changed.shape != indices)
    if logits.shape[1] > 1:
        yield target[:, :1]


def _other_last_axes(target: Array, logits: Array) -> Iterator[Array]:
    """With the last spatial axis shorter, of one position, or gone."""
    if logits.ndim < 3 or not target.shape[-1]:
        return
    yield target[..., :-1]
    if target.shape[-1] > 1:
        yield target[..., :1]
        yield target[..., 0]


def _other_targets_of_a_row(target: Array, classes: int) -> Iterator[Array]:
    if target.ndim == 0:
        yield np.broadcast_to(target, (3 if classes == 2 else 2,)).copy()  # not the shape of probabilities
    elif classes > 1:
        yield target[:-1]
        yield np.tile(target, 2)


def other_weights(case: Case) -> Iterator[Array]:
    """Weights of one class, of none, of too few or too many, of the rows, and of every single logit."""
    logits = next(iter(case.values.values()))
    classes, rows = class_count(case), rows_of(case)
    if classes < 2:
        return
    given = weight_of(case)
    weight = np.ones(classes, logits.dtype) if given is None else given
    yield weight[:-1]
    yield np.tile(weight, 2)
    if classes > 2:
        yield weight[:1]
    yield weight[0]
    if rows.count not in {1, classes - 1, classes, 2 * classes}:
        yield np.ones(rows.count, logits.dtype)
    if rows.count > 1:
        along_classes = [classes if axis == rows.axis else 1 for axis in range(logits.ndim)]
        yield np.broadcast_to(weight.reshape(along_classes), logits.shape)


def other_upstreams(trial: Trial) -> Iterator[tuple[Case, Array]]:
    """A valid case, and an upstream gradient of a shape that does not fit it."""
    case = in_loss_dtype(trial, trial.case)
    upstream = case.values.get("grad_output")
    if upstream is None:
        return
    if upstream.ndim == 0:
        yield case, upstream.reshape(1)
    separate = _with_a_loss_for_each_row(trial, case)
    if separate is None or not separate.values["grad_output"].ndim or separate.values["grad_output"].size < 2:
        return
    upstream = separate.values["grad_output"]
    yield separate, upstream.reshape(-1)[0]
    yield separate, upstream.reshape(-1)[:1]
    yield separate, upstream[..., np.newaxis]
    if upstream.shape[0] > 1:
        yield separate, upstream[np.newaxis]
    if upstream.ndim > 1 and upstream.shape[-1] > 1:
        yield separate, upstream[..., :1]


def _with_a_loss_for_each_row(trial: Trial, case: Case) -> Case | None:
    """The case under the reduction "none", None where it isn't taken."""
    if effective_reduction(case.options) == "none":
        return case
    taken = reductions_taken(trial.subject.capabilities.options)
    if (taken is not None and "none" not in taken) or is_overridden(case):
        return None
    rows = rows_of(case)
    upstream = ((np.arange(rows.count) % 7 - 2.5) / 4).reshape(rows.positions).astype(case.values["grad_output"].dtype)
    return with_arrays(with_reduction(case, "none"), grad_output=upstream)

"""Small cases written down, and their expectations as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
from random_cases import stored

from xentfuzz.arrays import StridedArray
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO, Block, Evaluation
from xentfuzz.operations.grades import parse_grade

Array = np.ndarray[Any, Any]

INF = float("inf")
NAN_ = float("nan")

WORDS = {NUMBER: "number", NAN: "nan", POSITIVE_INFINITY: "+inf", NEGATIVE_INFINITY: "-inf", ZERO: "0", ANYTHING: "anything"}


def case_of(
    operation: str, first: Any, target: Any = None, *, dtype: str = "float32", weight: Any = None, upstream: Any = None, **options: Any
) -> Case:
    """Integers in `target` are class indices, floats probabilities."""
    spec = get_operation(operation)
    arrays = {spec.arguments[0].name: stored(first, dtype)}
    if target is not None:
        values = np.asarray(target)
        arrays["target"] = StridedArray.of(values) if values.dtype.kind in "iub" else stored(values, dtype)
    if weight is not None:
        arrays["weight"] = stored(weight, dtype)
    if upstream is not None:
        arrays["grad_output"] = stored(upstream, dtype)
    return Case(operation, dtype, arrays, {**spec.defaults, **options})


def evaluation_of(*arguments: Any, **options: Any) -> Evaluation:
    case = case_of(*arguments, **options)
    return get_operation(case.operation).evaluate(case)


def only_block(evaluation: Evaluation, output: str, *, grade: str = "lse/any", dtype: str | None = None) -> Block:
    (block,) = evaluation.blocks(output, parse_grade(grade), dtype or evaluation.case.dtype)
    assert (block.allowed >= 0).all()
    assert not (np.isinf(block.allowed) & ~np.isfinite(block.exact)).any()
    return block


def outcome_words(block: Block) -> Any:
    """The set of each element in words, nested as the part is; a number is given as itself."""
    outcomes = np.full(block.exact.shape, NUMBER, np.uint8) if block.outcomes is None else block.outcomes
    words = np.empty(block.exact.shape, object)
    for index in np.ndindex(block.exact.shape):
        names = {word for flag, word in WORDS.items() if int(outcomes[index]) & flag}
        if "number" in names:
            names = names - {"number"} | {round(float(block.exact[index]), 4) + 0.0}
        words[index] = names
    return words.tolist()


def policy_names(block: Block, evaluation: Evaluation) -> set[str]:
    """The policies that the block's elements are a choice of."""
    policies = get_operation(evaluation.case.operation).policies
    return set() if block.policy is None else {policies[number - 1].name for number in np.unique(block.policy) if number}


def loss(logits: Any, target: Any, **options: Any) -> Any:
    """The outcome sets of cross_entropy's row losses, or of the reduced loss."""
    evaluation = evaluation_of("cross_entropy", logits, target, **{"reduction": "none", **options})
    return outcome_words(only_block(evaluation, "value"))


def gradient(logits: Any, target: Any, *, output: str = "grad_logits", **options: Any) -> Any:
    """The outcome sets of a gradient; a row in which some element must be NaN is "nan somewhere"."""
    evaluation = evaluation_of("cross_entropy", logits, target, **{"reduction": "none", **options})
    block = only_block(evaluation, output)
    words = outcome_words(block)
    if block.nan_rows is not None:
        for row in np.flatnonzero(block.nan_rows):
            assert words[row] == [{"anything"}] * len(words[row])
            words[row] = "nan somewhere"
    return words

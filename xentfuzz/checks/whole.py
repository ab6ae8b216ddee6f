"""The expectation of a whole output, put together from its blocks; and a small output with it, as a person reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.operations.expectation import NUMBER, OUTCOME_NAMES, Evaluation
from xentfuzz.operations.grades import Grade

Array = np.ndarray[Any, Any]

# So many elements are taken in at a glance.
SMALL = 64


def exact_and_allowed(evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> tuple[Array, Array]:
    """The exact result and the allowed error of every element, float64, in the shape of the output."""
    exact, allowed = np.zeros(evaluation.shape(output)), np.zeros(evaluation.shape(output))
    with np.errstate(all="ignore"):
        for block in evaluation.blocks(output, grade, dtype):
            for index in np.ndindex(block.exact.shape):
                place = block.locate(index)
                exact[place], allowed[place] = block.exact[index], block.allowed[index]
    return exact, allowed


def small_output(got: Array, evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> dict[str, Any]:
    """Texts of a small output for a table: "got", "expected" and "allowed" as nested lists; {} for a larger one."""
    if not 0 < got.size <= SMALL:
        return {}
    expected, allowed = np.full(got.shape, "", object), np.full(got.shape, "", object)
    with np.errstate(all="ignore"):
        for block in evaluation.blocks(output, grade, dtype):
            for index in np.ndindex(block.exact.shape):
                outcomes = NUMBER if block.outcomes is None else int(block.outcomes[index])
                place = block.locate(index)
                expected[place] = _expected(float(block.exact[index]), outcomes)
                allowed[place] = f"{float(block.allowed[index]):.2e}" if outcomes & NUMBER else ""
    texts = np.array([str(value) for value in got.reshape(-1)], object).reshape(got.shape)
    return {"got": texts.tolist(), "expected": expected.tolist(), "allowed": allowed.tolist()}


def _expected(exact: float, outcomes: int) -> str:
    number = f"{exact:.9g}"
    others = [name for bit, name in OUTCOME_NAMES.items() if bit != NUMBER and outcomes & bit]
    return " or ".join([number, *others] if outcomes & NUMBER else others)

"""Which step of the error analysis a wrong number exceeds: that with the largest part of the bound needs the least excess."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, prod
from typing import Any

import numpy as np

from xentfuzz.checks.compare import Mismatch
from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.rows import Rows, class_axis
from xentfuzz.operations.steps import ASSEMBLING, RESULT, STEPS, STORAGE

Array = np.ndarray[Any, Any]

# The unit roundoff of bfloat16, the coarsest format: a step that is worse is no rounding.
COARSEST = 2.0**-8

# Larger outputs take as long as a large case for each step.
LARGEST = 1 << 20


@dataclass(frozen=True)
class Exceeded:
    """step: of `steps.STEPS`. share: its part of the allowed error. times: how many times as large its part would have to be.

    bits: the precision that this would be, in bits. classes: C.
    """

    step: str
    share: float
    times: float
    bits: float
    classes: int

    @property
    def words(self) -> str:
        part = f"step exceeded: {STEPS[self.step]}, {self.share:.0%} of the allowed error"
        words = f"{part}; it would have to be {self.times:.3g} times as large, as if it were good to {self.bits:.0f} bits"
        if self.step == ASSEMBLING and 1 < self.times <= self.classes - 1:
            words += f", or rounded once for each of {self.classes} classes, as a sum of logarithms is"
        return words


def exceeded_step(worst: Mismatch, evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> Exceeded | None:
    """The step that is exceeded by a number outside its bound; None where no rounding of any format explains it."""
    case = evaluation.case
    unit = FORMATS[FORMATS[case.dtype].arithmetic].unit_roundoff
    shape = evaluation.shape(output)
    if not 1 < worst.ratio < COARSEST / unit or prod(shape) > LARGEST:
        return None
    with np.errstate(all="ignore"):
        parts = {step: worst.allowed - _allowed_at(worst.index, evaluation, output, grade.leaving_out(step), dtype) for step in STEPS}
    step = max(parts, key=lambda name: parts[name])
    error = worst.ratio * worst.allowed
    if not parts[step] > 0:
        return None
    times = (error - worst.allowed + parts[step]) / parts[step]
    if step in (RESULT, STORAGE):  # rounded to the format of an array, not to that of the arithmetic
        unit = FORMATS[dtype if step == RESULT else case.dtype].unit_roundoff
    return Exceeded(step, parts[step] / worst.allowed, times, -log2(times * unit), _classes(case)) if times * unit < COARSEST else None


def _classes(case: Case) -> int:
    shape = next(iter(case.values.values())).shape
    return Rows(shape, class_axis(shape, case.options)).classes


def _allowed_at(index: tuple[int, ...], evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> float:
    """The allowed error of one element."""
    shape = evaluation.shape(output)
    numbers = np.arange(prod(shape)).reshape(shape)
    for block in evaluation.blocks(output, grade, dtype):
        found = np.flatnonzero(np.asarray(block.select(numbers)) == numbers[index])
        if found.size:
            return float(block.allowed.flat[found[0]])
    return float("nan")

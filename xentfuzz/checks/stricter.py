"""Which grades stricter than the declared one are met by everything that was compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.checks.compare import compare
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import Grade, stricter_than

Array = np.ndarray[Any, Any]


@dataclass
class StricterGrades:
    """In one dtype of one implementation. met: by every output so far, the strictest first; compared: whether there was any.

    What meets a grade meets all that admit it, so that only the strictest need be tried: one or two comparisons for each output.
    """

    met: tuple[Grade, ...]
    compared: bool = False

    @staticmethod
    def than(declared: Grade) -> StricterGrades:
        return StricterGrades(stricter_than(declared))

    def hold(self, got: Array, evaluation: Evaluation, output: str, dtype: str) -> None:
        """Leave out those that this output doesn't meet."""
        self.compared = True
        tried: set[Grade] = set()
        while untried := [grade for grade in self._strictest() if grade not in tried]:
            tried.update(untried)
            failed = {grade for grade in untried if not compare(got, evaluation, output, grade, dtype).ok}
            self.met = tuple(grade for grade in self.met if grade not in failed)

    def _strictest(self) -> Iterator[Grade]:
        """Those that admit no other of them."""
        return (grade for grade in self.met if not any(grade.admits(other) for other in self.met if other != grade))

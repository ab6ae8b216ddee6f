"""The exact result of a case, how far from it a result may be, and an assertion that holds a result to both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xentfuzz.checks.results import require_within
from xentfuzz.checks.whole import exact_and_allowed
from xentfuzz.drawn_case import numpy_of
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.errors import require_known
from xentfuzz.failures.failure import failure
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade

Array = np.ndarray[Any, Any]


def exact(case: Case) -> dict[str, Array]:
    """The exact results of a case, rounded once to float64: "value", and "grad_<argument>" for each gradient that is defined.

    Gradients are those for the case's upstream gradient. Where no number is right, an infinity or NaN that is allowed stands in its place.
    """
    return {output: found for output, (found, _) in _expected(case, "lse/any").items()}


def allowed_error(case: Case, *, grade: str = "lse/any") -> dict[str, Array]:
    """How far from `exact` each result may be when it is returned in the case's dtype, float64, in the shapes of the results.

    grade: "shift/any", "lse/any", "staged/any", ... (`xentfuzz explain`). Raises UsageError for an unknown one. 0 where only that outcome
    will do. Other outcomes may be allowed beside the number (NaN where the contract leaves a choice): `assert_correct` knows them.
    """
    return {output: found for output, (_, found) in _expected(case, grade).items()}


def _expected(case: Case, grade: str) -> dict[str, tuple[Array, Array]]:
    evaluation, by = get_operation(case.operation).evaluate(case), parse_grade(grade)
    return {output: exact_and_allowed(evaluation, output, by, case.dtype) for output in evaluation.outputs()}


def assert_correct(case: Case, result: Any, *, gradient: Any = None, grade: str = "lse/any") -> None:
    """Hold what a kernel gave for a case to the exact result.

    result: the value: a NumPy array or scalar, or an array of another library (torch, jax) on the CPU. gradient: of the first argument, for
    the upstream gradient `case.grad_output`, or a mapping "grad_<argument>" -> gradient. Raises a Failure, which is an AssertionError and
    says which element is wrong, by how much, and which laxer grade would be met; UsageError for an unknown grade or gradient.
    """
    __tracebackhide__ = True  # pytest shows the test, not the harness
    evaluation, by = get_operation(case.operation).evaluate(case), parse_grade(grade)
    for output, given in _given(case, result, gradient):
        require_known("gradient of this case", [output], evaluation.outputs())
        array, dtype = _as_array(given, output)
        if array.shape != evaluation.shape(output):
            raise failure("shape", f"{output} has shape {array.shape}, wanted {evaluation.shape(output)}", output=output)
        require_within(array, evaluation, output, by, dtype, function="forward" if output == "value" else "backward")


def _given(case: Case, result: Any, gradient: Any) -> Iterator[tuple[str, Any]]:
    yield "value", result
    if gradient is None:
        return
    first = get_operation(case.operation).arguments[0].name
    yield from (gradient if isinstance(gradient, Mapping) else {f"grad_{first}": gradient}).items()


def _as_array(given: Any, output: str) -> tuple[Array, str]:
    """The result as a NumPy array, and the format that it is held to. Raises a dtype Failure for what is no array of one of the four."""
    if type(given).__module__.partition(".")[0] == "torch":
        given = numpy_of(given)
    name = dtype_name(given.dtype) if hasattr(given, "dtype") else f"a Python {type(given).__name__}"
    if name not in FORMATS:
        raise failure("dtype", f"{output} is {name}, wanted an array of {', '.join(FORMATS)}", output=output, got=name)
    return np.asarray(given), name

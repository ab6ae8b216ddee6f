"""Our implementations by name, each called where it runs: numba-cuda in a worker of its own, with the simulator where there is no GPU."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz import get
from xentfuzz.arrays import StridedArray
from xentfuzz.checks.compare import compare
from xentfuzz.dtypes import FLOAT_NAMES, dtype_name
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import Expected
from xentfuzz.operations.grades import parse_grade
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.outcome import Call

NAMES = ("numpy", "torch-eager", "numba-cpu", "numba-cuda")


class Ours:
    """One implementation: all its operations, called through the harness's own subjects."""

    def __init__(self, name, subjects):
        self.name = name
        self._subjects = subjects

    def implementation(self, operation):
        return get(self.name, operation=operation)

    def _subject(self, operation):
        key = self.name, operation
        if key not in self._subjects:
            self._subjects[key] = open_subject(self.implementation(operation))
        return self._subjects[key]

    def case(self, operation, *, axis=None, **given):
        """A case from arrays and options by name; every option that is not given has its default. Arrays may be nested lists of float32."""
        specification = get_operation(operation)
        options = dict(specification.defaults)
        names = {argument.name for argument in specification.arguments} | {"grad_output"}
        arrays = {}
        for name, value in given.items():
            if name in names:
                arrays[name] = StridedArray.of(_array(value))
            else:
                options[name] = value
        if axis is not None:
            options["axis"] = axis
        first = arrays[specification.arguments[0].name]
        return Case(operation, first.dtype, arrays, options)

    def outcome(self, case, function="forward"):
        arrays = {name: array for name, array in case.arrays.items() if function == "backward" or name != "grad_output"}
        return self._subject(case.operation).call(Call(function, arrays, case.options))

    def results(self, case, function="forward"):
        outcome = self.outcome(case, function)
        assert outcome.results is not None, f"{self.name}: {outcome.raised or outcome.crash or outcome.unsupported}"
        return {name: np.asarray(result) for name, result in outcome.results.items()}

    def value(self, operation, **given):
        """The forward result as float64."""
        return self.results(self.case(operation, **given))["value"].astype(np.float64)

    def call(self, _, case):
        """In the form in which relations ask for results: by operation and case."""
        return self.results(case)["value"]

    def grade(self, operation, dtype="float32"):
        return parse_grade(self.implementation(operation).grade_for(dtype))

    def allowed(self, operation, **given):
        """How far the value may be from the exact one, flattened."""
        case = self.case(operation, **given)
        return Expected(case, self.results(case)["value"], self.grade(operation, case.dtype)).allowed

    def assert_right(self, case, *outputs):
        """Hold results against exact ones: "value", "grad_logits", ..., each with every function that gives it."""
        evaluation = get_operation(case.operation).evaluate(case)
        for output in outputs:
            got = self.results(case, "forward" if output == "value" else "backward")[output]
            assert got.shape == evaluation.shape(output)
            assert dtype_name(got.dtype) == case.dtype
            comparison = compare(got, evaluation, output, self.grade(case.operation, case.dtype), case.dtype)
            assert comparison.ok, f"{self.name} {output}: {comparison.worst}"


def _array(value):
    array = np.asarray(value)
    return array.astype(np.float32) if isinstance(value, list) and array.dtype == np.float64 else array


@pytest.fixture(scope="session")
def subjects():
    opened = {}
    yield opened
    for subject in opened.values():
        subject.close()


@pytest.fixture
def named(subjects):
    """A function from a name to that implementation."""
    return lambda name: Ours(name, subjects)


@pytest.fixture(params=NAMES)
def ours(request, named):
    return named(request.param)


@pytest.fixture
def torch_eager(named):
    return named("torch-eager")


@pytest.fixture(params=[name for name in NAMES if name != "torch-eager"])
def kernels(request, named):
    """Those whose kernels and argument checks are written here."""
    return named(request.param)


@pytest.fixture(params=FLOAT_NAMES)
def dtype(request):
    return request.param

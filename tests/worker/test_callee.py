"""What reaches an implementation's functions, and what becomes of everything that they may do."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UsageError
from xentfuzz.worker.callee import Callee
from xentfuzz.worker.plan import Plan

LOGITS = np.arange(6.0).reshape(2, 3)
ARRAYS = {"logits": LOGITS, "target": np.array([0, 2])}
DEFAULTS = {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0}


def callee(forward, spelling=None, fixed=None, always=(), **functions):
    return Callee(
        Plan(
            name="subject",
            operation="cross_entropy",
            functions={"forward": forward, **functions},
            array="numpy",
            device="cpu",
            positional=("logits", "target"),
            optional=("weight",),
            differentiable=("logits", "target", "weight"),
            defaults=DEFAULTS,
            always=frozenset(always),
            spelling=spelling or {},
            fixed=fixed or {},
        )
    )


def answer(subject, function="forward", options=None, **arrays):
    held = {name: StridedArray.of(np.asarray(value)) for name, value in {**ARRAYS, **arrays}.items()}
    return subject.call(function, held, {**DEFAULTS, **(options or {})})


def recorder():
    """A forward that takes everything and a list of what it was given."""
    seen = []

    def forward(logits, target, **named):
        seen.append(named)
        return 0.0

    return forward, seen


def test_an_option_is_passed_where_it_differs_from_its_default():
    forward, seen = recorder()
    subject = callee(forward)
    answer(subject)
    answer(subject, options={"reduction": "sum", "label_smoothing": 0.5})
    assert seen == [{}, {"reduction": "sum", "label_smoothing": 0.5}]


def test_some_options_are_always_passed():
    forward, seen = recorder()
    answer(callee(forward, always=["reduction"]))
    assert seen == [{"reduction": "mean"}]


def test_a_required_parameter_is_always_passed():
    seen = []

    def forward(logits, target, weight, ignore_index, *, reduction):
        seen.append((weight, ignore_index, reduction))
        return 0.0

    answer(callee(forward))
    assert seen == [(None, -100, "mean")]


def test_names_are_spelt_as_the_implementation_does_and_fixed_ones_added():
    forward, seen = recorder()
    subject = callee(forward, spelling={"ignore_index": "ignored_index", "weight": "class_weights"}, fixed={"inplace": True})
    answer(subject, options={"ignore_index": 1}, weight=np.ones(3))
    assert seen[0].pop("class_weights").tolist() == [1, 1, 1]
    assert seen == [{"ignored_index": 1, "inplace": True}]


def test_a_fixed_argument_goes_to_the_functions_that_have_it():
    subject = callee(lambda logits, target, *, inplace: 0.0, fixed={"inplace": True}, backward=lambda grad_output, logits, target: logits)
    assert answer(subject).results == {"value": 0.0}
    assert answer(subject, "backward", grad_output=1.0).results is not None


@pytest.mark.parametrize(("options", "arrays", "name"), [({"ignore_index": 1}, {}, "ignore_index"), ({}, {"weight": np.ones(3)}, "weight")])
def test_what_has_no_parameter_is_unsupported(options, arrays, name):
    assert answer(callee(lambda logits, target: 0.0), options=options, **arrays).unsupported == f"no parameter for {name}"


def test_gradients_come_from_backward_or_value_and_grad():
    subject = callee(
        lambda logits, target: 0.0,
        backward=lambda grad_output, logits, target: grad_output * logits,
        value_and_grad=lambda logits, target: (np.float64(3), 2 * logits),
    )
    np.testing.assert_array_equal(answer(subject, "backward", grad_output=np.float64(5)).results["grad_logits"].bits, 5 * LOGITS)
    both = answer(subject, "value_and_grad").results
    assert both["value"].bits == 3
    np.testing.assert_array_equal(both["grad_logits"].bits, 2 * LOGITS)


def test_without_them_there_are_none():
    subject = callee(lambda logits, target: 0.0)
    assert answer(subject, "backward", grad_output=1.0).unsupported == "no backward, and its array library has no automatic differentiation"
    assert answer(subject, "value_and_grad").unsupported == "no value_and_grad"


def raising(error):
    def forward(logits, target):
        raise error

    return callee(forward)


def test_not_implemented_means_unsupported():
    assert answer(raising(NotImplementedError("no float16"))).unsupported == "no float16"
    assert answer(raising(NotImplementedError())).unsupported == "NotImplementedError"


@pytest.mark.parametrize("error", [ValueError("bad"), AssertionError("bad"), GeneratorExit("bad")])
def test_any_other_exception_is_reported(error):
    raised = answer(raising(error)).raised
    assert (raised.types[0], raised.message) == (type(error).__name__, "bad")
    assert "in forward" in raised.traceback
    assert raised.traceback.count("File") == 1


class OutOfMemoryError(RuntimeError):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [(SystemExit(3), "exit"), (MemoryError(), "out_of_memory"), (OutOfMemoryError("CUDA"), "out_of_memory")],
)
def test_ends_of_a_process_that_are_exceptions_are_crashes(error, kind):
    assert answer(raising(error)).crash.kind == kind


def test_an_interrupt_is_the_callers():
    with pytest.raises(KeyboardInterrupt):
        answer(raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "it returned a builtins.NoneType; wanted a NumPy array"),
        ([1.0], "it returned a builtins.list; wanted a NumPy array"),
        (np.array([None]), "it returned an array of dtype object; wanted numbers"),
        (1j, "it returned a builtins.complex; wanted a NumPy array"),
    ],
)
def test_a_result_that_is_no_array_is_of_no_use(result, message):
    unusable = answer(callee(lambda logits, target: result)).unusable
    assert (unusable.kind, unusable.message) == ("dtype", message)


@pytest.mark.parametrize("result", [(1, 2, 3), 1.0, None])
def test_value_and_grad_returns_a_pair(result):
    unusable = answer(callee(lambda logits, target: 0.0, value_and_grad=lambda logits, target: result), "value_and_grad").unusable
    assert "wanted (loss, gradient)" in unusable.message


@pytest.mark.parametrize("number", [True, 3, 0.5])
def test_a_python_number_stays_one(number):
    value = answer(callee(lambda logits, target: number)).results["value"]
    assert (type(value), value) == (type(number), number)


def test_a_numpy_scalar_is_an_array_without_axes():
    value = answer(callee(lambda logits, target: np.float32(0.5))).results["value"]
    assert (value.bits.shape, value.dtype) == ((), "<f4")


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (3, "a int can't be called"),
        (dict, "dict is a class"),
        (lambda logits: 0, "takes 1 positional argument (logits); wanted 2 arrays at least"),
        (
            lambda *, logits, target: 0,
            "takes 0 positional arguments (none); wanted 2 arrays at least; logits, target can be passed by keyword only",
        ),
    ],
)
def test_what_cannot_be_an_implementation_is_refused(forward, message):
    with pytest.raises(UsageError) as error:
        callee(forward)
    assert message in str(error.value)


def test_functions_may_be_references():
    assert answer(callee("numpy:minimum", spelling={"reduction": "casting"})).raised is not None


def test_an_option_whose_default_is_another_in_the_signature_is_always_passed():
    seen = []

    def forward(logits, target, pad=0, *, reduction="none", label_smoothing=0, **more):
        seen.append((pad, reduction, label_smoothing, more))
        return 0.0

    answer(callee(forward, spelling={"ignore_index": "pad"}))
    assert seen == [(-100, "mean", 0, {})]

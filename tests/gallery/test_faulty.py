"""Every bug is really there: a hand-written case shows it, and a near miss is answered rightly."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.compare import compare
from xentfuzz.gallery import catalogue
from xentfuzz.gallery.autograd import SavedGradient
from xentfuzz.gallery.cross_entropy import CrossEntropy
from xentfuzz.gallery.entry import TIERS
from xentfuzz.gallery.observe import OBSERVATIONS, observe, run_backward, run_forward
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade

UNDEFINED = {"D08": catalogue.honest()["D08"]}
BUGS = {**catalogue.faulty(), **UNDEFINED}
CROSS_ENTROPY = get_operation("cross_entropy")
OPTIONS = {"ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0}


def each(entries):
    slow = {True: (pytest.mark.slow,), False: ()}
    return [pytest.param(entry, id=name, marks=slow[entry.shown.slow]) for name, entry in entries.items()]


def honest_twin(entry):
    return SavedGradient() if issubclass(entry.kernel, SavedGradient) else CrossEntropy()


def test_all_reported_bugs_are_in_the_gallery():
    assert len(BUGS) == 101
    assert len(UNDEFINED) == 1


@pytest.mark.parametrize("entry", each(BUGS))
def test_the_hand_written_case_shows_the_bug(entry):
    assert entry.shown.wrong != entry.shown.right
    assert observe(honest_twin(entry), entry.shown) == entry.shown.right
    assert observe(entry.kernel(), entry.shown) == entry.shown.wrong


def answers(kernel, call):
    """The loss and the gradient, or the class of the exception."""
    try:
        return [run_forward(kernel, call), run_backward(kernel, call)]
    except Exception as error:  # noqa: BLE001 - whatever is raised is the answer
        return type(error)


def is_exact(answer, call, output):
    """Whether the answer is within the allowed error of the exact result."""
    arguments = call.arguments()
    upstream = call.upstream(answer if output == "value" else run_forward(CrossEntropy(), call))
    arrays = {name: StridedArray.of(value) for name, value in arguments.items() if isinstance(value, np.ndarray)}
    case = Case("cross_entropy", call.dtype, {**arrays, "grad_output": StridedArray.of(upstream)}, {**OPTIONS, **call.options})
    return compare(answer, CROSS_ENTROPY.evaluate(case), output, parse_grade("lse/any"), call.dtype).ok


@pytest.mark.parametrize("entry", [parameter for parameter in each(BUGS) if parameter.id not in ("R60", "R98", "D58")])
def test_a_near_miss_is_answered_rightly(entry):
    right, given = answers(CrossEntropy(), entry.unaffected), answers(entry.kernel(), entry.unaffected)
    if isinstance(right, type):
        assert given is right
        return
    for expected, answer, output in zip(right, given, ("value", "grad_logits"), strict=True):
        assert np.array_equal(expected, answer) or is_exact(answer, entry.unaffected, output)


@pytest.mark.parametrize("entry", each(BUGS))
def test_an_entry_says_what_it_is(entry):
    assert entry.reference
    assert entry.mechanism
    assert entry.tier in TIERS
    assert entry.shown.by in OBSERVATIONS
    assert entry.profile in ("default", "thorough")
    assert entry.smallest >= 0
    assert (entry.honest is None) == (entry.id not in UNDEFINED)
    assert entry.kernel.__mro__[1] is not object, "a faulty entry replaces steps of an honest implementation"

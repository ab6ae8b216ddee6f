"""What calls take is learnt from those that were made, each of the four parts by itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xentfuzz.subjects.cost import ELEMENT, FRESH, ROW, Costs, Work, works
from xentfuzz.subjects.outcome import Call

SIZES = [(3, 5), (3, 65), (16, 4), (64, 4), (4, 64), (4, 512), (1, 2)]


def learnt(seconds, dtypes=("float32",), functions=("forward",)):
    costs = Costs()
    for dtype, function, (rows, classes), fresh in itertools.product(dtypes, functions, SIZES, (True, False)):
        work = Work(function, dtype, rows, rows * classes, fresh)
        costs.note(work, seconds(work), new_kind=False)
    return costs


@pytest.mark.parametrize(
    ("seconds", "feature", "rate"),
    [
        (lambda work: 0.001 + 0.005 * work.rows, ROW, 0.005),
        (lambda work: 0.001 + 0.0002 * work.elements, ELEMENT, 0.0002),
        (lambda work: 0.001 + 0.4 * work.fresh, FRESH, 0.4),
    ],
)
def test_what_takes_the_time_is_told_from_what_does_not(seconds, feature, rate):
    costs = learnt(seconds)
    assert costs.rate("float32", feature) == pytest.approx(rate, rel=0.05)
    others = {ROW, ELEMENT, FRESH} - {feature}
    assert all(costs.rate("float32", other) < 0.05 * rate for other in others)


def test_a_call_of_another_size_is_predicted():
    costs = learnt(lambda work: 0.15 + 0.005 * work.rows)
    assert costs.seconds(Work("forward", "float32", 1000, 3000)) == pytest.approx(5.15, rel=0.05)
    assert costs.of_size(Work("forward", "float32", 1000, 3000)) == pytest.approx(5.0, rel=0.05)


def test_one_slow_dtype_makes_no_other_slow():
    costs = learnt(lambda work: 0.01 * work.rows * (work.dtype == "float64"), dtypes=("float32", "float64"))
    assert costs.rate("float64", ROW) == pytest.approx(0.01, rel=0.05)
    assert costs.rate("float32", ROW) < 1e-4


def test_of_a_dtype_without_calls_the_worst_is_expected():
    costs = learnt(lambda work: 0.01 * work.rows * (work.dtype == "float64"), dtypes=("float32", "float64"))
    assert costs.rate("float16", ROW) == pytest.approx(0.01, rel=0.05)


def test_a_slow_backward_makes_a_dtype_slow():
    costs = learnt(lambda work: 0.01 * work.rows * (work.function == "backward"), functions=("forward", "backward"))
    assert costs.rate("float32", ROW) == pytest.approx(0.01, rel=0.05)
    assert costs.seconds(Work("forward", "float32", 100, 300)) < 0.01


def test_the_first_call_of_a_kind_says_nothing_about_sizes():
    costs = learnt(lambda _: 0.001)
    costs.note(Work("forward", "float32", 3, 15, fresh=True), 20.0, new_kind=True)
    assert costs.seconds(Work("forward", "float32", 3, 15)) < 0.01


def test_nothing_is_expected_before_any_call():
    assert Costs().seconds(Work("forward", "float32", 3, 15)) == 0


def test_the_work_of_a_call_is_its_rows_and_elements(make_call):
    (work,) = works(make_call(logits=np.zeros((4, 7, 2), np.float16)), fresh=True)
    assert work == Work("forward", "float16", 8, 56, fresh=True)


def test_the_work_of_a_protocol_is_that_of_its_steps(make_call):
    one, other = make_call("backward", grad_output=np.float32(1)), make_call(logits=np.zeros((5, 2)))
    arrays = {f"{number}.{name}": array for number, call in enumerate((one, other)) for name, array in call.arrays.items()}
    steps = [{"function": "backward", "options": {}}, {"function": "forward", "options": {}}]
    found = list(works(Call("protocol:hold", arrays, {"steps": steps}), fresh=False))
    assert found == [Work("backward", "float32", 2, 6), Work("forward", "float64", 5, 10)]

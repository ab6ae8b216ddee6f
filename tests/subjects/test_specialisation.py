"""Which calls count as first ones, and how long they may take."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.recipes.layouts import lay_out
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.specialisation import Specialisations, specialisation

LIMITS = Limits(call_seconds=10, first_call_seconds=120)


@pytest.mark.parametrize(
    "other",
    [
        {"function": "backward"},
        {"logits": np.zeros((2, 3))},
        {"logits": np.zeros((2, 3, 1), np.float32)},
        {"logits": lay_out(np.zeros((2, 3), np.float32), "fortran")},
        {"logits": lay_out(np.zeros((2, 3), np.float32), "read_only")},
        {"target": np.zeros(2, np.int32)},
        {"target": np.zeros((2, 3), np.float32)},
        {"weight": np.zeros(3, np.float32)},
        {"options": {"size_average": True}},
    ],
)
def test_what_compilers_distinguish_is_distinguished(make_call, other):
    assert specialisation(make_call(**other)) != specialisation(make_call())


def test_values_and_sizes_are_not_distinguished(make_call):
    larger = make_call(logits=np.ones((7, 9), np.float32), target=np.zeros(7, np.int64), options={"reduction": "sum"})
    assert specialisation(larger) == specialisation(make_call())


def test_a_first_call_may_take_longer_until_first_calls_are_known_to_be_fast(make_call):
    known, call = Specialisations(), make_call()
    assert known.time_limit(("a",), LIMITS) == 120
    known.note(("a",), call, 0.5)
    assert known.time_limit(("a",), LIMITS) == 10
    assert known.time_limit(("b",), LIMITS) == 15
    known.note(("b",), call, 60)
    assert known.time_limit(("c",), LIMITS) == 120


def test_new_shapes_may_take_a_compiler_as_long_as_a_first_call_did(make_call):
    known = Specialisations()
    known.note(("a",), make_call(), 3)
    assert known.time_limit(("a",), LIMITS) == 10
    assert known.time_limit(("a",), LIMITS, fresh=True) == 40


def test_a_fresh_worker_may_compile_again_what_another_one_did(make_call):
    known = Specialisations()
    known.note(("a",), make_call(), 3)
    assert known.patient_limit(("a",), LIMITS, 10) == 40


def test_later_calls_say_nothing_about_compiling(make_call):
    known, call = Specialisations(), make_call()
    known.note(("a",), call, 0.5)
    known.note(("a",), call, 8)
    assert known.time_limit(("b",), LIMITS) == 15


def test_a_call_may_take_many_times_what_calls_of_its_size_did():
    known = Specialisations()
    known.seen.add(("a",))
    assert known.time_limit(("a",), LIMITS, expected=30) == 610


def test_once_a_hang_was_confirmed_the_next_ones_cost_less_but_a_compiler_keeps_its_time(make_call):
    known = Specialisations()
    known.note(("a",), make_call(), 3)
    known.hung = True
    assert known.time_limit(("a",), LIMITS) == 5
    known.forget()
    assert known.time_limit(("a",), LIMITS) == 35


def test_the_same_call_in_a_fresh_worker_is_given_more_time(make_call):
    known = Specialisations()
    assert known.patient_limit(("a",), LIMITS, 15) == 120
    known.note(("a",), make_call(), 0.1)
    assert known.patient_limit(("a",), LIMITS, 15) == 30


def test_shapes_and_options_are_new_once_in_each_worker(make_call):
    known, call = Specialisations(), make_call()
    assert known.has_new_shapes(call)
    known.note(("a",), call, 0.1)
    assert not known.has_new_shapes(make_call())
    assert known.has_new_shapes(make_call(logits=np.zeros((2, 4), np.float32)))
    assert known.has_new_shapes(make_call(options={"reduction": "sum"}))
    known.forget()
    assert known.has_new_shapes(call)

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


def test_a_first_call_may_take_longer_until_first_calls_are_known_to_be_fast():
    known = Specialisations()
    assert known.time_limit(("a",), LIMITS) == 120
    known.note(("a",), 0.5)
    assert known.time_limit(("a",), LIMITS) == 10
    assert known.time_limit(("b",), LIMITS) == 15
    known.note(("b",), 60)
    assert known.time_limit(("c",), LIMITS) == 120


def test_later_calls_say_nothing_about_compiling():
    known = Specialisations()
    known.note(("a",), 0.5)
    known.note(("a",), 8)
    assert known.time_limit(("b",), LIMITS) == 15

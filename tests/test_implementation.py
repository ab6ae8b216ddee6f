"""What an author declares."""

from __future__ import annotations

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation


def forward(logits, target):
    return logits


def test_grade_is_working_precision_unless_given():
    assert Implementation("mine", forward).grade_for("float32") == "lse/any"


def test_a_single_grade_holds_for_every_dtype():
    assert Implementation("mine", forward, grade="shift/any").grade_for("float16") == "shift/any"


def test_a_grade_may_differ_by_dtype():
    mine = Implementation("mine", forward, grade={"float16": "staged/any"})
    assert mine.grade_for("float16") == "staged/any"
    assert mine.grade_for("float32") == "lse/any"


def test_an_unknown_array_library_is_refused():
    with pytest.raises(UsageError, match="array='cupy' is none of numpy"):
        Implementation("mine", forward, array="cupy")


def test_an_unknown_key_of_supports_is_refused():
    with pytest.raises(UsageError, match=r"supports names rank; known keys: targets.*options=\{\"reduction\": \("):
        Implementation("mine", forward, supports={"rank": (2,)})


@pytest.mark.parametrize("values", ["mean", 0])
def test_the_values_of_an_option_are_a_tuple(values):
    with pytest.raises(UsageError, match=r"give reduction as .*; wanted a tuple of values, such as \{.*,\)\}, or None for all"):
        Implementation("mine", forward, supports={"options": {"reduction": values}})

"""Values of options that more than one command reads."""

from __future__ import annotations

import pytest

from xentfuzz.command_line import values
from xentfuzz.failures.expected import shipped_expectations


def test_what_is_known_of_others_is_always_expected(tmp_path):
    own = tmp_path / "known.toml"
    own.write_text('[[expected]]\nimplementation = "numpy"\ncheck = "value"\nreason = "a test"\n')
    shipped = shipped_expectations().entries
    assert shipped
    assert values.expectations(None, []).entries == shipped
    assert [entry.reason for entry in values.expectations(str(own), []).entries] == ["a test", *(entry.reason for entry in shipped)]


def test_a_dtype_named_twice_is_one():
    assert values.dtypes(["float32", "float16", "float32"]) == ("float32", "float16")


@pytest.mark.parametrize("text", ["weight,gradient", " weight, gradient,", ",weight,,gradient"])
def test_commas_around_features_are_no_features(text):
    assert values.features(text) == ("weight", "gradient")


def test_variables_may_be_empty_and_hold_equal_signs():
    assert values.variables(["A=1=2", "B="]) == {"A": "1=2", "B": ""}
    assert values.variables(None) == {}

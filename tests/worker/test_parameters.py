"""What signatures say, and how arguments are arranged for them."""

from __future__ import annotations

import pytest

from xentfuzz.worker.parameters import Parameters, parameters_of


def plain(logits, target, weight=None, *, reduction="mean", scale):
    """Named parameters only."""


def names(parameters):
    return [parameter.name for parameter in parameters.named]


def test_leading_arrays_are_left_out():
    parameters = parameters_of(plain).after(2)
    assert names(parameters) == ["weight", "reduction", "scale"]
    assert parameters.takes("weight")
    assert not parameters.takes("logits")
    assert parameters.requires("scale")
    assert not parameters.requires("reduction")


def test_only_positional_parameters_lead():
    assert names(parameters_of(lambda logits, *, target: 0).after(2)) == ["target"]


@pytest.mark.parametrize("function", [lambda logits, **options: 0, lambda *arguments, **options: 0])
def test_any_name_is_taken_where_the_signature_is_open(function):
    assert parameters_of(function).takes("label_smoothing")


def test_any_name_is_taken_where_there_is_no_signature():
    assert parameters_of(min) == Parameters(None)
    assert parameters_of(min).after(2).takes("axis")


def test_more_positions_are_not_more_names():
    parameters = parameters_of(lambda *arrays: 0)
    assert parameters.starred
    assert not parameters.takes("weight")


def test_what_can_only_be_passed_by_position_is():
    parameters = parameters_of(lambda logits, weight=None, scale=1, /, reduction="mean": 0).after(1)
    assert parameters.arrange({"reduction": "sum", "weight": 3}) == ((3,), {"reduction": "sum"})
    assert parameters.arrange({"reduction": "sum"}) == ((), {"reduction": "sum"})
    with pytest.raises(TypeError, match="scale can be passed by position only"):
        parameters.arrange({"scale": 3})

"""The own part of the space: what both sides take, and nothing where they exclude each other."""

from __future__ import annotations

from dataclasses import replace

from xentfuzz.operations import get_operation
from xentfuzz.runner.spaces import common_space, opt_in_space, own_space
from xentfuzz.subjects.capabilities import Capabilities

OPERATION = get_operation("cross_entropy")
SPACE = common_space(OPERATION, "float32", "ordinary")
EVERYTHING = Capabilities(
    "cross_entropy",
    ("float32",),
    targets=("index", "probabilities"),
    target_dtypes=("int64",),
    weight=True,
    options={"ignore_index": None, "reduction": None, "label_smoothing": None},
)


def test_who_takes_everything_has_the_common_space() -> None:
    assert own_space(SPACE, OPERATION, EVERYTHING) == SPACE


def test_only_what_both_take_is_drawn() -> None:
    capabilities = replace(EVERYTHING, ranks=(2,), weight=False, options={"reduction": ("mean", "sum")})
    own = own_space(replace(SPACE, options={"reduction": ("sum", "none"), "label_smoothing": None}), OPERATION, capabilities)
    assert own is not None
    assert (own.ranks, own.weight, own.options) == ((2,), False, {"reduction": ("sum",)})


def test_nothing_is_drawn_where_they_exclude_each_other() -> None:
    assert own_space(replace(SPACE, ranks=(3, 4)), OPERATION, replace(EVERYTHING, ranks=(2,))) is None
    assert own_space(replace(SPACE, targets=("probabilities",)), OPERATION, replace(EVERYTHING, targets=("index",))) is None
    mean = replace(EVERYTHING, options={"reduction": ("mean",)})
    assert own_space(replace(SPACE, options={"reduction": ("none",)}), OPERATION, mean) is None


def test_no_value_to_ignore_is_a_space_without_ignored_rows() -> None:
    own = own_space(SPACE, OPERATION, replace(EVERYTHING, options={"ignore_index": ()}))
    assert own is not None
    assert own.options == {"ignore_index": ()}


def test_class_indices_are_drawn_in_a_dtype_that_is_taken() -> None:
    cases = (
        (("int64", "int32"), ("int64",), None),
        (("int32", "int8", "bool"), ("int32",), None),
        (("int8", "uint8", "bool"), ("uint8",), 256),
        ((), ("int64",), None),
    )
    for given, drawn, classes in cases:
        own = own_space(SPACE, OPERATION, replace(EVERYTHING, target_dtypes=given))
        assert own is not None
        assert (own.target_dtypes, own.largest_class_count) == (drawn, classes)


def test_options_of_some_signatures_are_drawn_for_those_only() -> None:
    assert opt_in_space(SPACE, OPERATION, EVERYTHING) is None
    opted = opt_in_space(SPACE, OPERATION, replace(EVERYTHING, options={**EVERYTHING.options, "reduce": None}))
    assert opted is not None
    assert set(opted.options) == {*SPACE.options, "reduce"}

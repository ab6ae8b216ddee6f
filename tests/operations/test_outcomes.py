"""The worked tables of what special values may give: ignored rows, empty denominators, infinities and NaN in kept rows."""

from __future__ import annotations

import numpy as np
import pytest
from cases import INF, NAN_, evaluation_of, gradient, loss, only_block, outcome_words, policy_names

from xentfuzz.operations.grades import LADDER

LOG_2, LOG_3 = 0.6931, 1.0986
MEAN, SUM = {"reduction": "mean"}, {"reduction": "sum"}
NAN_OR_0 = {"nan", "0"}
ROW = [0.0, 0.0]
NAN_ROW = [NAN_, 0.0]


# Ignored rows and empty denominators.


def test_an_ignored_row_has_no_loss_and_a_gradient_of_exactly_zero() -> None:
    assert loss([ROW, ROW], [0, -100]) == [{LOG_2}, {0.0}]
    assert loss([ROW, ROW], [0, -100], **SUM) == [{LOG_2}]
    assert loss([ROW, ROW], [0, -100], **MEAN) == [{LOG_2}]
    evaluation = evaluation_of("cross_entropy", [ROW, ROW], [0, -100])
    block = only_block(evaluation, "grad_logits")
    assert block.exact[1].tolist() == [0, 0]
    assert block.allowed[1].tolist() == [0, 0]
    assert block.outcomes is None


@pytest.mark.parametrize("options", [{}, {"weight": [0.5, 2.0]}, {"label_smoothing": 0.3}])
def test_a_mean_over_nothing_is_nan_or_zero(options: dict[str, object]) -> None:
    assert loss([ROW, ROW], [-100, -100], **options) == [{0.0}, {0.0}]
    assert loss([ROW, ROW], [-100, -100], **SUM, **options) == [{0.0}]
    assert loss([ROW, ROW], [-100, -100], **MEAN, **options) == [NAN_OR_0]
    assert gradient([ROW, ROW], [-100, -100], **options) == [[{0.0}] * 2] * 2
    assert gradient([ROW, ROW], [-100, -100], **SUM, **options) == [[{0.0}] * 2] * 2
    assert gradient([ROW, ROW], [-100, -100], **MEAN, **options) == [[NAN_OR_0] * 2] * 2


def test_a_mean_over_no_rows_is_nan_or_zero() -> None:
    for target in (np.zeros(0, np.int64), np.zeros((0, 2))):
        assert loss(np.zeros((0, 2)), target) == []
        assert loss(np.zeros((0, 2)), target, **SUM) == [{0.0}]
        assert loss(np.zeros((0, 2)), target, **MEAN) == [NAN_OR_0]
    assert loss(np.zeros((2, 3, 0)), np.zeros((2, 0), np.int64), **MEAN) == [NAN_OR_0]


def test_weights_of_zero_under_mean_are_nan_or_zero_for_indices_only() -> None:
    zero = {"weight": [0.0, 1.0]}
    assert loss([ROW, ROW], [0, -100], **zero) == [{0.0}, {0.0}]
    assert loss([ROW, ROW], [0, -100], **SUM, **zero) == [{0.0}]
    assert loss([ROW, ROW], [0, -100], **MEAN, **zero) == [NAN_OR_0]
    assert gradient([ROW, ROW], [0, -100], **MEAN, **zero) == [[NAN_OR_0] * 2] * 2
    nothing = {"weight": [0.0, 0.0]}
    assert loss([ROW], [[0.5, 0.5]], **MEAN, **nothing) == [{0.0}]
    assert gradient([ROW], [[0.5, 0.5]], **MEAN, **nothing) == [[{0.0}] * 2]


def test_smoothing_over_a_denominator_of_zero_may_be_infinite() -> None:
    assert loss([ROW], [0], weight=[0.0, 1.0], label_smoothing=0.5, **MEAN) == [{"nan", "0", "+inf", "-inf"}]
    assert gradient([ROW], [0], weight=[0.0, 1.0], label_smoothing=0.5, **MEAN) == [[{"anything"}] * 2]


def test_weights_that_cancel_say_nothing() -> None:
    assert loss([ROW, ROW], [0, 1], weight=[1.0, -1.0], **MEAN) == [{"anything"}]
    assert gradient([ROW, ROW], [0, 1], weight=[1.0, -1.0], **MEAN) == [[{"anything"}] * 2] * 2


@pytest.mark.parametrize("special", [[NAN_, 0.0], [INF, 0.0], [-INF, -INF], [INF, INF]])
def test_an_ignored_row_does_not_spoil_the_loss_or_other_rows(special: list[float]) -> None:
    assert loss([special, ROW], [-100, 0]) == [{0.0}, {LOG_2}]
    assert loss([special, ROW], [-100, 0], **MEAN) == [{LOG_2}]
    assert gradient([special, ROW], [-100, 0], **MEAN) == [[NAN_OR_0] * 2, [{-0.5}, {0.5}]]


def test_an_ignored_row_with_a_masked_class_has_no_gradient() -> None:
    assert gradient([[-INF, 0.0], ROW], [-100, 0]) == [[{0.0}] * 2, [{-0.5}, {0.5}]]


# Special values in a kept row.


def test_nan_in_a_row_is_nan_there_and_nowhere_else() -> None:
    assert loss([NAN_ROW, ROW], [1, 0]) == [{"nan"}, {LOG_2}]
    assert loss([NAN_ROW, ROW], [1, 0], **MEAN) == [{"nan"}]
    assert loss([NAN_ROW, ROW], [1, 0], **SUM) == [{"nan"}]
    assert gradient([NAN_ROW, ROW], [1, 0]) == ["nan somewhere", [{-0.5}, {0.5}]]
    assert gradient([NAN_ROW, ROW], [1, 0], **MEAN) == ["nan somewhere", [{-0.25}, {0.25}]]
    assert loss([NAN_ROW], [[0.0, 1.0]]) == [{"nan"}]


def test_a_masked_class_is_as_if_absent() -> None:
    assert loss([[-INF, 0.0, 0.0]], [1]) == [{LOG_2}]
    block = only_block(evaluation_of("cross_entropy", [[-INF, 0.0, 0.0]], [1]), "grad_logits")
    assert outcome_words(block) == [[{0.0}, {-0.5}, {0.5}]]
    assert block.allowed[0, 0] == 0


@pytest.mark.parametrize(("target", "options"), [(1, {"label_smoothing": 0.3}), ([[0.3, 0.7]], {}), (0, {})])
def test_a_coefficient_at_a_masked_class_makes_the_loss_infinite(target: object, options: dict[str, float]) -> None:
    target = [target] if isinstance(target, int) else target
    assert loss([[-INF, 0.0]], target, **options) == [{"+inf"}]
    assert loss([[-INF, 0.0]], target, **options, **MEAN) == [{"+inf"}]
    expected = gradient([[-INF, 0.0]], target, **options)
    assert all(len(words) == 2 and "nan" in words for words in expected[0])


def test_the_gradient_of_an_infinite_loss_is_p_minus_q_or_nan() -> None:
    assert gradient([[-INF, 0.0, 0.0]], [0]) == [[{-1.0, "nan"}, {0.5, "nan"}, {0.5, "nan"}]]


def test_only_the_target_finite_is_zero() -> None:
    assert loss([[-INF, 3.0, -INF]], [1]) == [{0.0}]
    assert gradient([[-INF, 3.0, -INF]], [1]) == [[{0.0}] * 3]


def test_all_masked_is_nan_or_infinite() -> None:
    assert loss([[-INF, -INF]], [0]) == [{"nan", "+inf"}]
    assert loss([[-INF, -INF], ROW], [0, 0], **MEAN) == [{"nan", "+inf"}]


def test_zero_probability_at_a_masked_class_is_nan_or_dropped() -> None:
    evaluation = evaluation_of("cross_entropy", [[-INF, 0.0, 0.0]], [[0.0, 1.0, 0.0]], reduction="none")
    block = only_block(evaluation, "value")
    assert outcome_words(block) == [{LOG_2, "nan"}]
    assert policy_names(block, evaluation) == {"zero probability at -inf"}
    assert gradient([[-INF, 0.0, 0.0]], [[0.0, 1.0, 0.0]]) == [[{0.0, "nan"}, {-0.5, "nan"}, {0.5, "nan"}]]
    assert loss([[-INF, 0.0, 0.0]], [[0.5, 0.5, 0.0]]) == [{"+inf"}]


def test_finite_logits_whose_difference_overflows() -> None:
    largest = float(np.finfo(np.float32).max)
    assert loss([[largest, -largest]], [0]) == [{0.0}]
    assert loss([[largest, -largest]], [[1.0, 0.0]]) == [{0.0, "nan"}]
    evaluation = evaluation_of("cross_entropy", [[largest, -largest]], [1], reduction="none")
    block = only_block(evaluation, "value")
    assert outcome_words(block) == [{2 * largest, "+inf"}]
    assert abs(block.exact[0] - largest) > block.allowed[0]
    assert policy_names(block, evaluation) == set()
    assert gradient([[largest, -largest]], [1]) == [[{1.0}, {-1.0}]]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_logits_at_the_end_of_the_range_have_finite_losses(dtype: str) -> None:
    largest = {"float16": 65504.0, "bfloat16": 3.38953139e38, "float32": 3.40282347e38, "float64": 1.7976931348623157e308}[dtype]
    assert loss([[largest] * 3], [0], dtype=dtype) == [{LOG_3}]
    assert loss([[0.5 * largest, 0.25 * largest]], [0], dtype=dtype) == [{0.0}]


def test_plus_infinity_is_nan_or_the_limit() -> None:
    assert loss([[INF, 0.0]], [1]) == [{"nan", "+inf"}]
    assert loss([[INF, -INF]], [1]) == [{"nan", "+inf"}]
    assert loss([[INF, 0.0]], [0]) == [NAN_OR_0]
    assert loss([[INF, INF]], [0]) == [{"anything"}]
    assert gradient([[INF, 0.0]], [1]) == [[{1.0, "nan"}, {-1.0, "nan"}]]
    assert gradient([[INF, 0.0]], [0]) == [[{0.0, "nan"}, {0.0, "nan"}]]


@pytest.mark.parametrize(("dtype", "large"), [("float32", 3e38), ("float64", 1.6e308), ("bfloat16", 3e38)])
def test_a_sum_that_overflows_may_spoil_a_mean_that_does_not(dtype: str, large: float) -> None:
    logits = [[0.0, large], [0.0, large]]
    evaluation = evaluation_of("cross_entropy", logits, [0, 0], dtype=dtype)
    block = only_block(evaluation, "value")
    (words,) = outcome_words(block)
    assert "+inf" in words
    assert len(words) == 2
    assert policy_names(block, evaluation) == {"overflow of an intermediate"}
    assert gradient(logits, [0, 0], dtype=dtype, **MEAN) == [[{-0.5}, {0.5}]] * 2
    assert loss(logits, [0, 0], dtype=dtype, **SUM) == [{float(block.exact[0]) * 2, "+inf"}]


def test_sixteen_bit_sums_may_overflow_for_sixteen_bit_intermediates_only() -> None:
    for logits, target, options in (
        (np.zeros((1, 66000)), [0], {}),
        (np.full((4, 20000), [0.0] * 2 + [-8.0] * 19998), [0] * 4, {"label_smoothing": 0.1}),
        (np.array([[0.0, 6e4]] * 4), [0] * 4, {}),
    ):
        evaluation = evaluation_of("cross_entropy", logits, target, dtype="float16", **options)
        assert only_block(evaluation, "value", grade="staged/any").outcomes.tolist() == [32]
        default = only_block(evaluation, "value")
        assert default.outcomes is None or default.outcomes.tolist() == [1]


def test_a_share_that_sixteen_bits_round_to_zero_may_meet_infinity_for_sixteen_bit_intermediates_only() -> None:
    logits = np.zeros((1, 336))
    logits[0, 1] = -np.inf
    for smoothing, staged in ((1e-5, 32), (0.1, 4)):
        evaluation = evaluation_of("cross_entropy", logits, [0], dtype="float16", label_smoothing=smoothing)
        assert only_block(evaluation, "value").outcomes.tolist() == [4]
        assert only_block(evaluation, "value", grade="staged/any").outcomes.tolist() == [staged]


def test_a_share_that_is_stored_as_a_subnormal_number_is_allowed_for_sixteen_bit_intermediates_only() -> None:
    stored = float(np.float16(1e-5 / 5)) * 5 * np.log(5)
    options = {"label_smoothing": 1e-5, "reduction": "none"}
    evaluation = evaluation_of("cross_entropy", np.zeros(5), np.zeros(5, np.float16), dtype="float16", **options)
    for grade, right in (("staged/any", True), ("lse/any", False)):
        block = only_block(evaluation, "value", grade=grade)
        assert bool(abs(stored - block.exact[0]) <= block.allowed[0]) is right


def test_sixteen_bit_counts_may_overflow_for_sixteen_bit_intermediates_only() -> None:
    evaluation = evaluation_of("cross_entropy", np.zeros((66000, 2)), [0] * 66000, dtype="float16")
    assert (only_block(evaluation, "grad_logits", grade="staged/any").outcomes == 32).all()
    assert only_block(evaluation, "grad_logits").outcomes is None
    assert only_block(evaluation, "value").outcomes is None


def test_weight_of_zero_times_an_infinite_or_nan_loss() -> None:
    zero = {"weight": [0.0, 1.0]}
    for row in ([-INF, 0.0], NAN_ROW):
        evaluation = evaluation_of("cross_entropy", [row], [0], reduction="none", **zero)
        assert policy_names(only_block(evaluation, "value"), evaluation) == {"zero weight times an infinite or NaN loss"}
        assert outcome_words(only_block(evaluation, "value")) == [NAN_OR_0]
        (mean,) = loss([row, ROW], [0, 1], **MEAN, **zero)
        assert mean == {LOG_2, "nan"}
    assert gradient([NAN_ROW], [0], **zero) == [[NAN_OR_0] * 2]


def test_an_infinite_row_leaves_other_gradients_alone() -> None:
    logits, target = [[-INF, 0.0], ROW], [0, 0]
    assert loss(logits, target) == [{"+inf"}, {LOG_2}]
    assert loss(logits, target, **MEAN) == [{"+inf"}]
    assert loss(logits, target, **SUM) == [{"+inf"}]
    assert gradient(logits, target)[1] == [{-0.5}, {0.5}]


def test_negative_weights_turn_infinities() -> None:
    assert loss([[-INF, 0.0]], [0], weight=[-2.0, 1.0]) == [{"-inf"}]
    assert loss([[-INF, 0.0]], [0], weight=[-2.0, 1.0], **MEAN) == [{"+inf"}]


def test_probabilities_need_no_sum_and_no_sign() -> None:
    assert loss([ROW], [[0.2, 0.4]]) == [{round(0.6 * 0.693147, 4)}]
    assert loss([ROW], [[-0.5, 0.25]]) == [{round(-0.25 * 0.693147, 4)}]
    assert loss([ROW], [[0.0, 0.0]]) == [{0.0}]
    assert gradient([ROW], [[0.0, 0.0]]) == [[{0.0}] * 2]


def test_a_weight_that_is_not_read_does_not_matter() -> None:
    assert loss([[0.0, 0.0, 0.0]], [0], weight=[1.0, NAN_, INF]) == [{LOG_3}]
    assert loss([[0.0, 0.0, 0.0]], [0], weight=[1.0, NAN_, INF], **MEAN) == [{LOG_3}]
    assert loss([[0.0, 0.0, 0.0]], [0], weight=[1.0, NAN_, INF], label_smoothing=0.1) == [{"anything"}]
    assert loss([[0.0, 0.0, 0.0]], [1], weight=[1.0, NAN_, INF]) == [{"anything"}]


def test_an_index_out_of_range_is_nan() -> None:
    assert loss([ROW, ROW], [2, 0]) == [{"nan"}, {LOG_2}]
    assert loss([ROW, ROW], [-1, 0], **MEAN) == [{"nan"}]
    assert loss([ROW, ROW], [2, 0], ignore_index=2) == [{0.0}, {LOG_2}]


def test_narrow_targets_are_compared_as_integers() -> None:
    target = np.array([156], np.uint8)
    assert loss(np.zeros((1, 200)), target, label_smoothing=0.1) == [{round(float(np.log(200)), 4)}]
    assert loss([ROW], np.array([True])) == [{LOG_2}]


@pytest.mark.parametrize(("kept", "value"), [(False, {"nan", "0"}), (True, {"nan"})])
def test_no_classes(kept: bool, value: set[str]) -> None:
    target = [0 if kept else -100]
    assert loss(np.zeros((1, 0)), target) == [{"nan"} if kept else {0.0}]
    assert loss(np.zeros((1, 0)), target, **MEAN) == [value]
    assert loss(np.zeros((1, 0)), np.zeros((1, 0))) == [{0.0}]
    assert loss(np.zeros((1, 0)), np.zeros((1, 0)), **MEAN) == [NAN_OR_0]


# Gradients of probabilities and weight.


def test_gradients_of_probabilities_follow_the_log_probabilities() -> None:
    target = [[0.5, 0.5]]
    assert gradient([[-INF, 0.0]], target, output="grad_target") == [[{"+inf"}, {0.0}]]
    assert gradient([[-INF, 0.0]], target, output="grad_target", weight=[0.0, 1.0]) == [[NAN_OR_0, {0.0}]]
    assert gradient([NAN_ROW], target, output="grad_target") == ["nan somewhere"]
    assert gradient([ROW], target, output="grad_weight", weight=[1.0, 3.0]) == [[{round(0.5 * 0.693147, 4)}] * 2]


# The other operations.


def test_nll_loss_reads_nothing_but_the_target() -> None:
    def nll(log_probs: object, target: object, **options: object) -> object:
        return outcome_words(only_block(evaluation_of("nll_loss", log_probs, target, **{"reduction": "none", **options}), "value"))

    assert nll([[-1.5, NAN_, INF]], [0]) == [{1.5}]
    assert nll([[-INF, 0.0], [INF, 0.0], [NAN_, 0.0]], [0, 0, 0]) == [{"+inf"}, {"-inf"}, {"nan"}]
    assert nll([[NAN_, 0.0], [-2.0, 0.0]], [-100, 0], reduction="mean") == [{2.0}]
    assert nll([[-INF, 0.0]], [0], weight=[0.0, 1.0]) == [NAN_OR_0]
    assert nll([[-1.0, 0.0]], [0], weight=[0.0, 1.0], reduction="mean") == [NAN_OR_0]
    assert nll([[-1.0, 0.0]], [-100], reduction="mean") == [NAN_OR_0]
    assert nll([[0.0, 0.0]], [2]) == [{"nan"}]


def test_the_gradient_of_nll_loss_does_not_depend_on_the_log_probabilities() -> None:
    evaluation = evaluation_of("nll_loss", [[NAN_, 0.0], [0.0, -INF], [INF, 0.0]], [0, 1, -100], weight=[2.0, 0.5])
    block = only_block(evaluation, "grad_log_probs")
    assert outcome_words(block) == [[{-0.8}, {0.0}], [{0.0}, {-0.2}], [{0.0}, {0.0}]]
    assert block.allowed[0, 1] == block.allowed[1, 0] == block.allowed[2].max() == 0


@pytest.mark.parametrize(
    ("row", "softmax", "log_softmax"),
    [
        ([NAN_, 0.0], [{"nan"}] * 2, [{"nan"}] * 2),
        ([-INF, 0.0], [{0.0}, {1.0}], [{-INF}, {0.0}]),
        ([-INF, -INF], [{"nan"}] * 2, [{"nan"}] * 2),
        ([INF, 0.0], [{1.0, "nan"}, {0.0, "nan"}], [{0.0, "nan"}, {-INF, "nan"}]),
    ],
)
def test_softmaxes_of_special_rows(row: list[float], softmax: object, log_softmax: object) -> None:
    for name, expected in (("softmax", softmax), ("log_softmax", log_softmax)):
        block = only_block(evaluation_of(name, [row, ROW], axis=1), "value")
        words = outcome_words(block)
        assert words[0] == expected
        assert words[1] == [{0.5}] * 2 if name == "softmax" else [{-LOG_2}] * 2
        assert (row[0] == row[1]) or (block.allowed[0][np.array(row) == -INF] == 0).all()


def test_gradients_of_softmaxes_of_special_rows() -> None:
    rows = [NAN_ROW, [-INF, -INF], [INF, 0.0], [INF, INF], [-INF, 0.0], ROW]
    for name in ("softmax", "log_softmax"):
        block = only_block(evaluation_of(name, rows, axis=1, upstream=[[1.0, 3.0]] * 6), "grad_logits")
        assert block.nan_rows is not None
        assert block.nan_rows.tolist() == [True, False, False, False, False, False]
        words = outcome_words(block)
        assert words[1] == [NAN_OR_0] * 2
        assert words[3] == [{"anything"}] * 2
        plain = [[{0.0}, {0.0}], [{-0.5}, {0.5}]] if name == "softmax" else [[{1.0}, {-1.0}], [{-1.0}, {1.0}]]
        assert words[4:] == plain
        assert all("nan" in element for element in words[2])


def test_empty_arrays_have_nothing_to_expect() -> None:
    for shape in ((0, 3), (3, 0), (2, 0, 3)):
        for output in ("value", "grad_logits"):
            evaluation = evaluation_of("softmax", np.zeros(shape), axis=1)
            assert evaluation.shape(output) == shape
            assert list(evaluation.blocks(output, LADDER[0], "float32")) == []


def test_an_upstream_gradient_that_is_divided_first_may_overflow_for_sixteen_bit_intermediates_only() -> None:
    arrays = {"weight": np.array([3e-4, 1.0]), "upstream": np.array(9e3)}
    evaluation = evaluation_of("nll_loss", np.array([[-1.0, -2.0]]), [0], dtype="float16", **arrays)
    assert (only_block(evaluation, "grad_log_probs", grade="staged/any").outcomes == 32).all()
    assert only_block(evaluation, "grad_log_probs").outcomes is None

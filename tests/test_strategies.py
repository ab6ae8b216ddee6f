"""The public strategies: what they draw, what they refuse, and that what they find shrinks to code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import DataObject, data

import xentfuzz
from xentfuzz import assert_correct
from xentfuzz.strategies import cases, logits, targets, weights

FEW = settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
SMALLEST = settings(FEW, max_examples=400, phases=(Phase.generate, Phase.shrink))


def plain(x, y, ignore_index, divide):
    x = x.astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    keep = y != ignore_index
    rows = np.where(keep, np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(x)), np.where(keep, y, 0)], 0)
    return np.float32(rows.sum() / divide(keep))


def right(logits, target, *, ignore_index=-100):
    return plain(logits, target, ignore_index, lambda keep: keep.sum())


def wrong(logits, target, *, ignore_index=-100):
    return plain(logits, target, ignore_index, lambda keep: keep.size)


PLAIN = cases(dtypes=("float32",), targets=("index",), options=("ignore_index",), weight=False, ranks=(2,), layouts=("contiguous",))


@FEW
@given(PLAIN)
def test_an_honest_kernel_passes(case):
    assert_correct(case, right(**case.arguments))


def fails(case):
    try:
        assert_correct(case, wrong(**case.arguments))
    except xentfuzz.Failure:
        return True
    return False


def test_a_bug_shrinks_to_two_rows_of_two_classes_written_as_code():
    smallest = find(PLAIN, fails, settings=SMALLEST)
    assert smallest.values["logits"].shape == (2, 2)
    again = eval(repr(smallest), {"xentfuzz": xentfuzz, "np": np})  # noqa: S307
    assert {name: array.tobytes() for name, array in again.values.items()} == {
        name: array.tobytes() for name, array in smallest.values.items()
    }
    assert again.options == smallest.options


@FEW
@given(cases("log_softmax", dtypes=("bfloat16", "float64"), ranks=(1, 3), max_classes=7, max_elements=50))
def test_limits_hold(case):
    (array,) = (case.arguments["logits"],)
    assert array.dtype.name in ("bfloat16", "float64")
    assert array.ndim in (1, 3)
    assert array.size <= 50
    assert array.shape[case.arguments["axis"]] <= 7


@FEW
@given(cases(options={"reduction": ("sum",), "label_smoothing": (0.0, 0.1)}))
def test_options_have_the_values_asked_for(case):
    assert case.options["reduction"] == "sum"
    assert case.options["label_smoothing"] in (0.0, 0.1)
    assert case.options["ignore_index"] == -100


def test_special_values_are_drawn_where_asked_for():
    special = cases("softmax", dtypes=("float32",), special_values=True)
    assert not np.isfinite(
        find(special, lambda case: not np.isfinite(case.values["logits"]).all(), settings=SMALLEST).values["logits"]
    ).all()


@FEW
@given(logits((3, 5), dtype="bfloat16"), targets((3, 5), ignore_index=-1), targets((3, 5, 2), kind="probabilities"), weights(5))
def test_single_arrays_have_the_shape_asked_for(x, index, probabilities, weight):
    assert (x.shape, x.dtype.name) == ((3, 5), "bfloat16")
    assert (index.shape, index.dtype.name) == ((3,), "int64")
    assert ((index >= -1) & (index < 5)).all()
    assert (probabilities.shape, probabilities.dtype.name) == ((3, 5, 2), "float32")
    assert weight.shape == (5,)
    assert (weight >= 0).all()


def test_negative_weights_and_ignored_rows_are_drawn_where_asked_for():
    assert (find(weights(3, negative=True), lambda weight: (weight < 0).any(), settings=SMALLEST) < 0).any()
    assert (find(targets((4, 3), ignore_index=-1), lambda target: (target == -1).any(), settings=SMALLEST) == -1).any()


@FEW
@given(data())
def test_a_strategy_of_a_drawn_shape_can_be_built_within_a_test(drawn: DataObject):
    case = drawn.draw(cases("softmax", max_elements=30))
    shape = tuple(max(length, 1) for length in case.values["logits"].shape)
    assert drawn.draw(logits(shape)).shape == shape


WRONG = {
    "operation": (lambda: cases("softmx"), "operation='softmx' .type=str. given; wanted one of cross_entropy, log_softmax"),
    "operation of another type": (lambda: cases(3), "operation=3 .type=int."),
    "dtypes": (lambda: cases(dtypes=("float8",)), "dtypes='float8' .* wanted some of float16"),
    "dtypes as text": (lambda: cases(dtypes="float32"), "dtypes='float32' .type=str. given; wanted a sequence"),
    "no dtypes": (lambda: cases(dtypes=()), r"dtypes=\(\) .type=tuple. given; wanted a sequence"),
    "targets": (lambda: cases("nll_loss", targets=("probabilities",)), "targets='probabilities' .* wanted some of index"),
    "target_dtypes": (lambda: cases(target_dtypes=("float32",)), "target_dtypes='float32'"),
    "options": (lambda: cases(options=("reduce_mean",)), "options='reduce_mean' .* wanted some of"),
    "options as text": (lambda: cases(options="reduction"), "options='reduction' .* wanted a sequence of names"),
    "ranks": (lambda: cases(ranks=(5,)), "ranks=5 .type=int. given; wanted some of 1, 2, 3, 4"),
    "layouts": (lambda: cases(layouts=("fortran77",)), "layouts='fortran77'"),
    "weight": (lambda: cases(weight="yes"), "weight='yes' .type=str. given; wanted True or False"),
    "max_classes": (lambda: cases(max_classes=0), "max_classes=0 .type=int. given; wanted a positive int"),
    "max_elements": (lambda: cases(max_elements=1.5), "max_elements=1.5 .type=float. given; wanted a positive int"),
    "special_values": (lambda: cases(special_values=1), "special_values=1 .type=int. given; wanted True or False"),
    "shape of logits": (lambda: logits((3, 0)), r"shape=\(3, 0\) .* wanted \(C,\)"),
    "shape as a number": (lambda: logits(3), "shape=3 .type=int. given"),
    "kind of targets": (lambda: targets((3, 2), kind="soft"), "kind='soft' .* wanted some of index, probabilities"),
    "dtype of targets": (lambda: targets((3, 2), dtype="float32"), "dtype='float32' .* wanted some of int64"),
    "classes of weights": (lambda: weights((3,)), r"classes=\(3,\) .type=tuple. given; wanted a positive int"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_refused_when_the_strategy_is_made(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()


def test_the_example_of_the_readme_runs_as_it_stands():
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    code = next(part.partition("```")[0] for part in readme.split("```python\n") if part.startswith("from hypothesis import given"))

    def scaled(factor):
        def my_kernel(**arguments):
            return np.float32(factor) * xentfuzz.exact(xentfuzz.case("cross_entropy", **arguments))["value"].astype("float32")

        scope = {"my_kernel": my_kernel}
        exec(code, scope)  # noqa: S102
        return FEW(scope["test_mine"])

    scaled(1)()
    with pytest.raises(xentfuzz.Failure, match=r"loss.* exact"):
        scaled(1.5)()

"""A few calls find out what an implementation takes, and say in one line what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import CLASS_COUNTS_IF_COSTLY, capabilities_of
from xentfuzz.subjects.probe_calls import COSTLY_SECONDS, MOST_CALLS, MOST_CONFIRMATIONS, MOST_CRASHES
from xentfuzz.subjects.probe_layouts import SAME_AT_EVERY_RANK


class Counted:
    """A subject that counts its calls."""

    def __init__(self, implementation):
        self.inner = InProcess(implementation)
        self.implementation = implementation
        self.calls = []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def call(self, call):
        self.calls.append(call)
        return self.inner.call(call)


def probed(forward, **declaration):
    return capabilities_of(InProcess(Implementation("subject", forward, **declaration)))


def test_what_a_picky_implementation_takes_is_found_and_what_it_refuses_is_said():
    found = probed("kernels:picky")
    assert found.assumed
    assert found.dtypes == ("float32", "float64")
    assert (found.ranks, found.targets, found.target_dtypes) == ((2,), ("index",), ("int64",))
    assert found.options == {"reduction": None}
    assert not found.weight
    assert set(found.layouts) == {*SAME_AT_EVERY_RANK, "transposed", "channels_last"}
    strided = "fortran, sliced_rows, sliced_columns, first_columns, negative_stride, broadcast, broadcast_last, expanded"
    assert f"rejects {strided} layouts: AssertionError: only C order" in found.rejections
    lines = [line for line in found.rejections if "3-d" in line or "bfloat16" in line or "ignore_index" in line]
    assert lines == [
        "rejects bfloat16 logits: TypeError: no 16-bit floats",
        "rejects 3-d logits: AssertionError: only matrices",
        "rejects ignore_index: ValueError: ignore_index is fixed",
    ]
    assert any("'smoothing', which looks like label_smoothing" in line for line in found.rejections)


@pytest.mark.parametrize("forward", ["picky", "wide_loss", "only_probabilities", "multiples_of_eight", "nothing_works"])
def test_a_probe_makes_few_calls_and_tiny_ones(forward):
    subject = Counted(Implementation("subject", f"kernels:{forward}", backward="kernels:backward_of_picky"))
    capabilities_of(subject)
    assert 0 < len(subject.calls) <= MOST_CALLS + MOST_CONFIRMATIONS
    assert max(array.storage.size for call in subject.calls for array in call.arrays.values()) < 20_000


def test_what_is_declared_is_not_probed():
    subject = Counted(
        Implementation("subject", "kernels:nothing_works", dtypes=("float32",), supports={"ranks": (2,), "targets": ("index",)})
    )
    found = capabilities_of(subject)
    assert subject.calls == []
    assert not found.assumed
    assert (found.dtypes, found.ranks, found.targets, found.target_dtypes) == (("float32",), (2,), ("index",), ("int64",))


def test_declared_dtypes_are_kept_while_the_rest_is_probed():
    found = probed("kernels:picky", dtypes=("float16", "float32"))
    assert (found.dtypes, found.ranks) == (("float16", "float32"), (2,))


def test_a_float32_loss_of_16_bit_logits_is_assumed_and_a_float64_loss_of_float32_ones_is_not():
    assert probed("kernels:wide_loss").loss_dtypes == {"float16": "float32", "bfloat16": "float32"}


def test_a_float32_loss_is_found_in_dtypes_that_are_given_unless_the_losses_are_declared():
    assert probed("kernels:wide_loss", dtypes=("float32", "float16")).loss_dtypes == {"float16": "float32"}
    declared = probed("kernels:wide_loss", dtypes=("float32", "float16"), loss_dtype="float16")
    assert declared.loss_dtypes == {"float32": "float16", "float16": "float16"}


def test_another_base_is_found_where_the_commonest_call_is_refused():
    assert probed("kernels:only_probabilities").weight
    assert probed("kernels:only_half").dtypes == ("bfloat16",)


@pytest.mark.parametrize("forward", ["only_int32", "int32_or_probabilities"])
def test_index_targets_of_another_dtype_are_taken_where_int64_is_refused(forward):
    found = probed(f"kernels:{forward}")
    assert ("index" in found.targets, "int64" in found.target_dtypes, "int32" in found.target_dtypes) == (True, False, True)
    assert any(line.startswith("rejects ") and "int64 targets: TypeError: int32 only" in line for line in found.rejections)
    assert not any("index targets" in line for line in found.rejections)


def test_index_targets_are_refused_in_one_line_where_no_dtype_will_do():
    found = probed("kernels:only_probabilities")
    lines = [line for line in (*found.rejections, *found.notes) if "AssertionError" in line]
    assert any(line.startswith("index targets are what cross_entropy is for, and are refused: AssertionError") for line in lines)
    assert not any(f"{dtype} targets: " in line for dtype in ("int32", "int16", "uint8") for line in lines)


def test_what_the_operation_is_for_stays_for_the_checks_unless_it_is_declared():
    assert probed("kernels:only_probabilities").targets == ("index", "probabilities")
    assert probed("kernels:only_vectors").ranks == (1, 2)
    assert probed("kernels:only_probabilities", supports={"targets": ("probabilities",)}).targets == ("probabilities",)
    assert probed("kernels:only_vectors", supports={"ranks": (1,)}).ranks == (1,)


def refusing(error, refused):
    """A loss that raises `error` for matrices whose shape is refused."""

    def loss(logits, target, *, reduction="mean"):
        if logits.ndim == 3 and refused(*logits.shape[:2]):
            raise error
        return np.asarray(0, logits.dtype)

    return loss


@pytest.mark.parametrize("error", [ValueError("no"), TypeError("no"), AssertionError(), IndexError("tuple index out of range")])
def test_a_refusal_on_purpose_everywhere_is_a_missing_feature(error):
    found = probed(refusing(error, lambda rows, classes: True))
    assert (3 in found.ranks, found.doubtful) == (False, ())


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (ValueError("no"), lambda rows, classes: rows == 3),
        (ValueError("no"), lambda rows, classes: classes == 5),
        (ValueError("no"), lambda rows, classes: rows < 17),
        (RuntimeError("launch failed"), lambda rows, classes: True),
        (RecursionError("deep"), lambda rows, classes: True),
        (KeyError("block size"), lambda rows, classes: True),
        (KeyboardInterrupt(), lambda rows, classes: True),
        (ZeroDivisionError("float division"), lambda rows, classes: True),
    ],
)
def test_what_is_refused_now_and_then_or_not_on_purpose_is_no_missing_feature(error, refused):
    found = probed(refusing(error, refused))
    assert 3 in found.ranks
    assert len(found.doubtful) == 1
    assert "of shape (3, 5, 2)" in found.doubtful[0]


def test_a_divisor_of_the_class_count_is_found():
    found = probed("kernels:multiples_of_eight")
    assert (found.class_count_divisor, found.dtypes, found.ranks) == (8, FLOAT_NAMES, (1, 2, 3, 4))


def test_overwritten_arguments_are_noted():
    assert probed("kernels:overwrites").changed_inputs == ("logits",)
    assert probed("kernels:picky").changed_inputs == ()


def test_nothing_is_claimed_for_what_never_works():
    def refuses(logits, target):
        raise TypeError("not today")

    found = probed(refuses)
    assert found.dtypes == ()
    assert found.rejections[-1] == "rejects float32 logits of shape (3, 5) with int64 targets: TypeError: not today"


def test_what_fails_always_and_not_on_purpose_is_held_to_the_commonest_call():
    found = probed("kernels:nothing_works")
    assert (found.dtypes, found.ranks, found.targets) == (("float32",), (2,), ("index",))
    assert found.doubtful[0] == "float32 logits of shape (3, 5) with int64 targets: RuntimeError: not today"


def test_costly_compilation_for_every_class_count_is_noticed(monkeypatch):
    import kernels

    monkeypatch.setattr(kernels, "SECONDS_TO_COMPILE", 1.1 * COSTLY_SECONDS)
    monkeypatch.setattr(kernels, "COMPILED", {(3, 5)})
    declaration = {"dtypes": ("float32",), "supports": None}
    # Other shapes cost nothing, so that the test is quick.
    monkeypatch.setattr("xentfuzz.subjects.probe.Probe._find_inputs", lambda self: None)
    monkeypatch.setattr("xentfuzz.subjects.probe.Probe._find_layouts", lambda self: None)
    found = probed("kernels:compiles_for_every_size", **declaration)
    assert found.class_counts == tuple(count for count in CLASS_COUNTS_IF_COSTLY if count <= 5 * 64)


def test_cheap_compilation_leaves_the_class_counts_alone():
    assert probed("kernels:picky").class_counts is None


def test_gradients_are_there_where_a_backward_is():
    assert probed("kernels:picky").gradients == ()
    found = probed("kernels:picky", backward="kernels:backward_of_picky")
    assert (found.functions, found.gradients) == (("forward", "backward"), ("grad_logits",))


def test_a_declared_backward_that_never_works_stays_so_that_checks_find_it():
    found = probed("kernels:picky", backward="kernels:backward_that_never_works")
    assert (found.functions, found.gradients) == (("forward", "backward"), ("grad_logits",))


def test_a_crash_refuses_nothing_and_few_are_waited_for():
    subject = Counted(Implementation("subject", "harmful:always_exits"))
    found = capabilities_of(subject)
    assert (found.dtypes, found.ranks) == (FLOAT_NAMES, (1, 2, 3, 4))
    assert len(subject.calls) == MOST_CRASHES
    assert {"float64 logits", "3-d logits", "probabilities targets", "fortran layout"} <= {*found.not_tried}


def test_what_no_call_was_left_for_is_said_and_calls_for_the_array_library_count():
    assert probed("kernels:picky").not_tried == ()
    subject = Counted(Implementation("subject", "kernels:picky", tried_calls=MOST_CALLS - 6))
    found = capabilities_of(subject)
    assert 6 <= len(subject.calls) <= 6 + MOST_CONFIRMATIONS
    assert "weight" not in found.not_tried  # picky has no such parameter
    assert {"ignore_index", "reduction", "uint8 targets", "fortran layout"} <= {*found.not_tried}
    assert not any("fortran" in line for line in found.rejections)


def test_softmax_has_no_target_and_without_an_axis_only_the_last_one():
    found = probed("kernels:last_axis", operation="softmax")
    assert (found.targets, found.options, found.weight) == ((), {"axis": (-1,)}, False)
    assert probed(np.cumsum, operation="softmax").options == {"axis": None}


def test_a_refusal_without_words_has_no_colon_at_its_end_and_is_said_once():
    def silent(logits, target):
        if logits.ndim != 2:
            raise AssertionError
        return logits.dtype.type(0)

    found = probed(silent)
    assert "rejects 3-d logits: AssertionError" in found.rejections
    twice = probed("kernels:only_half").rejections
    assert len(set(twice)) == len(twice)


def test_a_kind_of_target_that_the_operation_does_not_know_is_not_tried():
    found = probed("kernels:picky", operation="nll_loss")
    assert found.targets == ("index",)
    assert not any("probabilities" in line for line in found.rejections)


@pytest.mark.parametrize(("forward", "axes"), [("only_axis_1", (1,)), ("no_negative_axis", (1, 0))])
def test_a_softmax_that_does_not_take_the_last_axis_by_the_name_of_minus_one(forward, axes):
    found = probed(f"kernels:{forward}", operation="softmax")
    assert found.options == {"axis": axes}
    assert 2 in found.ranks
    assert "rejects float32 logits of shape (3, 5) with axis=-1: ValueError: a bad axis" in found.rejections


class Broken(InProcess):
    """A subject on which xentfuzz itself fails, in some calls."""

    def __init__(self, implementation, fails):
        super().__init__(implementation)
        self.fails = fails

    def call(self, call):
        if self.fails(call):
            raise ZeroDivisionError("no such luck")
        return super().call(call)


def test_an_error_of_xentfuzz_costs_its_part_of_the_probe_and_is_kept():
    broken = Broken(Implementation("subject", "kernels:picky"), lambda call: call.arrays["target"].dtype == "uint8")
    found, whole = capabilities_of(broken), probed("kernels:picky")
    (error,) = found.harness_errors
    assert (error.doing, error.error) == ("probing: inputs", "ZeroDivisionError: no such luck")
    assert "Traceback" in error.traceback
    assert (found.dtypes, found.options) == (whole.dtypes, whole.options)
    assert found.assumed


def test_where_no_call_can_be_judged_all_stays_as_declared():
    found = capabilities_of(Broken(Implementation("subject", "kernels:picky"), lambda _: True))
    assert [error.doing for error in found.harness_errors] == [
        "probing: parameters under other names",
        "probing: a call that works",
    ]
    assert found.dtypes == FLOAT_NAMES


def test_a_first_call_that_is_refused_now_and_then_is_doubtful():
    def sometimes(logits, target):
        if logits.shape == (3, 5):
            raise ValueError("not today")
        return np.asarray(0, logits.dtype)

    found = probed(sometimes)
    assert found.doubtful[0] == "float32 logits of shape (3, 5) with int64 targets: ValueError: not today"
    assert not any("(3, 5)" in line for line in found.rejections)

    def never(logits, target):
        if logits.shape[-1] < 100:
            raise ValueError("many classes only")
        return np.asarray(0, logits.dtype)

    assert any("many classes only" in line for line in probed(never).rejections)

"""In process and in a worker, the same calls give the same outcomes."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import ml_dtypes
import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import Unavailable
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.layouts import LAYOUTS, lay_out
from xentfuzz.subjects.in_process import InProcess


def test_the_arguments_stay_as_they_were_and_what_was_written_to_is_named(either, make_call):
    call = make_call()
    before = call.arrays["logits"].storage.copy()
    outcome = either("arrays_and_results:changes_logits").call(call)
    assert outcome.changed == ("logits",)
    assert "written_outside" not in outcome.notes
    np.testing.assert_array_equal(call.arrays["logits"].storage, before)


def test_a_write_beyond_an_argument_is_told_from_a_write_to_it(either, make_call):
    inside = lay_out(np.zeros((2, 3), np.float32), "inside_larger_buffer")
    outcome = either("arrays_and_results:writes_beyond_logits").call(make_call(logits=inside))
    assert outcome.changed == ()
    assert outcome.notes["written_outside"] == ("logits",)


def test_a_result_is_kept_when_the_implementation_uses_its_memory_again(either, make_call):
    subject = either("arrays_and_results:reuses_its_result")
    first = subject.call(make_call(logits=np.full((2, 3), 1.0))).results["value"]
    second = subject.call(make_call(logits=np.full((2, 3), 2.0))).results["value"]
    assert (first[0], second[0]) == (1, 2)


def test_a_result_that_is_a_view_is_kept(either, make_call):
    outcome = either("arrays_and_results:reverses_a_view").call(make_call(logits=np.arange(6.0).reshape(2, 3)))
    assert outcome.results["value"].tolist() == [[3, 5], [0, 2]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_arrives_with_its_values(either, make_call, layout):
    logits = lay_out(np.arange(24, dtype=np.float32).reshape(2, 3, 4), layout)
    outcome = either("arrays_and_results:copy_of_logits").call(make_call(logits=logits))
    np.testing.assert_array_equal(outcome.results["value"], logits.view())


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_every_dtype_comes_back(either, make_call, dtype):
    logits = np.array([[0.1, np.nan], [-np.inf, -0.0]]).astype(dtype)
    value = either("arrays_and_results:copy_of_logits").call(make_call(logits=logits)).results["value"]
    assert value.dtype == logits.dtype
    assert value.tobytes() == logits.tobytes()


def test_not_implemented_is_unsupported(either, make_call):
    subject = either("arrays_and_results:refuses_half")
    assert subject.call(make_call(logits=np.zeros((2, 3), np.float16))).unsupported == "no 16-bit floats"
    assert subject.call(make_call()).results is not None


def test_the_first_call_of_a_kind_is_marked(either, make_call):
    subject = either("arrays_and_results:copy_of_logits")
    assert [subject.call(make_call()).compiled for _ in range(2)] == [True, False]
    assert subject.call(make_call(logits=np.zeros((2, 3)))).compiled


def test_an_exit_is_a_crash_even_where_it_can_be_caught(either, harm):
    assert either("harmful:sys_exit").call(harm).crash.kind == "exit"


def test_exhausted_memory_is_a_crash_even_where_it_can_be_caught(either, harm):
    assert either("harmful:too_much_at_once").call(harm).crash.kind == "out_of_memory"


def interrupted(logits, target):
    signal.raise_signal(signal.SIGINT)
    return logits


@pytest.fixture
def python_heeds_interrupts() -> Iterator[None]:
    """As Python sets it up itself, but where it was started with SIGINT ignored, as a shell starts what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_heeds_interrupts")
def test_an_interrupt_of_this_process_is_the_users(harm):
    with pytest.raises(KeyboardInterrupt):
        InProcess(Implementation("subject", interrupted)).call(harm)


def test_an_interrupt_without_a_signal_is_the_implementations_own(harm):
    assert InProcess(Implementation("subject", "harmful:interrupt")).call(harm).raised.types[0] == "KeyboardInterrupt"


def test_a_missing_array_library_makes_it_unavailable(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jax", None)
    with pytest.raises(Unavailable, match="subject needs jax"):
        InProcess(Implementation("subject", lambda logits, target: 0.0, array="jax"))


def test_an_argument_that_is_only_read_is_not_changed_by_a_nan(either, make_call):
    logits = StridedArray.of(np.full((2, 3), np.nan, np.float32))
    assert either("arrays_and_results:copy_of_logits").call(make_call(logits=logits)).changed == ()

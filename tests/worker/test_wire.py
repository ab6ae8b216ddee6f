"""Arrays keep their layout through the arena, answers their bits and dtypes."""

from __future__ import annotations

import json
import os

import ml_dtypes
import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.recipes.layouts import LAYOUTS, lay_out
from xentfuzz.subjects.outcome import Crash, Raised
from xentfuzz.worker.callee import Answer
from xentfuzz.worker.libraries.library import Collected
from xentfuzz.worker.memory import Arena, anonymous_file
from xentfuzz.worker.wire import answer_in, answer_message, arrays_in, put_arrays


@pytest.fixture
def both_sides():
    descriptor = anonymous_file()
    yield Arena(descriptor), Arena(descriptor)
    os.close(descriptor)


def through_json(message):
    return json.loads(json.dumps(message))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_arrives_in_its_layout(both_sides, layout):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    sent = {"logits": lay_out(values, layout), "target": StridedArray.of(np.array([1, 2])), "empty": StridedArray.of(np.zeros((0, 3)))}
    described, free = put_arrays(both_sides[0], sent)
    received = arrays_in(both_sides[1], through_json(described))
    for name, array in sent.items():
        view, original = received[name].view(), array.view()
        np.testing.assert_array_equal(view, original)
        flags = [(x.strides, x.flags.writeable, x.flags.aligned, x.dtype) for x in (view, original)]
        assert flags[0] == flags[1]
        assert free >= array.storage.size


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int64, bool, np.complex64, ">f4"])
def test_a_result_comes_back_with_its_bits_shape_and_dtype(both_sides, dtype):
    result = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype).T
    code = result.dtype.name if result.dtype.kind == "V" else result.dtype.str
    scalar = Collected(result[1, 1].reshape(()), code)
    answer = Answer({"value": Collected(result, code), "scalar": scalar, "number": float("nan")}, seconds=0.5)
    received = answer_in(both_sides[0], through_json(answer_message(both_sides[1], answer, 100)))
    np.testing.assert_array_equal(received.results["value"].bits, result)
    assert received.results["value"].bits.dtype == result.dtype
    assert received.results["scalar"].bits.shape == ()
    assert np.isnan(received.results["number"])
    assert received.seconds == 0.5


def test_a_result_larger_than_the_arena_makes_it_grow(both_sides):
    large = np.arange(1_000_000.0)
    received = answer_in(both_sides[0], answer_message(both_sides[1], Answer({"value": Collected(large, "<f8")}), 0))
    np.testing.assert_array_equal(received.results["value"].bits, large)


@pytest.mark.parametrize(
    "answer",
    [Answer(unsupported="no"), Answer(raised=Raised(("E", "Exception"), "m", "t")), Answer(crash=Crash("exit", "m"))],
)
def test_other_answers_come_back_equal(both_sides, answer):
    received = answer_in(both_sides[0], through_json(answer_message(both_sides[1], answer, 0)))
    assert (received.results, received.unsupported, received.raised, received.crash) == (
        None,
        answer.unsupported,
        answer.raised,
        answer.crash,
    )


GOOD = {"results": None, "unsupported": None, "raised": None, "crash": None, "seconds": 0.0}


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        GOOD | {"results": {"value": [-8, 8, "<f8", [1]]}},
        GOOD | {"results": {"value": [0, 8, "<f8", [3]]}},
        GOOD | {"results": {"value": [0, 8, "no dtype", [1]]}},
        GOOD | {"results": {"value": [0]}},
        GOOD | {"raised": {"types": ["E"]}},
    ],
)
def test_garbage_is_refused(both_sides, garbage):
    with pytest.raises((ValueError, LookupError, TypeError)):
        answer_in(both_sides[0], garbage)

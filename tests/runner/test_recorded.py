"""A recording is read bit for bit, or refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.errors import UsageError
from xentfuzz.runner.recorded import load_recorded

LOGITS = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, 1.0]], np.float32)
TARGET = np.array([2, -100])


def saved(tmp_path, **arrays):
    path = tmp_path / "batch.npz"
    np.savez(path, **arrays)
    return path


def test_arrays_come_back_bit_for_bit(tmp_path):
    recorded = load_recorded(saved(tmp_path, logits=LOGITS, target=TARGET, weight=np.ones(3, np.float32)))
    assert recorded.name == "batch"
    assert recorded.dtype == "float32"
    assert recorded.target_kind == "index"
    np.testing.assert_array_equal(recorded.logits, LOGITS)
    np.testing.assert_array_equal(recorded.target, TARGET)


def test_bfloat16_travels_as_its_bits(tmp_path):
    logits = LOGITS.astype(numpy_dtype("bfloat16"))
    path = saved(tmp_path, logits=logits.view(np.uint16), logits_dtype="bfloat16", target=logits.view(np.uint16), target_dtype="bfloat16")
    recorded = load_recorded(path)
    assert recorded.dtype == "bfloat16"
    assert recorded.target_kind == "probabilities"
    np.testing.assert_array_equal(recorded.logits, logits)


def test_other_byte_order_gives_the_same_values(tmp_path):
    recorded = load_recorded(saved(tmp_path, logits=LOGITS.astype(">f4"), target=TARGET.astype(">i4")))
    assert recorded.logits.dtype == np.float32
    np.testing.assert_array_equal(recorded.logits, LOGITS)
    np.testing.assert_array_equal(recorded.target, TARGET)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"logits": LOGITS}, "has no array 'target' (it has logits)"),
        ({"logits": LOGITS, "target": TARGET[:1]}, "target is int64 of shape (1,); with logits (2, 3) wanted class indices of shape (2,)"),
        ({"logits": LOGITS, "target": TARGET.astype(float)}, "target is float64 of shape (2,)"),
        ({"logits": LOGITS, "target": np.array([3, 0])}, "target holds 3, wanted a class in 0..2 or -100 (ignored)"),
        ({"logits": LOGITS, "target": LOGITS.astype(float)}, "target is float64, logits are float32: save both in one dtype"),
        ({"logits": LOGITS, "target": TARGET, "weight": np.ones(2, np.float32)}, "weight has shape (2,), wanted (3,)"),
        ({"logits": LOGITS.astype(int), "target": TARGET}, "logits is int64, wanted float16, bfloat16, float32, float64"),
        ({"logits": LOGITS, "logits_dtype": "bfloat16", "target": TARGET}, "logits_dtype says 'bfloat16' but logits is float32"),
        ({"logits": np.zeros((1, 1, 1, 1, 1), np.float32), "target": TARGET}, "logits have shape (1, 1, 1, 1, 1)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_the_reason(tmp_path, arrays, reason):
    with pytest.raises(UsageError) as refused:
        load_recorded(saved(tmp_path, **arrays))
    assert str(refused.value).startswith(f"batch.npz: {reason}")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read absent\.npz: No such file or directory"):
        load_recorded(tmp_path / "absent.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"damaged\.npz"):
        load_recorded(path)


def test_a_file_of_one_array_is_refused(tmp_path):
    path = tmp_path / "one.npy"
    np.save(path, LOGITS)
    with pytest.raises(UsageError, match=r"one\.npy holds one array, wanted a \.npz file"):
        load_recorded(path)


def test_pickled_objects_are_refused_unread(tmp_path):
    path = saved(tmp_path, logits=np.array([{}], dtype=object), target=TARGET)
    with pytest.raises(UsageError, match=r"no \.npz file of plain arrays"):
        load_recorded(path)

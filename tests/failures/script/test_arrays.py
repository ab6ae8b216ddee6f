"""The statements of a script rebuild an array bit for bit, with its layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, dtype_name, numpy_dtype
from xentfuzz.failures.script import arrays
from xentfuzz.failures.script.arrays import numpy_statements, torch_statements
from xentfuzz.failures.script.literals import LARGEST_LITERAL, number
from xentfuzz.recipes.layouts import LAYOUTS, lay_out

SHAPES = [(), (0,), (2, 0, 3), (3,), (2, 3), (2, 3, 2), (5, 40)]


def _run(statements):
    import base64  # noqa: F401 - what a script imports
    import zlib  # noqa: F401
    from math import inf, nan  # noqa: F401

    import ml_dtypes  # noqa: F401

    scope = {**globals(), **locals()}
    exec("\n".join(statements), scope)  # noqa: S102 - our own statements
    return scope["logits"]


def _values(shape, dtype):
    values = np.random.default_rng(0).normal(size=shape).astype(numpy_dtype(dtype))
    special = np.array([np.nan, -np.inf, -0.0, 0.1]).astype(values.dtype)
    values.reshape(-1)[:4] = special[: min(values.size, 4)]
    return values


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numpy_arrays(shape, layout):
    for dtype in FLOAT_NAMES:
        array = lay_out(_values(shape, dtype), layout)
        rebuilt = _run(numpy_statements("logits", array, None))
        view = array.view()
        assert (rebuilt.dtype, rebuilt.shape, rebuilt.tobytes()) == (view.dtype, view.shape, view.tobytes())
        if view.size:
            assert rebuilt.strides == view.strides
            assert (rebuilt.flags.writeable, rebuilt.flags.aligned) == (array.writeable, view.flags.aligned)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("negative_stride", "read_only")])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_torch_tensors(shape, layout):
    for dtype in FLOAT_NAMES:
        array = lay_out(_values(shape, dtype), layout)
        scope_statements = ["import torch", *torch_statements("logits", array, None, "cpu")]
        rebuilt = _run(scope_statements)
        view = array.view()
        assert (rebuilt.dtype, tuple(rebuilt.shape)) == (getattr(torch, dtype), view.shape)
        bits = rebuilt.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if view.size else b""
        assert bits == view.tobytes()
        if view.size:
            assert tuple(step * view.itemsize for step in rebuilt.stride()) == view.strides
            assert rebuilt.data_ptr() % view.itemsize == array.offset % view.itemsize


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint16", "bool"])
def test_targets(dtype):
    array = StridedArray.of(np.array([[1, 0], [1, 1]], dtype))
    assert _run(numpy_statements("logits", array, None)).tolist() == array.view().tolist()


def test_the_payload_of_a_nan_survives():
    array = StridedArray.of(np.array([0x7FC00123, 0xFFC00000, 0x3F800000], np.uint32).view(np.float32))
    assert _run(numpy_statements("logits", array, None)).tobytes() == array.view().tobytes()


def test_gaps_of_several_bytes_survive():
    storage = np.arange(48, dtype=np.uint8)
    array = StridedArray(storage, "float32", (3,), (16,), 0)
    rebuilt = _run(numpy_statements("logits", array, None))
    whole = np.ndarray((44,), np.uint8, rebuilt.base if not isinstance(rebuilt.base, np.ndarray) else rebuilt.base.base)
    assert whole.tobytes() == storage[:44].tobytes()


def test_small_arrays_are_readable():
    array = StridedArray.of(np.array([[0.1, 2], [np.nan, -np.inf]], np.float32))
    assert numpy_statements("logits", array, None) == ['logits = np.array([[0.1, 2.0], [nan, -inf]], "float32")']
    assert [number(np.float32(1e-7)), number(np.float16(0.5)), number(-0.0), number("mean"), number(None)] == [
        "1e-07",
        "0.5",
        "-0.0",
        '"mean"',
        "None",
    ]


def test_what_is_mostly_constant_is_said_so():
    values = np.zeros((3, 5), np.float32)
    values[1, 2] = 7
    assert numpy_statements("logits", StridedArray.of(values), None) == ['logits = np.full((3, 5), 0.0, "float32")', "logits[1, 2] = 7.0"]
    assert numpy_statements("logits", StridedArray.of(values[:2]), None)[0].startswith("logits = np.array([")


def test_what_is_too_large_for_a_script_is_left_to_replay(monkeypatch, capsys):
    monkeypatch.setattr(arrays, "LARGEST_WRITTEN", 100)
    array = StridedArray.of(np.arange(60.0))
    assert not arrays.is_large(array)
    with pytest.raises(SystemExit, match="2"):
        _run(["import sys", *numpy_statements("logits", array, "case.npz")])
    assert "logits of shape (60,) is too large" in capsys.readouterr().out


@pytest.mark.parametrize("size", [LARGEST_LITERAL, LARGEST_LITERAL + 1, 5000])
def test_lines_stay_short(size):
    array = StridedArray.of(np.random.default_rng(0).normal(size=size))
    statements = numpy_statements("logits", array, None)
    assert max(map(len, "\n".join(statements).splitlines())) < 120
    assert dtype_name(_run(statements).dtype) == "float64"

"""A record holds a failure bit for bit, names no machine, and is refused with a sentence where it is damaged."""

from __future__ import annotations

import json
import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, numpy_dtype
from xentfuzz.errors import RecordError
from xentfuzz.failures import record
from xentfuzz.failures.failure import KINDS
from xentfuzz.failures.source import Form, Source
from xentfuzz.recipes.recipe import recipe_from


def _sliced(values):
    """Every second class of a larger array, backwards, two bytes off the beginning: all that a layout can be."""
    rows, classes = values.shape
    size = values.itemsize
    storage = np.full(rows * classes * 2 * size + 2, 0xA5, np.uint8)
    array = StridedArray(storage, values.dtype.name, values.shape, (classes * 2 * size, -2 * size), 2 + (2 * classes - 2) * size)
    array.view()[...] = values
    return array


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_arrays_come_back_bit_for_bit_with_their_layout(make_failure, dtype):
    values = np.array([[0.1, -0.0, np.nan], [np.inf, -np.inf, 1e-7]]).astype(numpy_dtype(dtype))
    found = make_failure({"logits": _sliced(values), "target": np.array([0, 2]), "weight": values[0]})
    again = record.decode(record.encode(found))
    logits = again.arrays["logits"]
    assert logits.view().tobytes() == values.tobytes()
    assert logits.storage.tobytes() == found.arrays["logits"].storage.tobytes()
    assert (logits.dtype, logits.strides, logits.offset) == (dtype, found.arrays["logits"].strides, found.arrays["logits"].offset)
    assert again.arrays["weight"].view().tobytes() == values[0].tobytes()
    assert again.hashes == record.hashes_of(found)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_else_comes_back_too(make_failure, kind):
    source = Source({"forward": "kernels.py:loss"}, {"forward": Form("module", ("weight",))}, "torch", renames={"ignored": "ignore_index"})
    found = make_failure(
        kind=kind, options={"label_smoothing": 0.5}, source=source, got=math.nan, exact=-math.inf, index=(1, 2), output="value"
    )
    found.needs, found.region = ("label_smoothing > 0",), {"label_smoothing": ">0", "weight": True, "rank": 3}
    again = record.decode(record.encode(found))
    assert type(again) is type(found)
    for name in ("check", "kind", "operation", "dtype", "message", "implementation", "options", "source", "needs", "region"):
        assert getattr(again, name) == getattr(found, name), name
    assert recipe_from(again.recipe) == recipe_from(found.recipe)
    assert math.isnan(again.details.pop("got"))
    assert again.details == {"exact": -math.inf, "index": (1, 2), "output": "value"}
    assert again.case["label_smoothing"] == 0.5
    assert again.case["target"].tolist() == [0, 2]


def test_a_recipe_keeps_the_words_for_special_values(make_failure):
    found = make_failure()
    found.recipe["arrays"]["logits"]["elements"] = ["nan", "inf", "1"]
    assert record.decode(record.encode(found)).recipe["arrays"]["logits"]["elements"] == ["nan", "inf", "1"]


def test_the_file_has_the_shape_of_every_results_file(make_failure):
    file = json.loads(record.encode(make_failure(got=math.nan), command=["/usr/bin/xentfuzz", "check", "x.py:f"], seed=3))
    assert (file["schema_version"], file["kind"], file["seed"], file["command"]) == (1, "failure", 3, ["xentfuzz", "check", "x.py:f"])
    assert "numpy" in file["environment"]
    (entry,) = file["reports"][0]["failures"]
    assert entry["details"] == {"got": "nan"}
    assert entry["arrays"]["target"]["dtype"] == "int64"


def test_no_path_of_the_machine_is_stored(make_failure):
    here = str(Path.cwd())
    traceback = f'File "{here}/kernels.py", line 1\n File "/home/somebody/lib/thing.py"'
    text = record.encode(
        make_failure(kind="raised", message=f"raised at {here}/kernels.py", traceback=traceback), command=["xentfuzz", f"{here}/x.py:f"]
    ).decode()
    assert here + os.sep not in text
    assert "/home/somebody" not in text
    assert "raised at kernels.py" in text


def test_large_arrays_are_left_to_their_recipe(make_failure, monkeypatch):
    monkeypatch.setattr(record, "LARGEST_STORED", 23)
    again = record.decode(record.encode(make_failure()))
    assert set(again.arrays) == {"target"}
    assert set(again.hashes) == {"logits", "target"}


def test_a_failure_can_be_pickled(make_failure):
    found = make_failure(kind="gradient", ratio=3.0)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert type(again) is type(found)
    assert (str(again), again.details, again.recipe) == (str(found), found.details, found.recipe)


def _edited(content, **changes):
    file = json.loads(content)
    entry = file["reports"][0]["failures"][0]
    for name, value in changes.items():
        (file if name in file else entry)[name] = value
    return json.dumps(file).encode()


def _with_array(content, **changes):
    file = json.loads(content)
    file["reports"][0]["failures"][0]["arrays"]["target"].update(changes)
    return json.dumps(file).encode()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[: len(content) // 2], "cut off"),
        (lambda _: b"", "cut off"),
        (lambda _: b"\xff\xfe", "no JSON"),
        (lambda _: b"[1, 2]", "is damaged: Expected `object`"),
        (lambda _: b'{"schema_version": 1, "kind": "bench"}', "is no record of a failure"),
        (lambda content: _edited(content, schema_version=2), "schema version 2, this xentfuzz reads 1"),
        (lambda content: _edited(content, schema_version="1"), "schema version '1'"),
        (lambda content: _edited(content, recipe=None), r"\$.reports.*recipe"),
        (lambda content: _edited(content, failure="x", reports=[]), "is damaged"),
        (lambda content: content.replace(b'"value"', b'"valu"'), "unknown kind of failure 'valu'"),
        (lambda content: _with_array(content, data="AAAAAAAAAAAAAAAAAAAAAA=="), "target do not have the hash"),
        (lambda content: _with_array(content, data="A*A"), "no base64"),
        (lambda content: _with_array(content, shape=[3]), r"target of dtype int64, shape \(3,\)"),
        (lambda content: _with_array(content, dtype="int63"), "int63"),
        (lambda content: _with_array(content, layout={"strides": [800], "offset": 0, "storage": "AAAA"}), "target of dtype int64"),
    ],
)
def test_a_damaged_record_names_file_and_reason(make_failure, tmp_path, damage, reason):
    path = tmp_path / "bad.json"
    path.write_bytes(damage(record.encode(make_failure())))
    with pytest.raises(RecordError, match=reason) as raised:
        record.read(path)
    assert "bad.json" in str(raised.value)


def test_a_missing_record_is_said_to_be_missing(tmp_path):
    with pytest.raises(RecordError, match="cannot be read: No such file"):
        record.read(tmp_path / "none.json")

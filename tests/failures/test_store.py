"""Stored failures: one file for one finding, found again by implementation and operation, and no damage takes a run down."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from xentfuzz.failures import record
from xentfuzz.failures.source import Source
from xentfuzz.failures.store import Store, file_name
from xentfuzz.recipes.recipe import recipe_from


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / ".xentfuzz")


def test_a_saved_failure_is_tried_first_next_time(make_failure, store):
    failure = make_failure()
    path = store.save(failure)
    (stored,), problems = store.load_all("mine", "cross_entropy")
    assert (stored.path, stored.check, stored.kind, stored.dtype, problems) == (path, "value", "value", "float32", [])
    assert stored.recipe == recipe_from(failure.recipe)
    assert store.load_all("yours", "cross_entropy") == ([], [])
    assert record.read(path).arrays["logits"].view().tobytes() == failure.arrays["logits"].view().tobytes()


def test_the_same_finding_is_stored_once(make_failure, store):
    first, again, other, needier, elsewhere = (make_failure(message=words) for words in ("loss is 1.0", "loss is 3.0", "", "", ""))
    other.dtype, needier.needs, elsewhere.region = "float64", ("logits as large as 100",), {"label_smoothing": ">0"}
    assert store.save(again) == store.save(first)
    assert len({store.save(failure) for failure in (first, other, needier, elsewhere)}) == 4
    assert "loss is 1.0" in record.read(store.save(first)).message


def test_a_target_named_by_an_absolute_path_is_found_again_and_its_folder_not_told(make_failure, store):
    failure = make_failure()
    failure.implementation = "/home/jane doe/kernels/k.py:loss"
    path = store.save(failure, command=["xentfuzz", "check", failure.implementation])
    assert "jane" not in path.relative_to(store.folder).as_posix() + path.read_text()
    assert [one.path for one in store.load_all(failure.implementation, "cross_entropy")[0]] == [path]


def test_names_that_share_a_folder_are_told_apart(make_failure, store):
    failures = [make_failure(), make_failure()]
    failures[0].implementation, failures[1].implementation = "my/kernel.py:f", "my:kernel.py/f"
    for failure in failures:
        store.save(failure)
    assert [len(store.load_all(failure.implementation, "cross_entropy")[0]) for failure in failures] == [1, 1]
    assert not (store.folder / "failures" / "my").exists()


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:100], lambda _: b"", lambda content: content.replace(b'"schema_version": 1', b'"schema_version": 9')],
)
def test_a_damaged_record_is_reported_and_left_out(make_failure, store, damage):
    bad, good = store.save(make_failure()), store.save(make_failure(kind="shape"))
    bad.write_bytes(damage(bad.read_bytes()))
    stored, (problem,) = store.load_all("mine", "cross_entropy")
    assert [one.path for one in stored] == [good]
    assert bad.name in problem
    assert "left out" in problem


def test_a_record_that_cannot_be_read_is_reported_too(make_failure, store):
    path = store.save(make_failure())
    path.unlink()
    path.mkdir()
    assert [len(part) for part in store.load_all("mine", "cross_entropy")] == [0, 1]


def test_a_checkout_stays_clean(make_failure, store):
    store.save(make_failure())
    assert (store.folder / ".gitignore").read_text() == "*\n"


def test_large_arrays_lie_beside_the_script(make_failure, store, tmp_path):
    logits = np.random.default_rng(0).normal(size=(3, 2**16)).astype(np.float32)
    (tmp_path / "targets.py").write_text("def loss(logits, target):\n    return logits[2, 65535] * 0 + 1\n")
    failure = make_failure(
        {"logits": logits, "target": np.zeros(3, np.int64)},
        source=Source({"forward": "targets.py:loss"}),
        output="value",
        got=1.0,
        exact=2.0,
        allowed=0.5,
    )
    path = store.save(failure)
    assert path.with_suffix(".npz").exists()
    assert len(path.with_suffix(".py").read_text()) < 3000
    done = subprocess.run([sys.executable, str(path.with_suffix(".py"))], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "got 1.0, exact 2.0" in done.stdout) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("name", "wanted"), [("numba-cpu", "numba-cpu"), ("a/b c.py:f", "a-b-c.py-f"), ("..", "unnamed"), ("x" * 200, "x" * 80)]
)
def test_names_become_file_names(name, wanted):
    assert file_name(name) == wanted

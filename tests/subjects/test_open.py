"""Who is called in a worker, and who can't be called at all."""

from __future__ import annotations

import subprocess
import sys

import kernels
import pytest

from xentfuzz.errors import Unavailable, UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.open import open_subject, wants_isolation


@pytest.mark.parametrize(
    ("declaration", "isolate", "wanted"),
    [
        ({}, None, False),
        ({"device": "cuda"}, None, True),
        ({"environment": {"A": "1"}}, None, True),
        ({"python": "/usr/bin/python"}, None, True),
        ({"device": "cuda"}, False, False),
        ({}, True, True),
    ],
)
def test_a_worker_is_used_where_the_process_matters(declaration, isolate, wanted):
    assert wants_isolation(Implementation("subject", kernels.picky, **declaration), isolate) is wanted


@pytest.mark.parametrize("isolate", [False, True])
def test_a_subject_knows_what_it_takes(isolate):
    subject = open_subject(kernels.DECLARED, isolate=isolate)
    assert subject.capabilities.dtypes == ("float32",)
    subject.close()


def test_an_unavailable_implementation_is_not_loaded():
    with pytest.raises(Unavailable, match="subject is unavailable: no GPU"):
        open_subject(Implementation("subject", "no_such_module:f", unavailable=lambda: "no GPU"))


def test_what_can_not_be_opened_leaves_no_worker(monkeypatch):
    from xentfuzz.subjects.worker_process import WorkerProcess

    closed = []
    close = WorkerProcess.close
    monkeypatch.setattr(WorkerProcess, "close", lambda self: (closed.append(self), close(self)))
    with pytest.raises(UsageError, match="explains"):
        open_subject(Implementation("subject", "kernels:backward_of_picky", operation="softmax"), isolate=True)
    assert len(closed) == 1


def test_what_only_a_worker_can_have_needs_one():
    with pytest.raises(UsageError, match="only a worker of its own can have"):
        open_subject(Implementation("subject", kernels.picky, environment={"A": "1"}), isolate=False)


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        ({"dtypes": ("float31",)}, "did you mean 'float32'"),
        ({"dtypes": "float32"}, "wanted a sequence of float16"),
        ({"supports": {"ranks": (7,)}}, "unknown supports ranks '7'"),
        ({"supports": {"targets": ("indices",)}}, "did you mean 'index'"),
        ({"supports": {"options": {"smoothing": None}}}, "did you mean 'label_smoothing'"),
        ({"loss_dtype": {"float16": "float8"}}, "unknown loss_dtype 'float8'"),
        ({"supports": {"options": {"reduction": ("mena",)}}}, "unknown value of reduction in supports 'mena'; did you mean 'mean'"),
        ({"mutates": ("logit",)}, "did you mean 'logits'"),
        ({"device": "banana"}, "unknown device 'banana'"),
        ({"grade": {"float32": "exact"}}, "is not FORM/SUMMATION"),
    ],
)
def test_a_declared_name_that_does_not_exist_is_refused(declaration, words):
    with pytest.raises(UsageError, match=words):
        open_subject(Implementation("subject", kernels.picky, **declaration))


def test_a_module_that_checks_itself_when_imported_starts_no_endless_row_of_workers(tmp_path):
    (tmp_path / "script.py").write_text(
        "import xentfuzz\n\n\ndef loss(logits, target):\n    return logits.sum()\n\n\n"
        "print(xentfuzz.check(loss, profile='quick', max_examples=1, isolate=True).ok)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'put that call under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]

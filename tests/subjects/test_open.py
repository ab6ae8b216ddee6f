"""Who is called in a worker, and who can't be called at all."""

from __future__ import annotations

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

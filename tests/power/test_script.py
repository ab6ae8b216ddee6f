"""A finding's script is run, and judged by how it ends."""

from __future__ import annotations

import pytest

from xentfuzz.failures.failure import Failure
from xentfuzz.power.script import script_fault


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("import sys; sys.exit(1)", ""),
        ("print('all right')", "exit status 0: all right"),
        ("import numpy; raise ValueError('no such thing')", "exit status 1: ValueError: no such thing"),
    ],
)
def test_only_the_status_of_a_finding_counts(monkeypatch, script, fault):
    def write(folder, _):
        (folder / "found.py").write_text(script)
        return folder / "found.json"

    monkeypatch.setattr("xentfuzz.power.script.write_failure", write)
    assert script_fault(Failure("a finding")) == fault

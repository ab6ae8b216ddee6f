"""A finding's script is run, and judged by how it ends."""

from __future__ import annotations

import pytest

from xentfuzz.failures.failure import failure
from xentfuzz.power.script import script_fault

EXCEPTION = "import numpy; raise ValueError('no such thing')"


@pytest.mark.parametrize(
    ("kind", "script", "fault"),
    [
        ("value", "import sys; sys.exit(1)", ""),
        ("value", "print('all right')", "exit status 0: all right"),
        ("value", EXCEPTION, "exit status 1: ValueError: no such thing"),
        ("raised", EXCEPTION, ""),
        ("raised", EXCEPTION.replace("Value", "Type"), "exit status 1: TypeError: no such thing"),
        ("raised", "print('nothing raised')", "exit status 0: nothing raised"),
    ],
)
def test_only_the_end_of_a_finding_counts(monkeypatch, kind, script, fault):
    def write(folder, _):
        (folder / "found.py").write_text(script)
        return folder / "found.json"

    monkeypatch.setattr("xentfuzz.power.script.write_failure", write)
    assert script_fault(failure(kind, "forward raised ValueError: no such thing")) == fault

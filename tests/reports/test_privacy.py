"""No host name, user name or absolute path leaves the machine with a report."""

from __future__ import annotations

import getpass
import platform
from pathlib import Path

from xentfuzz.reports.document import to_json
from xentfuzz.reports.environment import environment


def test_no_folder_of_a_message_is_in_the_document(samples, document):
    report = samples.failing()
    report.failures[0].message = 'raised: ValueError\n  File "/home/somebody/secret project/kernel.py", line 3'
    report.problems = ["/home/somebody/expected.toml: nothing matched"]
    text = to_json(document(samples.check_events(report)))
    assert "somebody" not in text
    assert 'File \\"kernel.py\\", line 3' in text


def test_a_script_keeps_its_first_line(samples, document):
    made = document(samples.check_events(samples.failing()))
    assert made.reports[0].failures[0].script.startswith("#!/usr/bin/env python3\n")


def test_the_environment_names_hardware_but_no_host():
    found = environment()
    assert found["cpu"]
    assert found["python"] == platform.python_version()
    text = repr(found)
    assert str(Path.home()) not in text
    for name in {platform.node(), getpass.getuser()} - {""}:
        assert repr(name) not in text

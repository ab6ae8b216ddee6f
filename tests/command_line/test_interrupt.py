"""Ctrl-C, as a terminal sends it: to the program and to its workers at once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from xentfuzz.subjects.probe_calls import MOST_CALLS

# As `python -m xentfuzz`; but a background job of a shell ignores Ctrl-C, and so would what it starts.
HEEDING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from xentfuzz.command_line.main import main
sys.exit(main())
"""
XENTFUZZ = (sys.executable, "-c", HEEDING)

SLOW = f"""
import time
from pathlib import Path

from kernels import wrong

calls = 0


def loss(logits, target, *, reduction="mean", ignore_index=-100):
    global calls
    calls += 1
    if calls == {MOST_CALLS + 50}:
        Path("well_under_way").touch()
    time.sleep(0.01)
    return wrong(logits, target, reduction=reduction, ignore_index=ignore_index)
"""


STUCK_WHILE_SHRINKING = f"""
import time
from pathlib import Path

from kernels import wrong

calls = 0


def loss(logits, target, *, reduction="mean", ignore_index=-100):
    global calls
    calls += 1
    if Path("interrupted_once").exists():
        Path("shrinking").touch()
        time.sleep(3600)
    if calls == {MOST_CALLS + 50}:
        Path("well_under_way").touch()
    time.sleep(0.01)
    return wrong(logits, target, reduction=reduction, ignore_index=ignore_index)
"""


@contextlib.contextmanager
def _well_under_way(folder, isolation):
    """A check that has found something, and whose kernel will be stuck in shrinking."""
    (folder / "slow.py").write_text(STUCK_WHILE_SHRINKING)
    arguments = ["check", "slow.py:loss", "--profile", "thorough", "--check", "value", "--check", "dtype", "--json", "r.json", isolation]
    program = [*XENTFUZZ, *arguments, "--seed", "1"]
    with subprocess.Popen(program, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for(folder / "well_under_way", process)
        (folder / "interrupted_once").touch()
        yield process


@pytest.mark.parametrize("isolation", ["--isolate", "--no-isolate"])
def test_a_second_interrupt_while_shrinking_keeps_what_was_found(folder, isolation):
    with _well_under_way(folder, isolation) as process:
        os.killpg(process.pid, signal.SIGINT)
        _wait_for(folder / "shrinking", process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err + out
    assert "INTERRUPTED" in out
    (report,) = json.loads((folder / "r.json").read_text())["reports"]
    assert "value" in {failure["check"] for failure in report["failures"]}
    assert list((folder / ".xentfuzz").rglob("*.json"))


@pytest.mark.parametrize("isolation", ["--isolate", "--no-isolate"])
def test_sigterm_ends_with_a_report_and_no_time_is_spent_on_shrinking(folder, isolation):
    with _well_under_way(folder, isolation) as process:
        process.terminate()
        out, err = process.communicate(timeout=60)
    _kept_what_was_found(folder, process, out, err)


@pytest.mark.parametrize("isolation", ["--isolate", "--no-isolate"])
def test_a_key_that_is_held_down_loses_nothing(folder, isolation):
    with _well_under_way(folder, isolation) as process:
        for _ in range(100):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.02)
            if process.poll() is not None:
                break
        out, err = process.communicate(timeout=60)
    _kept_what_was_found(folder, process, out, err)


def _kept_what_was_found(folder, process, out, err):
    assert process.returncode == 130, err + out
    assert "INTERRUPTED" in out
    document = json.loads((folder / "r.json").read_text())
    assert document["interrupted"]
    (report,) = document["reports"]
    assert "value" in {failure["check"] for failure in report["failures"]}
    # That the other dtypes were not reached is no fault of the kernel.
    assert report["problems"] == []


def _wait_for(sign, process):
    while not sign.exists() and process.poll() is None:
        time.sleep(0.02)


@pytest.mark.parametrize("isolation", ["--isolate", "--no-isolate"])
def test_an_interrupted_check_keeps_what_it_found_and_ends_with_130(folder, isolation):
    (folder / "slow.py").write_text(SLOW)
    arguments = ["check", "slow.py:loss", "--profile", "thorough", "--check", "value", "--dtype", "float32", "--json", "r.json", isolation]
    program = [*XENTFUZZ, *arguments]
    with subprocess.Popen(program, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (folder / "well_under_way").exists() and process.poll() is None:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err + out
    assert "INTERRUPTED" in out
    document = json.loads((folder / "r.json").read_text())
    assert document["interrupted"]
    (report,) = document["reports"]
    assert 0 < report["checks"][0]["cases"] < 2000
    assert [failure["check"] for failure in report["failures"]] == ["value"]

"""An error of the harness costs what raised it and no more; what was found is told, and the traceback is kept."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import xentfuzz
from xentfuzz.benchmark import run as benchmark_run
from xentfuzz.benchmark import session
from xentfuzz.checks import registry
from xentfuzz.checks.trial import Trial
from xentfuzz.command_line.course import Course
from xentfuzz.command_line.main import main
from xentfuzz.errors import InternalError
from xentfuzz.reports.document import report_entry
from xentfuzz.reports.summary import summary_lines
from xentfuzz.runner.check import run_checks, run_one
from xentfuzz.runner.events import HarnessFailed, RunFinished, SubjectFinished
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

SUPPORTS = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": ()}}


def honest(logits, target, *, reduction="mean"):
    if target.shape != logits.shape[:1] or (target < 0).any() or (target >= logits.shape[1]).any():
        raise ValueError("labels")
    wide = logits.astype(np.float64)
    largest = wide.max(axis=1)
    with np.errstate(all="ignore"):
        rows = np.log(np.exp(wide - largest[:, None]).sum(axis=1)) + largest - wide[np.arange(len(target)), target]
        loss = {"none": rows, "sum": rows.sum(), "mean": rows.mean() if rows.size else np.nan}[reduction]
    return np.asarray(loss).astype(logits.dtype)


def wrong(logits, target, *, reduction="mean"):
    return np.asarray(honest(logits, target, reduction=reduction) + 1, logits.dtype)


def implementation(function=honest, **declared):
    return xentfuzz.Implementation("mine", function, **{"dtypes": ("float32",), "supports": SUPPORTS, **declared})


def check(function=honest, **settings):
    defaults: dict[str, Any] = {"profile": "quick", "max_examples": 4, "seed": 0, "isolate": False, "checks": ("value", "shape")}
    return xentfuzz.check(implementation(function), **{**defaults, **settings})


def fails(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("no such luck")


@pytest.fixture
def broken_shape(monkeypatch):
    """The check `shape` raises what no check may."""
    checks = tuple(replace(each, judge=fails) if each.name == "shape" else each for each in registry.checks_for("cross_entropy"))
    monkeypatch.setattr("xentfuzz.runner.check.checks_for", lambda _: checks)


def status_of(report):
    return {(result.check, result.dtype): result.status for result in report.checks}


@pytest.mark.usefixtures("broken_shape")
def test_a_judge_that_raises_costs_that_check_and_is_told():
    report = check()
    assert (status_of(report)["value", "float32"], status_of(report)["shape", "float32"]) == ("passed", "error")
    assert not report.ok
    (error,) = report.errors
    assert (error.doing, error.check, error.dtype, error.times) == ("judging", "shape", "float32", 4)
    assert error.error == "ZeroDivisionError: no such luck"
    assert "fails" in error.traceback
    assert str(Path(__file__).parent) not in error.traceback
    assert error.recipe is not None
    assert json.loads(json.dumps(report.to_dict()))["errors"][0]["error"] == error.error
    assert "1 error of xentfuzz" in "\n".join(line.text for line in summary_lines(report_entry(report)))


@pytest.mark.usefixtures("broken_shape")
def test_findings_are_told_beside_errors():
    report = check(wrong)
    assert [failure.kind for failure in report.failures] == ["value"]
    assert len(report.errors) == 1
    course = Course()
    assert course.status([report], all_wanted=True) == 3


@pytest.mark.usefixtures("broken_shape")
def test_a_single_check_of_a_test_raises_the_error():
    with pytest.raises(InternalError, match="no such luck"):
        run_one(implementation(), "shape", "float32", profile="quick", seed=0, isolate=False)


@pytest.mark.parametrize(
    ("place", "doing"),
    [
        ("xentfuzz.runner.streams.SharedEvaluation", "evaluating a case"),
        ("xentfuzz.runner.streams.draw_corpus", "running the corpora"),
        ("xentfuzz.runner.check.directed_search", "searching"),
        ("xentfuzz.runner.directed.search", "searching"),
        ("xentfuzz.runner.agreement.Agreement.note", "comparing implementations"),
        ("xentfuzz.runner.verdict.missing_features", "making the report"),
    ],
)
def test_the_rest_of_a_run_goes_on(monkeypatch, place, doing):
    monkeypatch.setattr(place, fails)
    report = check()
    assert doing in {error.doing for error in report.errors}
    assert {error.error for error in report.errors} == {"ZeroDivisionError: no such luck"}
    assert not report.ok


@pytest.mark.parametrize(
    ("place", "doing"),
    [
        ("xentfuzz.runner.smallest.shrink", "shrinking"),
        ("xentfuzz.runner.smallest.explain", "explaining"),
        ("xentfuzz.runner.check.findings", "making findings of what failed"),
    ],
)
def test_what_was_found_is_told_all_the_same(monkeypatch, place, doing):
    monkeypatch.setattr(place, fails)
    report = check(wrong, checks=("value",))
    assert {failure.kind for failure in report.failures} == {"value"}
    assert [error.doing for error in report.errors] == [doing]
    assert report.failures[0].script()


def test_a_finding_without_a_script_is_told(monkeypatch):
    monkeypatch.setattr(importlib.import_module("xentfuzz.failures.script.reproducer"), "library_of", fails)
    report = check(wrong, checks=("value",))
    assert [error.doing for error in report.errors] == ["writing a script"]
    assert report.failures[0].script() == "# xentfuzz failed to write this script; replay the record instead\n"


def test_a_listener_that_raises_misses_an_event_and_the_others_hear_of_it():
    heard: list[Any] = []

    def listener(event: Any) -> None:
        if isinstance(event, SubjectFinished):
            fails()

    course = Course()
    settings = Settings(
        "check", get_profile("quick"), 0, examples=2, isolate=False, checks=("value",), listeners=(listener, heard.append, course)
    )
    reports = run_checks([implementation()], settings)
    assert reports[0].ok
    assert [event.error.error for event in heard if isinstance(event, HarnessFailed)] == ["ZeroDivisionError: no such luck"]
    assert isinstance(heard[-1], RunFinished)
    assert course.status(reports, all_wanted=True) == 3


def test_an_input_that_cannot_be_timed_costs_its_rows(monkeypatch):
    monkeypatch.setattr(session, "run_rounds", fails)
    heard: list[Any] = []
    grid = msgspec.structs.replace(benchmark_run.get_grid("quick"), shapes=((2, 8),), dtypes=("float32",))
    monkeypatch.setattr(benchmark_run, "get_grid", lambda _: grid)
    record = benchmark_run.benchmark([implementation()], profile="quick", isolate=False, listeners=(heard.append,))
    assert {row["status"] for row in record["rows"]} == {"error"}
    assert "no such luck" in record["rows"][0]["reason"]
    assert any(isinstance(event, HarnessFailed) for event in heard)


def test_the_program_ends_with_status_3_and_its_report(monkeypatch, tmp_path, capsys):
    (tmp_path / "kernel.py").write_text("import numpy as np\n\n\ndef loss(logits, target):\n    return np.asarray(1.0, logits.dtype)\n")
    monkeypatch.chdir(tmp_path)

    def broken(trial: Trial) -> Any:
        raise ZeroDivisionError(trial.case.dtype)

    checks = tuple(replace(each, judge=broken) if each.name == "shape" else each for each in registry.checks_for("cross_entropy"))
    monkeypatch.setattr("xentfuzz.runner.check.checks_for", lambda _: checks)
    arguments = ["check", "kernel.py:loss", "--no-isolate", "--profile", "quick", "--seed", "0", "--max-examples", "2"]
    assert (
        main([*arguments, "--check", "shape", "--check", "value", "--json", "out.json", "--junit", "out.xml", "--markdown", "out.md"]) == 3
    )
    document = json.loads((tmp_path / "out.json").read_text())
    report = document["reports"][0]
    assert report["failures"]
    assert {entry["status"] for entry in report["checks"] if entry["check"] == "shape"} == {"error"}
    assert "ZeroDivisionError" in report["errors"][0]["traceback"]
    assert '<error type="internal"' in (tmp_path / "out.xml").read_text()
    assert "## Errors of xentfuzz" in (tmp_path / "out.md").read_text()
    assert "error of xentfuzz: judging shape" in capsys.readouterr().out


@pytest.mark.parametrize("step", ["_find_base", "_find_dtypes", "_find_options"])
def test_a_step_of_a_probe_that_fails_costs_what_it_would_have_found(monkeypatch, tmp_path, capsys, step):
    (tmp_path / "kernel.py").write_text("import numpy as np\n\n\ndef loss(logits, target):\n    return np.asarray(1.0, logits.dtype)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"xentfuzz.subjects.probe.Probe.{step}", fails)
    arguments = ["check", "kernel.py:loss", "--no-isolate", "--profile", "quick", "--seed", "0", "--max-examples", "2", "--check", "value"]
    assert main([*arguments, "--json", "out.json"]) == 3
    report = json.loads((tmp_path / "out.json").read_text())["reports"][0]
    assert report["failures"]
    assert [error["doing"].split(":")[0] for error in report["errors"]] == ["probing"]
    assert "no such luck" in report["errors"][0]["traceback"]
    assert "error of xentfuzz: probing" in capsys.readouterr().out

"""`xentfuzz run`: what it asks of runner and benchmark, the folder that it writes, its exit status."""

from __future__ import annotations

import json
import re

import pytest

from xentfuzz.errors import Unavailable
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.events import BenchmarkFinished, RunFinished, RunStarted, SubjectUnavailable

ROW = {
    "implementation": "numpy",
    "dtype": "float32",
    "measure": "loss",
    "shape": [16, 10],
    "rows": 16,
    "classes": 10,
    "status": "timed",
    "reason": "",
    "functions": ["forward"],
    "recipe": {},
    "first_call_seconds": 0.1,
    "bytes": 640,
    "bytes_per_second": 6.4e5,
    "share_of_bandwidth": 0.1,
    "speed": 1.0,
    "stats": {"median": 1e-3, "iqr": 1e-5, "rounds": 5},
}


def record_of(**changes):
    row = ROW | {name: value for name, value in changes.items() if name == "status"}
    interrupted = changes.get("interrupted", False)
    return {
        "operation": "cross_entropy",
        "profile": "quick",
        "seed": 1,
        "baseline": "numpy",
        "interrupted": interrupted,
        "seconds": 1.0,
        "threads": {},
        "load": 1.0,
        "bandwidth": None,
        "rows": [row],
    }


@pytest.fixture
def small(monkeypatch):
    """A run that checks values of two cases each, and a benchmark that times nothing; `asked` notes with what they were called."""
    asked = {}

    def few(implementations, settings):
        asked["implementations"] = [(implementation.name, implementation.operation) for implementation in implementations]
        asked["settings"] = settings
        changed = {**vars(settings), "examples": 2, "checks": ("value",), "dtypes": ("float32",), "isolate": False, "recorded": ()}
        return run_checks([each for each in implementations if each.name != "numba-cuda"], type(settings)(**changed))

    def benchmark(implementations, *, profile, seed, listeners, isolate):
        asked["benchmark"] = (profile, seed, isolate)
        for listener in listeners:
            listener(BenchmarkFinished(asked.get("record", record_of())))

    monkeypatch.setattr("xentfuzz.runner.check.run_checks", few)
    monkeypatch.setattr("xentfuzz.benchmark.run.benchmark", benchmark)
    return asked


def test_the_report_is_a_folder(xentfuzz, folder, small):
    ran = xentfuzz("run", "numpy", "--profile", "quick", "--seed", "1", "--out", "out")
    assert (ran.status, ran.err) == (0, "")
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["benchmark.json", "report.html", "report.md", "results.json"]
    assert ran.out.endswith("\nreport: out/report.html\n")
    document = json.loads((folder / "out" / "results.json").read_text())
    assert (document["kind"], document["seed"], len(document["reports"])) == ("run", 1, 4)
    assert document["benchmark"]["rows"][0]["implementation"] == "numpy"
    assert "\n## Speed\n" in (folder / "out" / "report.md").read_text()
    assert json.loads((folder / "out" / "benchmark.json").read_text())["benchmarks"][0]["stats"]["median"] == 1e-3


def test_without_out_the_folder_is_named_by_the_time_and_never_reused(xentfuzz, folder, small):
    for _ in range(2):
        assert xentfuzz("run", "numpy", "--profile", "quick").status == 0
    names = sorted(path.name for path in (folder / "reports").iterdir())
    assert len(names) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z(-2)?", name) for name in names)


def test_checks_are_isolated_and_the_packaged_recordings_take_part(xentfuzz, small):
    xentfuzz("run", "numpy", "--profile", "quick", "--seed", "3", "--out", "out")
    settings = small["settings"]
    assert settings.isolate
    assert settings.stored
    assert settings.profile.name == "quick"
    assert [recorded.name for recorded in settings.recorded] == ["digits_early", "digits_late"]
    assert small["benchmark"] == ("quick", 3, True)


def test_a_finding_is_status_1_and_lies_in_the_folder(xentfuzz, folder, small):
    ran = xentfuzz("run", "kernels.py:wrong", "--profile", "quick", "--seed", "1", "--out", "out")
    assert ran.status == 1
    stored = sorted(path.relative_to(folder / "out" / "failures") for path in (folder / "out" / "failures").rglob("*.*"))
    assert {path.suffix for path in stored if len(path.parts) == 3} == {".json", ".py"}
    assert "### kernels.py:wrong, cross_entropy: value, float32 (value)\n" in (folder / "out" / "report.md").read_text()


def test_all_implementations_run_where_none_is_named(xentfuzz, small, monkeypatch):
    monkeypatch.setattr("xentfuzz.runner.check.run_checks", lambda implementations, _: small.update(found=implementations) or [])
    xentfuzz("run", "--profile", "quick", "--out", "out")
    names = {implementation.name for implementation in small["found"]}
    assert names == {"numpy", "torch-eager", "numba-cpu", "numba-cuda"}
    assert {implementation.operation for implementation in small["found"] if implementation.name == "numpy"} == {
        "cross_entropy",
        "log_softmax",
        "nll_loss",
        "softmax",
    }


def test_a_wrong_result_in_the_benchmark_is_a_finding(xentfuzz, small):
    small["record"] = record_of(status="failed")
    assert xentfuzz("run", "numpy", "--profile", "quick", "--out", "out").status == 1


def test_an_interrupted_benchmark_is_status_130_after_the_report(xentfuzz, folder, small):
    small["record"] = record_of(interrupted=True)
    assert xentfuzz("run", "numpy", "--profile", "quick", "--out", "out").status == 130
    assert (folder / "out" / "report.md").exists()


def test_an_interrupted_check_is_not_benchmarked_but_reported(xentfuzz, folder, small, monkeypatch):
    def interrupted(implementations, settings):
        settings.emit(RunStarted("run", 1, "quick", 1))
        settings.emit(RunFinished(0.1, interrupted=True))
        return []

    monkeypatch.setattr("xentfuzz.runner.check.run_checks", interrupted)
    ran = xentfuzz("run", "numpy", "--profile", "quick", "--out", "out")
    assert ran.status == 130
    assert "benchmark" not in small
    assert "INTERRUPTED" in ran.out
    assert "**Interrupted**" in (folder / "out" / "report.md").read_text()


@pytest.mark.parametrize(("targets", "status"), [((), 0), (("numpy",), 2)])
def test_what_cannot_be_opened_is_an_error_only_where_it_was_named(xentfuzz, small, monkeypatch, targets, status):
    def unavailable(implementations, settings):
        settings.emit(RunStarted("run", 1, "quick", 1))
        settings.emit(SubjectUnavailable("numpy", "softmax", "no such library"))
        settings.emit(RunFinished(0.1))
        return []

    monkeypatch.setattr("xentfuzz.runner.check.run_checks", unavailable)
    assert xentfuzz("run", *targets, "--profile", "quick", "--out", "out").status == status


def test_a_folder_that_cannot_be_written_is_wrong_usage_at_once(xentfuzz, small):
    ran = xentfuzz("run", "numpy", "--profile", "quick", "--out", "kernels.py")
    assert ran.status == 2
    assert "kernels.py is not a folder" in ran.err
    assert small == {}


def test_an_unavailable_target_is_wrong_usage(xentfuzz, small, monkeypatch):
    monkeypatch.setattr("xentfuzz.registry.availability", lambda _: "no device was found")
    ran = xentfuzz("run", "numpy", "--profile", "quick", "--out", "out")
    assert (ran.status, ran.err) == (2, "xentfuzz: numpy cannot run here: no device was found\n")


def test_each_report_is_one_line_in_a_run(xentfuzz, small):
    ran = xentfuzz("run", "numpy", "--profile", "quick", "--seed", "1", "--out", "out")
    lines = [line for line in ran.out.splitlines() if line.startswith("PASSED")]
    assert [line.partition(";")[0] for line in lines] == [
        f"PASSED: numpy, {operation}" for operation in ("cross_entropy", "log_softmax", "nll_loss", "softmax")
    ]


def test_without_pytest_benchmark_the_checks_are_still_reported(xentfuzz, folder, small, monkeypatch):
    def unavailable(*_, **__):
        raise Unavailable("no benchmark without pytest-benchmark")

    monkeypatch.setattr("xentfuzz.benchmark.run.benchmark", unavailable)
    ran = xentfuzz("run", "numpy", "--seed", "1", "--out", "found")
    assert ran.status == 0
    assert "xentfuzz: no benchmark without pytest-benchmark" in ran.err
    assert (folder / "found" / "report.md").exists()

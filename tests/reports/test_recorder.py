"""Files of a run are written as soon as there is something in them; standard output once."""

from __future__ import annotations

import json

from xentfuzz.reports.document import read_document, to_json
from xentfuzz.reports.folder import folder_outputs
from xentfuzz.reports.markdown.page import headline
from xentfuzz.reports.recorder import Output, Recorder
from xentfuzz.runner.events import BenchmarkFinished, RunFinished, RunStarted


def test_a_run_that_is_killed_leaves_the_reports_that_were_finished(samples, tmp_path):
    path = tmp_path / "deep" / "results.json"
    recorder = Recorder(["xentfuzz"], [Output(str(path), to_json)])
    started, opened, progressed, finished, *_ = samples.check_events(samples.failing("alpha"), samples.passing("beta"))
    for event in (started, opened, progressed):
        recorder(event)
    assert not path.exists()
    recorder(finished)
    assert [report.implementation for report in read_document(path).reports] == ["alpha"]


def test_standard_output_is_one_document(samples, capsys):
    recorder = Recorder(["xentfuzz"], [Output("-", to_json)])
    for event in samples.check_events(samples.failing("alpha"), samples.passing("beta")):
        recorder(event)
    assert [report["implementation"] for report in json.loads(capsys.readouterr().out)["reports"]] == ["alpha", "beta"]


def test_a_run_that_does_not_come_to_its_end_is_marked(samples, document):
    *events, finished = samples.check_events(samples.passing())
    assert document(events).interrupted
    assert not document([*events, finished]).interrupted


def test_an_interrupted_run_is_marked(samples, document):
    assert document(samples.check_events(samples.passing(), interrupted=True)).interrupted


def test_an_interrupt_of_the_benchmark_is_one_of_the_run(samples, document):
    record = {"interrupted": True, "seconds": 2.25, "rows": []}
    found = document([*samples.check_events(samples.passing(), kind="run"), BenchmarkFinished(record)])
    assert found.interrupted
    assert found.seconds == 3.75
    assert "INTERRUPTED" in headline(found)


def test_a_benchmark_alone_lasts_as_long_as_the_command(document):
    record = {"interrupted": True, "seconds": 2.25, "rows": []}
    found = document([RunStarted("bench", 1, "quick", 1), BenchmarkFinished(record), RunFinished(3.0)])
    assert found.interrupted
    assert found.seconds == 3.0


def test_the_folder_of_a_run_has_no_benchmark_before_there_is_one(samples, tmp_path):
    recorder = Recorder(["xentfuzz"], folder_outputs(tmp_path))
    for event in samples.run_events():
        recorder(event)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md", "results.json"]

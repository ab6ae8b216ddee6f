"""The JSON document: its form, that it survives a round trip, and what is refused."""

from __future__ import annotations

import json
import math

import msgspec
import pytest

from xentfuzz.errors import RecordError
from xentfuzz.reports.document import read_document, to_json

REPORT_KEYS = {"implementation", "operation", "ok", "grade", "checks", "failures", "policies", "card"}
CHECK_KEYS = {"check", "dtype", "status", "cases", "unsupported", "worst_ratio", "worst_ulp", "recipe"}
FAILURE_KEYS = {"check", "kind", "operation", "dtype", "message", "recipe", "expected"}


def written(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    return path


def test_the_document_has_the_promised_form(samples, document):
    read = json.loads(to_json(document(samples.run_events())))
    assert list(read)[:6] == ["schema_version", "kind", "xentfuzz", "environment", "command", "seed"]
    assert (read["schema_version"], read["kind"], read["seed"]) == (1, "run", 7)
    assert read["command"] == ["xentfuzz", "run"]
    for report in read["reports"]:
        assert set(report) >= REPORT_KEYS
        assert all(set(check) >= CHECK_KEYS for check in report["checks"])
        assert all(set(failure) >= FAILURE_KEYS for failure in report["failures"])


def test_an_entry_is_what_the_report_gives_to_python(samples, document):
    report = samples.failing()
    (entry,) = json.loads(to_json(document(samples.check_events(report))))["reports"]
    assert entry == json.loads(json.dumps(report.to_dict()))


def test_a_document_survives_a_round_trip(samples, document, tmp_path):
    made = document(samples.run_events())
    assert read_document(written(tmp_path, to_json(made))) == made


def test_a_check_is_one_line(samples, document):
    text = to_json(document(samples.run_events()))
    assert text.count('\n    {"check": "shape", "dtype": "float32", "status": "passed", "cases": 250, ') == 4
    assert json.loads(text)["reports"][0]["checks"][3]["check"] == "shape"


def test_non_finite_numbers_are_strings_and_come_back_as_numbers(samples, document, tmp_path):
    report = samples.passing()
    report.checks[0].worst_ratio, report.checks[0].worst_ulp = math.inf, math.nan
    text = to_json(document(samples.check_events(report)))
    entry = json.loads(text, parse_constant=pytest.fail)["reports"][0]["checks"][0]
    assert (entry["worst_ratio"], entry["worst_ulp"]) == ("inf", "nan")
    read = read_document(written(tmp_path, text)).reports[0].checks[0]
    assert read.worst_ratio == math.inf
    assert math.isnan(read.worst_ulp)


def test_fields_of_a_later_release_are_passed_over(samples, document, tmp_path):
    record = json.loads(to_json(document(samples.run_events())))
    record["new"] = record["reports"][0]["new"] = record["reports"][0]["card"]["new"] = 1
    assert len(read_document(written(tmp_path, json.dumps(record))).reports) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '{"schema_version": 2}',
            "results.json has schema version 2, this xentfuzz reads version 1: read it with the xent",
        ),
        ('{"schema_version": "1"}', "results.json has schema version '1', this xentfuzz reads version 1"),
        ('{"kind": "run"}', "results.json has no schema_version: not a results file of xentfuzz"),
        ("[]", "results.json has no schema_version: not a results file of xentfuzz"),
        ('{"schema_version": 1, "kind": "ru', "results.json is not JSON"),
        ('{"schema_version": 1, "kind": 3}', "results.json is damaged: "),
        ('{"schema_version": 1, "kind": "power"}', "results.json holds a document of kind 'power', not results of checks: `xentfuzz power"),
        ('{"schema_version": 1, "kind": "run"}', "results.json is damaged: Object missing required field `xentfuzz`"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path, text, sentence):
    with pytest.raises(RecordError) as refused:
        read_document(written(tmp_path, text))
    assert str(refused.value).startswith(sentence)


def test_a_missing_file_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(RecordError, match=r"^cannot read results\.json: No such file or directory$"):
        read_document(tmp_path / "results.json")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match=r"results\.json is not JSON"):
        read_document(path)


def test_a_wrong_result_that_was_to_be_timed_is_not_ok(samples, document):
    made = document(samples.check_events(samples.passing()))
    assert made.ok
    assert not msgspec.structs.replace(made, benchmark={"rows": [{"status": "failed"}]}).ok

"""`xentfuzz power`: exit statuses and files."""

from __future__ import annotations

import json

import pytest

from xentfuzz.command_line.main import main


def test_found_bugs_are_success(capsys, tmp_path):
    path = tmp_path / "power.json"
    assert main(["power", "--profile", "quick", "--select", "R43", "--select", "R48", "--jobs", "1", "--json", str(path)]) == 0
    assert "found 2 of 2 bugs" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert (document["schema_version"], document["kind"], document["profile"]) == (1, "power", "quick")
    assert [(report["implementation"], report["ok"]) for report in document["reports"]] == [("R43", True), ("R48", True)]
    assert document["reports"][0]["runs"][0]["found"]


def test_a_missed_bug_is_a_finding(capsys):
    assert main(["power", "--profile", "quick", "--select", "R60", "--select", "R99", "--jobs", "1", "--budget", "0"]) == 1
    out = capsys.readouterr().out
    assert "missed" in out
    assert "only the thorough profile can find: R60" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "R43x"],
        ["--profile", "fast"],
        ["--seeds", "0"],
        ["--json", "/"],
        ["--usual", "--seeds", "2"],
        ["--compare", "a.json", "--select", "R43"],
    ],
)
def test_wrong_usage(arguments, capsys):
    assert main(["power", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

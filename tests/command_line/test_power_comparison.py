"""`xentfuzz power --usual` and `--compare`: files, the folder, and what is refused."""

from __future__ import annotations

import json

import pytest

from xentfuzz.command_line import power_comparison
from xentfuzz.command_line.main import main
from xentfuzz.power.usual import methods


@pytest.fixture
def one_method(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", {"robust-kbench": methods.METHODS["robust-kbench"]})


def test_what_is_measured_can_be_compared_again(one_method, capsys, tmp_path):
    usual, own, folder = tmp_path / "usual.json", tmp_path / "own.json", tmp_path / "comparison"
    selection = ["--select", "R90", "--select", "R43", "--select", "two_pass_shift", "--jobs", "1"]
    assert main(["power", "--usual", *selection, "--json", str(usual)]) == 0
    out = capsys.readouterr().out
    assert "robust-kbench" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["power", "--profile", "quick", "--select", "R43", "--jobs", "1", "--json", str(own)]) == 0
    assert main(["power", "--compare", str(usual), "--compare", str(own), "--out", str(folder)]) == 0
    document = json.loads((folder / "comparison.json").read_text())
    assert (document["schema_version"], document["kind"], document["reports"]) == (1, "power", [])
    names = [(row["name"], row["sets"]["bugs"]["found"]) for row in document["comparison"]]
    assert names == [("robust-kbench", ["R90"]), ("xentfuzz quick", ["R43"])]
    assert "| robust-kbench | 1 of 2 | - | 0 of 1 |" in (folder / "table.md").read_text()
    assert (folder / "plot.svg").read_text().startswith("<?xml")
    again = tmp_path / "again"
    assert main(["power", "--compare", str(folder / "comparison.json"), "--out", str(again)]) == 0
    assert (again / "table.md").read_text() == (folder / "table.md").read_text()


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "run", "schema_version": 1}', '{"kind": "power", "schema_version": 2}'])
def test_what_is_no_result_of_power_is_refused(content, capsys, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(content)
    assert main(["power", "--compare", str(path)]) == 2
    assert "results.json" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named_without_numbers_of_the_system(capsys, tmp_path):
    assert main(["power", "--compare", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err == "xentfuzz: cannot read none.json: No such file or directory\n"


def test_a_folder_needs_something_to_compare(capsys, tmp_path):
    assert main(["power", "--out", str(tmp_path)]) == 2
    assert "--compare" in capsys.readouterr().err


def test_a_missing_library_is_named(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else name)
    assert main(["power", "--usual", "--select", "R02"]) == 2
    err = capsys.readouterr().err
    assert "onnx cannot be imported" in err
    assert power_comparison.EXTRA in err

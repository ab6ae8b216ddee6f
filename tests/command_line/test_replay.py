"""`xentfuzz replay`: what `git bisect run` asks."""

from __future__ import annotations

import json

import pytest

VALUE = ("--profile", "quick", "--max-examples", "6", "--seed", "1", "--dtype", "float32", "--no-isolate", "--check", "value")


@pytest.fixture
def record(xentfuzz, folder):
    """The record of a failure of `kernels.py:wrong`."""
    xentfuzz("check", "kernels.py:wrong", *VALUE)
    (path,) = (folder / ".xentfuzz" / "failures").rglob("value-*.json")
    return path.relative_to(folder)


def test_a_failure_that_is_still_there_is_1(xentfuzz, record):
    ran = xentfuzz("replay", str(record), "kernels.py:wrong")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("kernels.py:wrong still fails: forward: loss")


def test_a_failure_that_was_mended_is_0(xentfuzz, record):
    ran = xentfuzz("replay", str(record), "kernels.py:loss")
    assert (ran.status, ran.out) == (0, "kernels.py:loss no longer fails\n")


def test_the_number_at_the_end_of_its_name_will_do(xentfuzz, record):
    number = record.stem.rpartition("-")[2]
    assert xentfuzz("replay", number, "kernels.py:wrong").status == 1


def test_the_command_that_a_report_prints_names_the_target_as_it_was_given(xentfuzz, folder):
    place = f"{folder / 'kernels.py'}:wrong"
    declared = f"import xentfuzz\n\ndeclared = xentfuzz.Implementation('mine', {place!r}, dtypes=('float32',))\n"
    (folder / "declaration.py").write_text(declared)
    printed = xentfuzz("check", "declaration.py:declared", *VALUE).out
    (command,) = [line.split() for line in printed.splitlines() if line.lstrip().startswith("replay")]
    assert command[1:3] == ["xentfuzz", "replay"]
    assert xentfuzz(*command[2:]).status == 1


@pytest.mark.parametrize("target", ["kernels.py:gone", "broken.py:loss", "absent.py:loss"])
def test_a_target_that_cannot_be_loaded_is_125(xentfuzz, record, target):
    ran = xentfuzz("replay", str(record), target)
    assert (ran.status, ran.out) == (125, "")
    assert ran.err.startswith("xentfuzz: ")


def test_code_is_never_imported_because_a_record_names_it(xentfuzz, record):
    ran = xentfuzz("replay", str(record))
    assert ran.status == 125
    assert "name the TARGET after the record" in ran.out


def test_a_recipe_runs_through_every_check(xentfuzz, record):
    recipe = json.dumps(json.loads(record.read_text())["reports"][0]["failures"][0]["recipe"])
    assert xentfuzz("replay", recipe, "kernels.py:wrong").status == 1
    assert xentfuzz("replay", recipe, "kernels.py:loss").status == 0


def test_a_damaged_record_is_125(xentfuzz, record):
    record.write_text(record.read_text()[:100])
    ran = xentfuzz("replay", str(record), "kernels.py:wrong")
    assert ran.status == 125
    assert record.name in ran.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("absent.json", "'absent.json' is no file, and no recipe"),
        ('{"shape": [2', "not a recipe: "),
        ("0123456789ab", "no record in .xentfuzz has the number 0123456789ab"),
    ],
)
def test_what_is_no_record_here_is_125(xentfuzz, folder, given, words):
    ran = xentfuzz("replay", given, "kernels.py:loss")
    assert ran.status == 125
    assert ran.err.startswith(f"xentfuzz: {words}")

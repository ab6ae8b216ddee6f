"""Exit statuses, and the one line that says what went wrong."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from xentfuzz import __version__
from xentfuzz.command_line.app import app
from xentfuzz.reports.lines import WIDTH

COMMANDS = {command.name: command for command in app.registered_commands}


def test_help_lists_every_command_and_fits_80_columns(xentfuzz):
    ran = xentfuzz("--help")
    assert (ran.status, ran.err) == (0, "")
    assert re.findall(r"^  (\w+) {2,}[A-Z]", ran.out, re.MULTILINE) == list(COMMANDS)
    assert "..." not in ran.out.partition("Commands:")[2]
    assert max(map(len, ran.out.splitlines())) <= WIDTH


def test_the_promised_commands_are_there():
    assert {"run", "list", "check", "replay", "explain", "bench", "report"} <= set(COMMANDS)


def test_without_a_command_there_is_help(xentfuzz):
    assert xentfuzz() == xentfuzz("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_begins_with_a_verb_gives_defaults_and_examples(xentfuzz, name):
    ran = xentfuzz(name, "--help")
    assert ran.status == 0
    assert re.search(r"\n\n  [A-Z][a-z]+ [^\n]*\.\n", ran.out)
    assert f"Examples:\n    xentfuzz {name}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= WIDTH
    words = " ".join(ran.out.partition("Options:")[2].partition("Examples:")[0].split())
    for option in re.split(r" (?=--?[a-z])", words)[1:]:
        if re.match(r"--[a-z-]+ (/ --[a-z-]+ )?[A-Z]", option) and "--help" not in option:
            assert "[default: " in option, option


def test_the_version_is_that_of_the_package(xentfuzz):
    assert xentfuzz("--version").out == f"xentfuzz {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope"], "No such command 'nope' (see `xentfuzz --help`)"),
        (["check"], "Missing argument 'TARGET' (see `xentfuzz check --help`)"),
        (["check", "numpy", "--nope"], "No such option: --nope"),
        (["check", "numpy", "--max-examples", "0"], "Invalid value for '--max-examples': "),
        (["check", "nunpy"], "unknown implementation 'nunpy'; did you mean 'numpy'? (known: "),
        (["check", "absent.py:loss"], "absent.py"),
        (["check", "kernels.py:losss"], "has no attribute 'losss'; did you mean 'loss'?"),
        (["check", "broken.py:loss"], "No module named 'no_such_module'"),
        (["check", "no_such_package.module:loss"], "no_such_package"),
        (["check", "kernels.py:explained"], "temperature"),
        (["check", "numpy", "--dtype", "float23"], "unknown dtype 'float23'; did you mean 'float32'? (known: bfloat16, float16, "),
        (["check", "numpy", "--check", "valeu"], "unknown check 'valeu'; did you mean 'value'?"),
        (["check", "numpy", "--profile", "quik"], "unknown profile 'quik'; did you mean 'quick'? (known: default, quick, thorough)"),
        (["check", "numpy", "--operation", "softmaxx"], "unknown operation 'softmaxx'; did you mean 'softmax'?"),
        (["check", "numpy", "--grade", "best"], "grade 'best' is not FORM/SUMMATION"),
        (["check", "kernels.py:loss", "--array", "cupy"], "array='cupy' is none of numpy, torch, jax, cuda"),
        (["check", "numpy", "--env", "NAME"], "--env NAME: wanted NAME=VALUE"),
        (["check", "numpy", "--require", "wieght"], "unknown feature 'wieght'; did you mean 'weight'?"),
        (["check", "numpy", "--input", "absent.npz"], "cannot read absent.npz: No such file or directory"),
        (["check", "numpy", "--input", "."], "cannot read .: it is a folder; give the name of a file"),
        (["check", "numpy", "--json", "-", "--markdown", "-"], "cannot write two results to standard output: give each a file of its own"),
        (["check", "numpy", "--json", "same", "--markdown", "./same"], "cannot write two results to ./same: give each a file of its own"),
        (["check", "numpy", "--expect", "absent.toml"], "cannot read absent.toml"),
        (["check", "numpy", "--json", "."], "cannot write .: it is a folder; give the name of a file"),
        (["check", "numpy", "--junit", "kernels.py/x.xml"], "cannot write kernels.py/x.xml: kernels.py is not a folder"),
        (["explain", "valeu"], "unknown check or word 'valeu'; did you mean 'value'?"),
        (["bench", "--profile", "quik"], "unknown profile 'quik'"),
        (["run", "--profile", "quik"], "unknown profile 'quik'"),
        (["report", "absent.json"], "cannot read absent.json: No such file or directory"),
        (["report", "kernels.py"], "kernels.py is not JSON"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(xentfuzz, arguments, line):
    ran = xentfuzz(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("xentfuzz: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1


@pytest.fixture
def fault(monkeypatch):
    """A command that fails by itself."""

    def broken(*_, **__):
        raise RuntimeError("a fault\nof ours")

    monkeypatch.setattr("xentfuzz.reports.listing.listing_lines", broken)


def test_an_error_of_ours_is_status_3_and_says_how_to_see_more(xentfuzz, fault, monkeypatch):
    monkeypatch.delenv("XENTFUZZ_TRACEBACK", raising=False)
    ran = xentfuzz("list")
    assert ran.status == 3
    hint = "(set XENTFUZZ_TRACEBACK=1 for the traceback, and please report it)"
    assert ran.err == f"xentfuzz: internal error: RuntimeError: a fault of ours {hint}\n"


def test_the_traceback_is_there_for_the_asking(xentfuzz, fault, monkeypatch):
    monkeypatch.setenv("XENTFUZZ_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="a fault"):
        xentfuzz("list")


def test_an_interrupt_is_status_130(xentfuzz, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("xentfuzz.reports.listing.listing_lines", interrupt)
    assert xentfuzz("list").status == 130


def test_a_reader_that_goes_away_is_no_error(folder):
    program = [sys.executable, "-m", "xentfuzz", "explain"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait() == 141
        assert process.stderr.read() == b""


def test_the_module_is_the_program(folder):
    done = subprocess.run([sys.executable, "-m", "xentfuzz", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"xentfuzz {__version__}\n"

"""An operation that lives in `tests/operations/linear_lse.py` alone goes all the way: two float matrices of different shapes, (N, D) and
(V, D), an option of its own, a loss for each row. It comes in by entry points, as a stranger's does, and xentfuzz has no line about it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import linear_lse
import pytest

import xentfuzz as package
from xentfuzz import operations, registry
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

NAME = "linear_lse"
WRONG = "lse-without-the-last"
QUICK = ("--operation", NAME, "--profile", "quick", "--max-examples", "12", "--seed", "0", "--dtype", "float32")
ENTRY_POINTS = f"""[xentfuzz.operations]
{NAME} = linear_lse:OPERATION

[xentfuzz.implementations]
linear-lse = linear_lse:IMPLEMENTATIONS
"""


@pytest.fixture(autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution that brings the operation and its implementations, found by this process and by those that it starts."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "linear_lse-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: linear-lse\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    folders = [str(site), str(Path(linear_lse.__file__).parent)]
    monkeypatch.setenv("PYTHONPATH", ":".join(folders))
    monkeypatch.setattr(sys, "path", [*folders, *sys.path])
    monkeypatch.setattr(registry, "_REGISTRY", registry.Registry())
    monkeypatch.setattr(operations, "_loaded", dict(operations._loaded))
    operations._installed.cache_clear()
    yield site
    operations._installed.cache_clear()


@pytest.fixture
def found(xentfuzz, folder):
    """What a check of the wrong one writes."""
    ran = xentfuzz("check", WRONG, *QUICK, "--json", "found.json", "--markdown", "found.md", "--html", "found.html")
    assert (ran.status, ran.err) == (1, "")
    return json.loads((folder / "found.json").read_text())


def test_check_finds_the_smallest_case_and_says_what_it_needs(found, folder):
    (report,) = found["reports"]
    assert report["errors"] == []
    (failure,) = report["failures"]
    assert (failure["check"], failure["recipe"]["shape"], failure["recipe"]["sizes"]) == ("value", [1, 1], {"V": 4})
    assert "needs V of at least 4" in failure["message"]
    for page in ("found.md", "found.html"):
        assert "log-sum-exp" in (folder / page).read_text()


def test_replay_and_script_show_it_again(found, folder, xentfuzz):
    recipe = json.dumps(found["reports"][0]["failures"][0]["recipe"])
    assert xentfuzz("replay", recipe, WRONG).status == 1
    assert xentfuzz("replay", recipe, "lse-honest").status == 0
    (script,) = (folder / ".xentfuzz").rglob("*.py")
    assert subprocess.run([sys.executable, script], check=False, capture_output=True).returncode == 1


def test_what_is_expected_is_no_finding(folder, xentfuzz):
    assert xentfuzz("check", WRONG, *QUICK, "--write-expected", "known.toml").status == 1
    assert 'when = { V = ">=4" }' in (folder / "known.toml").read_text()
    ran = xentfuzz("check", WRONG, *QUICK, "--expect", "known.toml")
    assert (ran.status, ran.err) == (0, "")
    assert "1 expected" in ran.out


def test_bench_times_verified_inputs(folder, xentfuzz):
    outputs = ("--json", "times.json", "--html", "times.html")
    ran = xentfuzz("bench", "lse-honest", "--operation", NAME, "--quick", "--shape", "64x32", *outputs)
    assert (ran.status, ran.err) == (0, "")
    assert '"lse+gradient"' in (folder / "times.json").read_text()


def test_a_function_that_declares_nothing_is_probed(xentfuzz):
    ran = xentfuzz("check", "linear_lse:forward", *QUICK, "--backward", "linear_lse:backward")
    assert (ran.status, ran.err) == (0, "")
    assert "rejects" not in ran.out


def test_the_page_for_contributors_shows_it():
    page = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    shown = textwrap.dedent(page[page.rindex("\n", 0, page.index("OPERATION = Operation(")) : page.index("   The first argument")])
    names = vars(linear_lse).copy()
    exec(shown, names)  # noqa: S102 - our own page
    left_out = ("stated", "value_work", "gradient_work", "defaults")
    for field in fields(names["OPERATION"]):
        if field.name not in left_out:
            assert getattr(names["OPERATION"], field.name) == getattr(linear_lse.OPERATION, field.name)


def test_the_harness_has_no_line_about_it():
    sources = Path(package.__file__).parent.rglob("*.py")
    assert [path for path in sources if "linear_lse" in path.read_text() or "lse-honest" in path.read_text()] == []


def test_run_writes_a_report(folder, xentfuzz):
    ran = xentfuzz("run", "lse-honest", "--profile", "quick", "--seed", "0", "--out", "out")
    assert (ran.status, ran.err) == (0, "")
    assert all(NAME in page.read_text() for page in folder.glob("out/*.md"))


@pytest.mark.parametrize("implementation", [each.name for each in linear_lse.IMPLEMENTATIONS])
def test_what_is_planted_is_found_and_nothing_else(implementation):
    settings = Settings("power", get_profile("quick"), seed=0, isolate=False, first_failure=True, shrink=False)
    (report,) = run_checks([package.get(implementation, NAME)], settings)
    assert report.errors == []
    assert bool(report.failures) == (implementation != "lse-honest")


def test_pytest_gives_a_test_for_each_check_and_dtype(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(
        f"""
        import xentfuzz

        @xentfuzz.parametrize("lse-honest", "{WRONG}", operations=("{NAME}",), checks=("value", "repeatable"))
        def test_mine(check):
            check()
        """
    )
    done = pytester.runpytest_subprocess("--xentfuzz-profile=quick", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=12, failed=4)

"""`list`, `explain`, `bench` and `report`."""

from __future__ import annotations

import json

import pytest

from xentfuzz.benchmark.baseline import Change
from xentfuzz.checks.registry import check_names
from xentfuzz.reports.lines import WIDTH


def test_list_shows_every_registered_implementation(xentfuzz):
    ran = xentfuzz("list")
    assert (ran.status, ran.err) == (0, "")
    for name in ("numpy", "torch-eager", "numba-cpu", "numba-cuda (simulator)"):
        assert f"\n{name} " in ran.out
    assert max(map(len, ran.out.splitlines())) <= WIDTH


def test_list_is_json_for_programs(xentfuzz):
    entries = json.loads(xentfuzz("list", "--json").out)["implementations"]
    ordinary = {entry["implementation"] for entry in entries if not entry["named_only"]}
    assert ordinary == {"numpy", "torch-eager", "numba-cpu", "numba-cuda"}


def test_explain_lists_all_checks(xentfuzz):
    ran = xentfuzz("explain")
    assert ran.status == 0
    assert [name for name in check_names() if f"\n{name} " not in f"\n{ran.out}"] == []
    assert max(map(len, ran.out.splitlines())) <= WIDTH


def test_explain_tells_what_a_check_demands(xentfuzz):
    ran = xentfuzz("explain", "value")
    assert ran.status == 0
    assert ran.out.startswith("value\n\nThe forward result is within the allowed error of the exact result.")


SLOWER = Change(
    {"implementation": "numpy", "operation": "cross_entropy", "measure": "loss", "dtype": "float32", "shape": [4, 5]},
    old=1.0,
    new=2.0,
    p=0.001,
    counts=True,
)


@pytest.fixture
def tiny(monkeypatch):
    """The benchmark on inputs of no size."""
    from xentfuzz.benchmark import grid
    from xentfuzz.benchmark.grid import Grid

    monkeypatch.setattr(grid, "get_grid", lambda _: Grid(("float32",), ((4, 5),), 0.01))


def test_bench_prints_medians_and_writes_a_document(xentfuzz, tiny, folder):
    ran = xentfuzz("bench", "numpy", "--profile", "quick", "--seed", "1", "--json", "times.json")
    assert ran.status == 0, ran.err
    assert "\nloss, float32, " in ran.out
    assert "\nloss+gradient, float32, " in ran.out
    document = json.loads((folder / "times.json").read_text())
    assert (document["kind"], document["seed"], document["reports"]) == ("bench", 1, [])
    assert {row["status"] for row in document["benchmark"]["rows"]} == {"timed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--baseline", "missing.json"), "cannot read missing.json"),
        (("--fail-on-regression", "10"), "--baseline FILE"),
        (("--fail-on-regression", "much", "--baseline", "x.json"), "wanted a number of per cent"),
        (("--rows", "0"), "--rows 0: wanted numbers of at least 1"),
        (("--classes", "ten"), "--classes ten: wanted numbers"),
        (("--shape", "8xfour"), "--shape 8xfour: wanted numbers"),
        (("--shape", "99999x99999"), "at most"),
        (("--threads", "9999"), "this process may use"),
        (("--relative-to", "nobody"), "unknown implementation to give speed relative to"),
        (("--operation", "softmix"), "did you mean 'softmax'"),
    ],
)
def test_bench_refuses_what_makes_no_sense_in_one_line(xentfuzz, arguments, words):
    ran = xentfuzz("bench", "numpy", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_regression_is_status_1_only_where_it_is_asked_for(xentfuzz, tiny, folder, monkeypatch):
    monkeypatch.setattr("xentfuzz.benchmark.baseline.changes", lambda _old, _new: [SLOWER])
    monkeypatch.setattr("xentfuzz.benchmark.baseline.stored_record", lambda _path: {})
    given = ("bench", "numpy", "--profile", "quick", "--seed", "1", "--baseline", "old.json")
    assert xentfuzz(*given).status == 0
    ran = xentfuzz(*given, "--fail-on-regression", "10%")
    assert ran.status == 1
    assert "SLOWER: numpy, loss, float32, 4 x 5: 1 s -> 2 s (+100 %, p = 0.001)" in ran.out


def test_bench_of_a_wrong_kernel_shows_no_time_and_fails(xentfuzz, tiny):
    ran = xentfuzz("bench", "kernels.py:wrong", "--profile", "quick", "--seed", "1")
    assert ran.status == 1
    assert "FAILED" in ran.out


@pytest.fixture
def results(xentfuzz):
    for name in ("loss", "wrong"):
        arguments = ["--check", "value", "--dtype", "float32", "--max-examples", "2", "--seed", "1", "--no-isolate"]
        xentfuzz("check", f"kernels.py:{name}", *arguments, "--json", f"{name}.json")
    return ["loss.json", "wrong.json"]


def test_report_renders_stored_results(xentfuzz, results):
    ran = xentfuzz("report", results[0])
    assert ran.status == 0
    assert ran.out.startswith("# xentfuzz check: PASSED\n")


def test_report_merges_several_results_into_a_file(xentfuzz, results, folder):
    assert xentfuzz("report", *results, "--out", "all.md").status == 0
    page = (folder / "all.md").read_text()
    assert page.startswith("# xentfuzz check: FAILED, 1 finding\n")
    assert "| kernels.py:loss | cross_entropy | passed |" in page
    assert "| kernels.py:wrong | cross_entropy | **FAILED** | 1 |" in page

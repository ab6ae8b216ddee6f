"""What a person sees at 80 columns, whole."""

from __future__ import annotations

import io

import numpy as np
import pytest

from xentfuzz import __version__
from xentfuzz.reports.lines import WIDTH
from xentfuzz.reports.screen import PlainScreen
from xentfuzz.reports.terminal import Terminal
from xentfuzz.runner.events import BenchmarkFinished, Progress, RunFinished, RunStarted

# Of a terminal as it opens; one line is the prompt.
SCREEN = 24 - 1


def printed(events, *, verbose=False, columns=WIDTH) -> str:
    stream = io.StringIO()
    screen = PlainScreen(stream)
    screen.columns = columns
    terminal = Terminal(screen, verbose=verbose)
    for event in events:
        terminal(event)
    return stream.getvalue().replace(__version__, "VERSION")


FAILING = """\
xentfuzz VERSION, check, profile default, seed 7

mine, cross_entropy
  card     what a few tiny calls showed; declare an Implementation to be held to
           it
  takes    numpy arrays on cpu; float32, float64; rank 2, 3; index targets;
           targets in int64, int32
  options  reduction (mean, sum), ignore_index
  gives    value, gradient of logits
  rejects  4-d logits: AssertionError: expected (N, C) or (N, C, d)

FAILED: mine, cross_entropy; 1 finding; 300 cases in 1.2 s
compared   float32, float64 only; index targets only; no weight, no
           label_smoothing; reduction only 'mean', 'sum'; logits of rank 2, ...

1. gradient, float32
   backward: gradient of logits[0, 1] is 0.25, exact: 0.125, allowed error
   3.1e-08 (4.03e+06 times the allowed error)
   1 of 2 elements are outside what is allowed
   needs an ignored row
   input  float32 1x2
          logits = [[0.5, -1.5]] float32
          target = [1] int64
   replay xentfuzz replay 0123456789ab
   script .xentfuzz/mine/gradient-float32-0123456789ab.py

next       xentfuzz explain gradient; every check: --verbose, or --html FILE
repeat with --seed 7
"""


def test_a_failing_check_ends_with_verdict_finding_and_what_to_do(samples):
    assert printed(samples.check_events(samples.failing())) == FAILING


def test_what_a_finding_needs_is_told_whole_behind_remarks_of_any_length(samples):
    traceback = [f"  File kernel.py, line {number}, in forward" for number in range(20)]
    needs = "2 rows, a row of nothing but -inf in logits, ignore_index >= 0 and classes % 2 = 1, >= 513, < 1027"
    failing = samples.failing()
    failing.unexpected[0].message = "\n".join(["it raised IndexError", *traceback, f"needs {needs}"])
    text = printed(samples.check_events(failing))
    assert f"needs {needs}" in " ".join(text.split())
    assert "line 2, " in text
    assert "line 3, " not in text


VERBOSE = """\
check     status  cases  left out  error/allowed
gradient  FAILED    250        12                 in float32
value     passed    500        24  0.93 (1.5 ulp)
shape     passed    500        24
not checked: value_and_grad (has no value_and_grad)

covers     float32, float64 only; index targets only; no weight, no
           label_smoothing; reduction only 'mean', 'sum'; logits of rank 2, 3
           only; 1250 compared, 60 unsupported
left out   takes index targets only (20 cases); rank 1 (4 cases)
worst      0.93 of the error that is allowed, 1.5 ulp (value, float32)
held to    accuracy lse/any (working precision)
choices    where the contract allows several outcomes: mean over no rows: NaN

FAILED: mine, cross_entropy; 1 finding; 300 cases in 1.2 s
"""


def test_who_asks_for_it_gets_every_check_and_what_was_left_out(samples):
    report = samples.failing()
    assert VERBOSE in printed(samples.check_events(report), verbose=True)
    report.failures = [samples.found(record=f".xentfuzz/mine/gradient-{number}.json") for number in range(12)]
    assert "\n12. gradient, float32\n   backward: " in printed(samples.check_events(report), verbose=True)


def test_a_passing_check_says_what_green_covers(samples):
    text = printed(samples.check_events(samples.passing(stricter_grade="shift/any")))
    assert "compared   float32, float64 only; index targets only; no weight, no\n" in text
    assert (
        "held to    accuracy lse/any (working precision); all that was compared meets\n           shift/any, which could be declared\n"
        in text
    )
    assert "\nPASSED: mine, cross_entropy; 300 cases in 1.2 s\n" in text
    assert text.endswith("next       xentfuzz explain lse/any; every check: --verbose, or --html FILE\nrepeat with --seed 7\n")


def test_an_expected_finding_is_listed_with_its_reason_and_passes(samples):
    text = printed(samples.check_events(samples.expecting()))
    assert "PASSED: mine" in text
    assert "1 expected finding:\nvalue, float32: a known fault of the library below\n" in text
    text = printed(samples.check_events(samples.expecting()), verbose=True)
    assert "value  expected    500        24  0.93 (1.5 ulp)  in float32\n" in text


def test_a_problem_of_the_run_fails_it(samples):
    text = printed(samples.check_events(samples.passing(problems=["required feature weight is not supported"])))
    assert "\nFAILED: mine, cross_entropy; 1 problem; 300 cases" in text
    assert "\nproblem: required feature weight is not supported\n" in text


def test_an_interrupted_check_says_so_after_its_results(samples):
    text = printed(samples.check_events(samples.failing(), interrupted=True))
    assert "\nINTERRUPTED: the results are those of what was run until then\n" in text.partition("FAILED: mine")[2]


def test_a_check_of_several_targets_ends_with_the_total(samples):
    text = printed(samples.check_events(samples.failing("alpha"), samples.passing("beta")))
    assert text.endswith("1 finding, 600 cases in 1.5 s\nrepeat with --seed 7\n")


RUN = """\
xentfuzz VERSION, run, profile default, seed 7

FAILED: alpha, cross_entropy; 1 finding; 300 cases in 1.2 s
PASSED: beta, cross_entropy; 300 cases in 1.2 s
PASSED: alpha, softmax; 300 cases in 1.2 s
PASSED: beta, softmax; 300 cases in 1.2 s
SKIPPED: gamma, cross_entropy: needs a GPU: no device was found

cross_entropy                                                        alpha  beta
  gradient                                                           ??F?
  value                                                              ??..   ??x.
  shape                                                              ??..   ??..
  supported by none: value_and_grad

softmax                                                              alpha  beta
  value, shape                                                       ??..   ??..
  supported by none: value_and_grad

One mark for each of float16, bfloat16, float32, float64:
. passed, F failed, E error of xentfuzz, x expected, - unsupported, ? not run

largest error/allowed  cross_entropy  softmax
alpha                           0.93     0.93
beta                            0.93     0.93

alpha, cross_entropy
1. gradient, float32
"""


def test_a_run_ends_with_matrix_accuracy_and_findings(samples):
    text = printed(samples.run_events())
    assert text.startswith(RUN)
    assert text.endswith("\n1 finding, 1200 cases in 1.5 s\nrepeat with --seed 7\n")


def test_a_run_of_nothing_says_so():
    assert "nothing was run\n" in printed([RunStarted("run", 1, "quick", 0), RunFinished(0.1)])


def long_report(samples):
    report = samples.passing("path/to/some_quite_long_folder/kernel_with_a_long_name.py:fused_cross_entropy_forward")
    names = [f"a_check_with_quite_a_long_name_number_{number}" for number in range(30)]
    report.checks = [
        type(report.checks[0])(name, "float32", "passed", 1, 1, 0.5 * (number < 12), 3, {}) for number, name in enumerate(names)
    ]
    report.checks += [
        type(report.checks[0])("other", "float32", "unsupported", reason="a reason that takes most of a line to be told " * 2)
    ]
    report.failures = [samples.found(record=f".xentfuzz/some_quite_long_folder/and_a_long_name_{number}.json") for number in range(40)]
    for failure in report.failures:
        failure.message = (
            "A headline that is longer than a line of a terminal can be, with a [bracket] in it and more. " * 2 + "\nline" * 40
        )
    report.unsupported = {f"reason number {number} that an implementation may give, at some length": 10 for number in range(10)}
    return report


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize(("terminal", "columns"), [(30, 40), (40, 40), (80, 80), (200, 100)])
def test_nothing_is_wider_than_the_terminal_or_than_can_be_read(samples, terminal, columns, verbose):
    for events in (samples.check_events(samples.failing()), samples.run_events(), samples.check_events(long_report(samples))):
        lines = printed(events, columns=terminal, verbose=verbose).splitlines()
        assert [line for line in lines[1:] if len(line) > columns and " " in line and " replay " not in line] == []
        assert max(map(len, lines)) > columns // 2


def test_the_path_of_a_script_is_printed_whole_whatever_its_length(samples):
    folder = f".xentfuzz/failures/{'a_long_name_of_an_implementation' * 3}/cross_entropy"
    report = samples.failing()
    report.failures[0].record = f"{folder}/gradient-float32-0123456789ab.json"
    lines = printed(samples.check_events(report)).splitlines()
    assert lines[lines.index("   script") + 1] == f"{folder}/gradient-float32-0123456789ab.py"


def test_many_checks_and_findings_still_fit_a_screen(samples):
    report = samples.failing()
    result = type(report.checks[0])
    report.checks = [
        result(f"some_property_number_{number}", dtype, "passed", 250, 12, 0.5 * (number < 10), 3.0, {})
        for number in range(25)
        for dtype in ("float32", "float64")
    ]
    report.failures = [samples.found(record=f".xentfuzz/mine/gradient-{number}.json") for number in range(40)]
    text = printed(samples.check_events(report))
    shown = text[text.index("FAILED: mine") :]
    assert "\nand 34 more findings\n" in shown
    assert shown.count("\n") <= SCREEN
    assert "also passed: some_property_number_10, some" in printed(samples.check_events(report), verbose=True)


def test_the_end_of_the_longest_check_fits_a_terminal_as_it_opens(samples):
    report = long_report(samples)
    report.extent = {"words": "matrices " * 20, "compared": ["a"], "not_taken": ["feature"] * 30, "not_compared": []}
    report.notes = ["something that takes several lines to be told, " * 8] * 5
    text = printed(samples.check_events(report))
    shown = text[text.index("FAILED: path") :]
    assert shown.count("\n") <= SCREEN
    assert shown.endswith("repeat with --seed 7\n")
    assert "\n   replay" in shown


def test_numbers_that_a_newcomer_does_not_know_are_named_to_be_explained(samples):
    report = samples.failing()
    report.failures[0].recipe["arrays"]["logits"]["regime"] = "swamp"
    report.failures[0].case = {"logits": np.zeros((9, 9)), "target": np.zeros(9, int)}
    assert "next       xentfuzz explain gradient; xentfuzz explain swamp; every check:" in printed(samples.check_events(report))


def test_progress_tells_what_is_left_of_the_time():
    now = [100.0]
    told = []

    class Told(PlainScreen):
        def progress(self, text, done, total, left=None):
            told.append((text, left))

    terminal = Terminal(Told(io.StringIO()), clock=lambda: now[0])
    terminal(RunStarted("check", 1, "quick", 1, 90.0))
    now[0] += 30
    terminal(Progress("mine", "softmax", "value", "float32", "corpus", 1, 10))
    terminal(Progress("mine", "softmax", "forward", "float32", "benchmark", 1, 10))
    assert told == [("checking: softmax value float32", 60.0), ("timing: softmax forward float32", None)]


@pytest.mark.parametrize("kind", ["run", "check"])
def test_a_long_name_does_not_widen_the_matrix(samples, kind):
    reports = [samples.passing(f"a_rather_long_name_of_an_implementation_{number}") for number in range(5)]
    lines = printed(samples.check_events(*reports, kind=kind)).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    for number in range(5):
        assert any(line.startswith("PASSED") and f"_{number}, cross_entropy" in line for line in lines)


BENCHMARK = """\
loss, float32, 2 threads
shape        implementation  median  spread  speed  of roof  first call
4096 x 16    mine            1.5 ms     10%  2.00x      40%      500 ms
             base              3 ms     10%  1.00x      40%      500 ms
128 x 32000  mine            FAILED
             base             20 ms     10%             40%      500 ms
"""


def timed(name, rows, classes, seconds, speed):
    return {
        "implementation": name,
        "dtype": "float32",
        "measure": "loss",
        "rows": rows,
        "classes": classes,
        "status": "timed",
        "speed": speed,
        "stats": {"median": seconds, "iqr": seconds / 10},
        "share_of_roof": 0.4,
        "first_call_seconds": 0.5,
        "reason": "",
    }


def test_a_benchmark_is_a_table_of_medians_and_speeds():
    failed = timed("mine", 128, 32000, 0, None) | {"status": "failed"}
    absent = timed("gone", 4096, 16, 0, None) | {"status": "unavailable"}
    rows = [timed("mine", 4096, 16, 1.5e-3, 2.0), timed("base", 4096, 16, 3e-3, 1.0), failed, timed("base", 128, 32000, 0.02, None), absent]
    record = {"baseline": "base", "rows": rows, "interrupted": False, "threads": 2}
    assert BENCHMARK in printed([RunStarted("bench", 1, "quick", 2), BenchmarkFinished(record), RunFinished(1.0)])


def test_how_cost_grows_is_a_table_for_each_axis_and_measure():
    words = {"implementation": "mine", "operation": "cross_entropy", "dtype": "float32", "measure": "loss", "threads": 2}
    points = [words | {"shape": [1024 // classes, classes], "median": 1e-3 * classes} for classes in (2, 4, 8, 16, 32, 64)]
    record = {"baseline": "base", "rows": [], "interrupted": False, "threads": 2, "growth": {"classes": points, "rows": []}}
    lines = printed([RunStarted("bench", 1, "quick", 2), BenchmarkFinished(record), RunFinished(1.0)]).splitlines()
    place = lines.index("loss as the classes grow, float32")
    assert [line.split() for line in lines[place + 1 : place + 3]] == [
        ["classes", "4", "8", "16", "32", "64"],
        ["mine", "4", "ms", "8", "ms", "16", "ms", "32", "ms", "64", "ms"],
    ]
    assert "as the rows grow" not in "\n".join(lines)


@pytest.mark.parametrize("kind", ["run", "bench"])
def test_an_interrupted_benchmark_is_told_once(kind):
    finished = BenchmarkFinished({"baseline": "base", "rows": [], "interrupted": True})
    whole = [finished, RunFinished(1.0, interrupted=True)] if kind == "bench" else [RunFinished(1.0), finished]
    assert printed([RunStarted(kind, 1, "quick", 1), *whole]).count("INTERRUPTED") == 1


def test_without_the_baseline_no_speed_is_announced():
    record = {"baseline": "base", "rows": [timed("mine", 4096, 16, 1.5e-3, None)], "interrupted": False}
    text = printed([RunStarted("bench", 1, "quick", 1), BenchmarkFinished(record), RunFinished(1.0)])
    assert "loss, float32" in text
    assert "speed  " not in text
    assert "times as fast as" not in text

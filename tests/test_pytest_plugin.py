"""The plug-in, run by pytest in a session of its own."""

from __future__ import annotations

import pytest

# What is loaded before a session of pytester survives it: extension modules cannot be loaded twice.
import xentfuzz.pytest_checks  # noqa: F401

HALF = """
import numpy as np
import xentfuzz

def value(logits, *, axis):
    shifted = logits - logits.max(axis=axis, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted.astype(np.float64))
    return (FACTOR * exponentials / exponentials.sum(axis=axis, keepdims=True)).astype(logits.dtype)

SOFTMAX = xentfuzz.Implementation("mine", value, operation="softmax", dtypes=("float32",))

@xentfuzz.parametrize(SOFTMAX, checks=CHECKS)
def test_mine(check):
    check()
"""


def source(factor: float = 1.0, checks: str = "('value', 'shape')") -> str:
    return HALF.replace("FACTOR", str(factor)).replace("CHECKS", checks)


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # The options of the project's own test run are not those of the session under test.
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    # pytest-benchmark times nothing in a worker of xdist.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return pytester


def test_one_test_per_check_and_dtype(session: pytest.Pytester) -> None:
    session.makepyfile(source())
    result = session.runpytest("-v", "--xentfuzz-profile=quick")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*::test_mine[[]mine-softmax-value-float32]*PASSED*", "*::test_mine[[]mine-softmax-shape-float32]*PASSED*"]
    )


def test_a_wrong_implementation_fails_with_the_message_and_the_script(session: pytest.Pytester) -> None:
    session.makepyfile(source(factor=0.5, checks="('value',)"))
    result = session.runpytest("--xentfuzz-profile=quick")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *Failure: *softmax*", "*script that shows this failure alone*"])
    result.stdout.no_fnmatch_line("*runner?check.py*")


def test_an_expected_failure_is_an_xfail(session: pytest.Pytester) -> None:
    session.makepyfile(
        source(
            factor=0.5,
            checks="('value',), expected_failures=[{'implementation': 'mine', 'check': 'value', 'reason': 'half of it is lost'}]",
        )
    )
    result = session.runpytest("-rx", "--xentfuzz-profile=quick")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *half of it is lost*"])


def test_an_implementation_that_cannot_run_is_skipped_with_its_reason(session: pytest.Pytester) -> None:
    session.makepyfile(source().replace('dtypes=("float32",)', 'dtypes=("float32",), unavailable=lambda: "no such device"'))
    result = session.runpytest("-rs", "--xentfuzz-profile=quick")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*no such device*"])


def test_the_header_tells_version_profile_and_seed(session: pytest.Pytester) -> None:
    session.makepyfile(source())
    result = session.runpytest("--collect-only", "--xentfuzz-seed=7")
    result.stdout.fnmatch_lines(["xentfuzz *: profile default, seed 7"])


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--xentfuzz-impl=miner", "*unknown implementation 'miner'; did you mean 'mine'*"),
        ("--xentfuzz-profile=quik", "*unknown profile 'quik'; did you mean 'quick'*"),
    ],
)
def test_an_unknown_name_is_one_line_at_collection(session: pytest.Pytester, argument: str, line: str) -> None:
    session.makepyfile(source())
    result = session.runpytest(argument)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([line])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_named_implementation_alone_is_run(session: pytest.Pytester) -> None:
    session.makepyfile(source().replace("parametrize(SOFTMAX", "parametrize('numpy', SOFTMAX"))
    result = session.runpytest("--collect-only", "-q", "--xentfuzz-impl=mine")
    result.stdout.fnmatch_lines(["*mine-softmax-value-float32*"])
    result.stdout.no_fnmatch_line("*numpy-*")


def test_a_registered_name_stands_for_all_its_operations(session: pytest.Pytester) -> None:
    session.makepyfile(source().replace("parametrize(SOFTMAX", "parametrize('numpy'"))
    result = session.runpytest("--collect-only", "-q")
    result.stdout.fnmatch_lines([f"*numpy-{operation}-value-float32*" for operation in ("cross_entropy", "nll_loss", "softmax")])


def test_a_test_without_the_argument_is_an_error_of_the_collection(session: pytest.Pytester) -> None:
    session.makepyfile("import xentfuzz\n@xentfuzz.parametrize('numpy')\ndef test_numpy(): pass")
    result = session.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*takes an argument named 'check'*"])


def test_a_session_that_does_not_use_it_loads_nothing_heavy(session: pytest.Pytester) -> None:
    session.makepyfile(
        """
        import sys
        import xentfuzz

        def test_light():
            # The pytest plug-in of Hypothesis itself imports the library only where a test uses it.
            heavy = {"hypothesis", "torch", "numba", "numpy", "msgspec", "matplotlib"}
            assert heavy & set(sys.modules) == set()
        """
    )
    session.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_session_that_does_not_use_it_has_no_header(session: pytest.Pytester) -> None:
    session.makepyfile("def test_nothing(): pass")
    session.runpytest().stdout.no_fnmatch_line("xentfuzz*")


def test_an_expectation_that_holds_no_longer_fails(session: pytest.Pytester) -> None:
    recipe = '{"operation":"softmax","dtype":"float32","shape":[2],"arrays":{"logits":{}},"options":{"axis":0}}'
    known = {"implementation": "mine", "check": "value", "reason": "half of it is lost", "recipe": recipe}
    session.makepyfile(source(checks=f"('value',), expected_failures=[{known}]"))
    result = session.runpytest("--xentfuzz-profile=quick")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *half of it is lost* passes now; remove it"])


def test_warnings_of_an_implementation_are_not_the_sessions_errors(session: pytest.Pytester) -> None:
    session.makepyfile(source().replace("    shifted =", "    import warnings; warnings.warn('deprecated')\n    shifted ="))
    session.runpytest("-W", "error", "--xentfuzz-profile=quick").assert_outcomes(passed=2)


def test_checks_that_the_profile_leaves_out_have_no_test(session: pytest.Pytester) -> None:
    session.makepyfile(source(checks="None"))
    quick = session.runpytest("--collect-only", "-q", "--xentfuzz-profile=quick").outlines
    default = session.runpytest("--collect-only", "-q", "--xentfuzz-profile=default").outlines
    assert [line for line in quick if "many_rows" in line] == []
    assert [line for line in default if "many_rows" in line] != []


def test_checks_about_another_array_library_have_no_test(session: pytest.Pytester) -> None:
    session.makepyfile(source(checks="('value', 'torch_autocast')"))
    assert [line for line in session.runpytest("--collect-only", "-q").outlines if "torch_autocast" in line] == []


def test_a_test_of_another_implementation_is_deselected_with_the_reason(session: pytest.Pytester) -> None:
    session.makepyfile(source())
    result = session.runpytest("-v", "--xentfuzz-impl=numpy")
    result.assert_outcomes(deselected=1)
    result.stdout.fnmatch_lines(["xentfuzz: *::test_mine has no test: --xentfuzz-impl numpy is none of its implementations"])
    result.stdout.no_fnmatch_line("*NOTSET*")


def test_a_plain_function_is_taken_as_check_takes_it(session: pytest.Pytester) -> None:
    session.makepyfile(source(checks="('shape',), operations=('softmax',)").replace("parametrize(SOFTMAX", "parametrize(value"))
    result = session.runpytest("-v", "--xentfuzz-profile=quick")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*::test_mine[[]value-softmax-shape-float16]*PASSED*"])


def test_what_is_neither_name_nor_function_is_one_line_at_collection(session: pytest.Pytester) -> None:
    session.makepyfile(source().replace("parametrize(SOFTMAX", "parametrize(3"))
    result = session.runpytest()
    result.stdout.fnmatch_lines(["*parametrize takes names, Implementations and functions, got 3*"])


ALL_ROWS = """
import numpy as np
import xentfuzz

def loss(logits, target, *, ignore_index=-100, reduction="mean"):
    wide = logits.astype(np.float64)
    kept = target != ignore_index
    rows = np.where(kept, np.logaddexp.reduce(wide, axis=1) - wide[np.arange(len(wide)), np.where(kept, target, 0)], 0)
    result = {"none": rows, "sum": rows.sum(), "mean": rows.sum() / len(rows)}[reduction]
    return np.asarray(result).astype(logits.dtype)

SUPPORTS = {"targets": ("index",), "ranks": (2,), "target_dtypes": ("int64",)}
LOSS = xentfuzz.Implementation("mine", loss, dtypes=("float32", "float64"), supports=SUPPORTS)

@xentfuzz.parametrize(LOSS, checks=("value", "ignored_rows_can_be_dropped", "rejects_invalid_options"))
def test_mine(check):
    check()
"""


def test_the_first_test_shows_all_and_others_of_the_same_cause_say_whose_it_is(session: pytest.Pytester) -> None:
    session.makepyfile(ALL_ROWS)
    result = session.runpytest("--xentfuzz-profile=quick", "-p", "no:xdist")
    text = result.stdout.str()
    shown = "the same cause as [mine-cross_entropy-value-float32], which shows it: forward: loss is"
    failed = result.parseoutcomes()["failed"]
    assert failed >= 3
    assert text.count("script that shows this failure alone") == 1
    assert len([line for line in text.splitlines() if line.startswith(shown)]) == failed - 1


def test_another_cause_is_shown_whole_beside_the_first(session: pytest.Pytester) -> None:
    session.makepyfile(
        ALL_ROWS.replace('("value",', '("value", "inputs_unchanged",').replace("    return np.as", "    logits += 1\n    return np.as")
    )
    result = session.runpytest("--xentfuzz-profile=quick", "-p", "no:xdist")
    text = result.stdout.str()
    assert text.count("script that shows this failure alone") == 2
    assert "the same cause as [mine-cross_entropy-inputs_unchanged-float32], which shows it: forward changed logits" in text


TIMED = """
import numpy as np
import xentfuzz

def value(logits, target):
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    rows = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(target)), target]
    return np.asarray(FACTOR * rows.mean()).astype(logits.dtype)

def overwriting(logits, target):
    loss = value(logits, target)
    logits[...] = 0
    return loss

SUPPORTS = {"targets": ("index",), "ranks": (2,), "options": {"ignore_index": ()}}
MINE = xentfuzz.Implementation("mine", value, dtypes=("float32",), supports=SUPPORTS)
OTHER = xentfuzz.Implementation("other", overwriting, dtypes=("float32",), supports=SUPPORTS, mutates=("logits",))

@xentfuzz.parametrize_benchmark(MINE, OTHER, shapes=((8, 16),))
def test_speed(timed, benchmark):
    timed(benchmark)
"""
QUICK = ("--benchmark-max-time=0.01", "--benchmark-min-rounds=1", "-p", "no:cacheprovider")


def test_a_benchmark_is_timed_by_the_fixture_of_pytest_benchmark_stored_and_compared(session: pytest.Pytester) -> None:
    session.makepyfile(TIMED.replace("FACTOR", "1"))
    first = session.runpytest_subprocess("--benchmark-autosave", *QUICK)
    # Neither has a gradient.
    first.assert_outcomes(passed=2, skipped=2)
    second = session.runpytest_subprocess("--benchmark-compare", *QUICK)
    second.assert_outcomes(passed=2, skipped=2)
    for line in ("*benchmark 'loss float32 8 x 16': 4 tests*", "test_speed[[]mine-loss-float32-8x16] (0001_*", "*(NOW)*"):
        second.stdout.fnmatch_lines([line])


def test_a_wrong_result_fails_and_has_no_time(session: pytest.Pytester) -> None:
    session.makepyfile(TIMED.replace("FACTOR", "1.01"))
    result = session.runpytest_subprocess(*QUICK)
    result.assert_outcomes(failed=2, skipped=2)
    result.stdout.fnmatch_lines(["mine: forward: loss is *, exact: *"])
    result.stdout.no_fnmatch_line("*benchmark 'loss*")


def test_a_benchmark_without_the_fixture_is_an_error_that_names_both_arguments(session: pytest.Pytester) -> None:
    session.makepyfile("import xentfuzz\n@xentfuzz.parametrize_benchmark('numpy')\ndef test_speed(timed):\n    pass\n")
    result = session.runpytest_subprocess("--collect-only")
    result.stdout.fnmatch_lines(["*a test under xentfuzz.parametrize_benchmark takes an argument named 'timed' and one named 'benchmark'*"])

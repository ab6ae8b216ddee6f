"""Whole runs: what is found, how small it gets, what is one finding, what repeats, and what a run never does."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import xentfuzz
from xentfuzz.checks.registry import check_names
from xentfuzz.errors import UnknownName, UsageError
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.runner.check import run_checks, run_recipe
from xentfuzz.runner.events import AgreementMeasured, RunFinished, SubjectFinished
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

REDUCTIONS = ("none", "mean", "sum")
RESULT_CHECKS = ("value", "shape", "dtype", "inputs_unchanged", "special_value", "rejects_out_of_range_targets")


def _load() -> ModuleType:
    specification = importlib.util.spec_from_file_location("runner_kernels", Path(__file__).parent / "kernels.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


KERNELS = _load()


def check(kernel: Callable[..., Any], **settings: Any) -> xentfuzz.CheckReport:
    defaults: dict[str, Any] = {"profile": "quick", "max_examples": 20, "seed": 0, "isolate": False, "checks": RESULT_CHECKS}
    return xentfuzz.check(kernel, **{**defaults, **settings})


def test_an_honest_kernel_passes_every_check() -> None:
    report = check(KERNELS.honest, checks=None, max_examples=4)
    assert report.ok, [failure.message for failure in report.failures] + report.problems
    # Large inputs have no cases in profile quick.
    assert {result.status for result in report.checks} == {"passed", "unsupported", "not_run"}
    assert all(result.cases for result in report.checks if result.status == "passed")


@pytest.mark.parametrize(
    ("kernel", "name", "kind"),
    [
        ("counts_ignored", "value", "value"),
        ("scalar_for_none", "value", "shape"),
        ("float64_loss", "dtype", "dtype"),
        ("refuses_five_rows", "value", "raised"),
        ("writes_logits", "inputs_unchanged", "changed_input"),
        ("clamps_targets", "rejects_out_of_range_targets", "accepted_invalid"),
        ("no_max_subtraction", "value", "value"),
        ("half_precision", "value", "value"),
    ],
)
def test_each_mistake_is_found_and_named(kernel: str, name: str, kind: str) -> None:
    report = check(getattr(KERNELS, kernel), max_examples=40, checks=(*RESULT_CHECKS[:4], name))
    assert not report.ok
    assert (name, kind) in {(failure.check, failure.kind) for failure in report.failures}
    first = report.failures[0]
    assert isinstance(first, AssertionError)
    assert np.prod(first.recipe["shape"]) <= 10, first.recipe


@pytest.mark.parametrize("supports", [None, {"targets": ("index",), "target_dtypes": ("int32",), "ranks": (2,)}])
@pytest.mark.parametrize(("kernel", "kinds"), [(KERNELS.only_int32, set()), (KERNELS.only_int32_wrong, {"value"})])
def test_index_targets_are_compared_where_they_are_int32_alone(kernel: Any, kinds: set[str], supports: dict[str, Any] | None) -> None:
    implementation = xentfuzz.Implementation("int32", kernel, dtypes=("float32",), supports=supports)
    report = check(implementation, checks=("value", "special_value"))
    assert {failure.kind for failure in report.failures} == kinds
    assert any(result.cases for result in report.checks)


@pytest.mark.parametrize(("options", "found"), [({}, {"raised"}), ({"ignore_index": ()}, set())])
def test_no_row_is_ignored_where_that_is_declared(options: dict[str, tuple[int, ...]], found: set[str]) -> None:
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, **options}}
    kernel = KERNELS.raises_for_negative_labels
    implementation = xentfuzz.Implementation("never_ignores", kernel, dtypes=("float32",), supports=supports)
    report = check(implementation, checks=("value", "special_value", "robust_value", "no_memory_of_earlier_calls"))
    assert {failure.kind for failure in report.failures} == found
    assert ("ignored rows" in report.unsupported) == bool(options)


def test_a_softmax_of_axis_1_alone_is_compared_along_it() -> None:
    implementation = xentfuzz.Implementation("axis_1", KERNELS.softmax_along_axis_1, operation="softmax", dtypes=("float32",))
    report = check(implementation, checks=("value",))
    assert report.ok, report.failures
    assert sum(result.cases for result in report.checks) >= 20


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_examples": -3}, "max_examples=-3; wanted a whole number from 1 on"),
        ({"max_examples": 2.5}, "max_examples=2.5; wanted"),
        ({"seed": "a"}, "seed='a'; wanted a whole number from 0 on"),
        ({"budget": -1}, "budget=-1; wanted seconds"),
        ({"budget": float("nan")}, "budget=nan; wanted seconds"),
        ({"checks": "value"}, r"checks='value'; wanted a sequence of names, such as checks=\['value'\]"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check(KERNELS.honest, **settings)


def test_one_bug_is_one_finding_that_says_what_it_needs() -> None:
    report = check(KERNELS.counts_ignored, checks=(*RESULT_CHECKS, "robust_value", "reductions_agree", "duplicated_batch_keeps_mean"))
    assert len(report.failures) == 1
    assert "an ignored row" in report.failures[0].message
    assert "reduction mean" in report.failures[0].message
    assert "reductions_agree" in report.failures[0].message
    assert "robust_value (value)" in report.failures[0].message
    assert "value (value), value" not in report.failures[0].message
    assert report.failures[0].case["target"].tolist().count(-100) == 1


def test_a_failure_shows_in_every_dtype_that_has_it() -> None:
    report = check(KERNELS.counts_ignored, checks=("value",))
    assert {result.dtype for result in report.checks if result.status == "failed"} == {"float16", "bfloat16", "float32", "float64"}
    assert len(report.failures) == 1


def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (check(KERNELS.counts_ignored, checks=("value", "special_value")).to_dict() for _ in range(2))
    other = check(KERNELS.counts_ignored, checks=("value", "special_value"), seed=1).to_dict()
    for report in (first, second, other):
        report.pop("seconds")
        report["card"].pop("compile_seconds")
    assert first == second
    assert first["checks"] != other["checks"]


def test_a_budget_cuts_a_run_short_and_says_so() -> None:
    report = check(KERNELS.honest, budget=0.0)
    assert "budget" in report.cut_short
    assert all(result.status != "passed" for result in report.checks)
    assert not report.ok


def test_nothing_compared_is_a_problem() -> None:
    def takes_nothing(logits: Any, target: Any) -> Any:
        raise NotImplementedError

    report = check(takes_nothing)
    assert not report.ok
    assert any(problem.startswith("nothing could be compared: it rejects ") for problem in report.problems)


def test_what_a_check_had_nothing_to_compare_in_has_a_reason() -> None:
    settings = Settings("check", get_profile("quick"), 1, isolate=False, checks=("ignored_rows_can_be_dropped",), dtypes=("float32",))
    (report,) = run_checks([xentfuzz.get("numpy")], settings)
    (result,) = report.checks
    assert result.unsupported > 0
    assert report.unsupported == {"ignored_rows_can_be_dropped: nothing to compare": result.unsupported}


def test_an_expected_failure_leaves_the_run_ok_until_it_is_mended() -> None:
    found = check(KERNELS.counts_ignored, checks=("value",)).failures[0]
    entry = {
        "implementation": found.implementation,
        "check": "value",
        "reason": "known",
        "when": {"reduction": "mean", "ignored": "!=none"},
        "recipe": found.recipe,
    }
    report = check(KERNELS.counts_ignored, checks=("value",), expected_failures=[entry])
    assert report.ok, report.problems
    assert list(report.expected.values()) == ["known"]
    assert {result.status for result in report.checks} <= {"expected", "passed"}
    mended = check(KERNELS.honest, checks=("value",), expected_failures=[{**entry, "implementation": check(KERNELS.honest).implementation}])
    assert not mended.ok
    assert "passes now" in mended.problems[0]


def test_a_kernel_that_ends_its_process_leaves_the_run_alive() -> None:
    report = xentfuzz.check(
        f"{Path(__file__).parent / 'kernels.py'}:ends_the_process", profile="quick", max_examples=8, seed=0, isolate=True
    )
    assert [failure.kind for failure in report.failures] == ["exit"]
    assert "skipped after 3" in report.cut_short


def test_an_unknown_check_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="did you mean 'value'"):
        check(KERNELS.honest, checks=("valu",))
    assert "value" in check_names()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(UsageError, match="quick"):
        check(KERNELS.honest, profile="quik")


def test_a_common_corpus_runs_on_all_and_their_agreement_is_measured() -> None:
    events: list[Any] = []
    implementations = [xentfuzz.Implementation(name, KERNELS.honest) for name in ("left", "right")]
    settings = Settings("run", get_profile("quick"), 0, examples=10, isolate=False, checks=("value",), listeners=(events.append,))
    reports = run_checks(implementations, settings)
    first, second = ([(result.check, result.dtype, result.cases, result.recipe) for result in report.checks] for report in reports)
    assert first == second
    agreement = next(event for event in events if isinstance(event, AgreementMeasured))
    assert agreement.pairs["left", "right"]["cases"] == agreement.pairs["left", "right"]["identical"] > 0
    assert sum(isinstance(event, SubjectFinished) for event in events) == 2
    assert isinstance(events[-1], RunFinished)
    assert not events[-1].interrupted


def test_invalid_input_of_different_kinds_is_not_one_finding() -> None:
    def lenient(logits: Any, target: Any, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
        """Takes any reduction for the mean, and the first rows of a target that is too long."""
        target = target[: len(logits)]
        return KERNELS.clamps_targets(logits, target, ignore_index=ignore_index, reduction=reduction if reduction in REDUCTIONS else "mean")

    report = check(lenient, checks=("rejects_mismatched_shapes", "rejects_invalid_options", "rejects_out_of_range_targets"))
    assert len({failure.check for failure in report.failures}) == 3


def test_a_recipe_alone_is_judged_by_what_it_gives_itself() -> None:
    clamping = xentfuzz.Implementation("mine", KERNELS.clamps_targets, dtypes=("float32",), supports={"ranks": (2,), "targets": ("index",)})
    arrays = {"logits": ArrayRecipe(elements=("0.0", "1.0")), "target": ArrayRecipe("first_class"), "grad_output": ArrayRecipe("ones")}
    recipe = Recipe("cross_entropy", "float32", (1, 2), arrays)
    assert run_recipe(clamping, None, recipe) is None
    assert run_recipe(clamping, "rejects_out_of_range_targets", recipe) is not None


def test_two_of_one_name_are_refused_as_reports_could_not_tell_them_apart() -> None:
    right, wrong = (xentfuzz.Implementation("mine", kernel) for kernel in (KERNELS.honest, KERNELS.counts_ignored))
    with pytest.raises(UsageError, match="mine is given twice for cross_entropy"):
        run_checks([right, wrong], Settings("check", get_profile("quick"), 0, isolate=False))


def test_a_recipe_of_a_dtype_that_is_not_taken_can_not_be_run() -> None:
    arrays = {"logits": ArrayRecipe(elements=("0.0", "1.0")), "target": ArrayRecipe("first_class")}
    half_only = xentfuzz.Implementation("half_only", KERNELS.honest, dtypes=("float16",))
    with pytest.raises(UsageError, match="half_only does not take this case: float32 logits"):
        run_recipe(half_only, "value", Recipe("cross_entropy", "float32", (1, 2), arrays))


def test_an_interrupted_run_blames_no_dtype_that_it_did_not_reach() -> None:
    def interrupts(logits: Any, target: Any, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
        if logits.dtype == np.float64:
            signal.raise_signal(signal.SIGINT)
        return KERNELS.honest(logits, target, ignore_index=ignore_index, reduction=reduction)

    supports = {"targets": ("index",), "ranks": (2,)}
    implementation = xentfuzz.Implementation("mine", interrupts, dtypes=("float32", "float64"), supports=supports)
    report = check(implementation, checks=("value",))
    assert report.cut_short == "interrupted"
    assert [result.dtype for result in report.checks if result.cases] == ["float32"]
    assert report.problems == []


def test_what_a_profile_has_no_cases_of_names_the_profile_that_has() -> None:
    report = check(KERNELS.honest, checks=["value", "many_rows"], max_examples=3)
    assert {result.reason for result in report.checks if result.status == "not_run"} == {"left to --profile default"}

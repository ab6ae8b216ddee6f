"""Every fault that a single value does not show is found, by its check and under its kind; honest implementations are left alone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.memory import writes_every_element
from xentfuzz.checks.repeat import MOST_WRONG_ALONE, no_memory_of_earlier_calls
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import FAILURES
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings
from xentfuzz.subjects.open import open_subject

HERE = Path(__file__).parent
SUPPORTS = {
    "targets": ("index",),
    "target_dtypes": ("int64",),
    "ranks": (2,),
    "layouts": ("contiguous", "first_columns"),
    "options": {"ignore_index": (-100,), "reduction": None},
}

# function -> (check, kind), forward functions of harmful_numpy.
FORWARD = {
    "denominator_by_shape": ("no_memory_of_earlier_calls", "stale_state"),
    "remembers_the_largest": ("no_memory_of_earlier_calls", "stale_state"),
    "every_other_call": ("repeatable", "nondeterministic"),
    "one_buffer_for_all_losses": ("results_are_own_memory", "aliased_result"),
    "filled_in_by_a_thread": ("results_are_complete", "late_result"),
    "reads_past_the_logits": ("stays_in_bounds", "out_of_bounds_read"),
    "reads_before_the_logits": ("stays_in_bounds", "out_of_bounds_read"),
    "reads_past_the_target": ("stays_in_bounds", "out_of_bounds_read"),
    "reads_a_vector_of_eight": ("stays_in_bounds", "out_of_bounds_read"),
    "writes_past_the_logits": ("stays_in_bounds", "out_of_bounds_write"),
    "writes_before_the_target": ("stays_in_bounds", "out_of_bounds_write"),
    "ignored_rows_unwritten": ("writes_every_element", "unwritten_output"),
    "nothing_written": ("writes_every_element", "unwritten_output"),
    "one_scratch_for_all_threads": ("thread_safe", "thread_unsafe"),
    "raises_when_busy": ("thread_safe", "thread_unsafe"),
    "numpy_errors_off": ("leaves_surroundings_alone", "global_state"),
    "numpy_errors_off_once": ("leaves_surroundings_alone", "global_state"),
    "double_for_nothing_kept": ("special_dtype", "dtype"),
    "ignored_garbage_overwritten": ("special_inputs_unchanged", "changed_input"),
    "draws_random_numbers": ("leaves_surroundings_alone", "global_state"),
    "changes_directory": ("leaves_surroundings_alone", "global_state"),
    "sets_a_variable": ("leaves_surroundings_alone", "global_state"),
    "silences_warnings": ("leaves_surroundings_alone", "global_state"),
    "leaves_a_file_open": ("leaves_surroundings_alone", "global_state"),
    "prints": ("leaves_surroundings_alone", "global_state"),
    "prints_from_c": ("leaves_surroundings_alone", "global_state"),
    "closes_standard_output": ("leaves_surroundings_alone", "global_state"),
}
BACKWARD = {
    "gradient_added_to_the_last": ("no_memory_of_earlier_calls", "stale_state"),
    "gradient_over_logits": ("results_are_own_memory", "aliased_result"),
    "logits_spoilt": ("inputs_unchanged", "changed_input"),
    "reads_past_the_upstream": ("stays_in_bounds", "out_of_bounds_read"),
    "writes_past_the_upstream": ("stays_in_bounds", "out_of_bounds_write"),
    "gradient_unwritten": ("writes_every_element", "unwritten_output"),
    "upstream_as_scratch": ("shared_arguments", "shared_arguments"),
}
PROTOCOL_CHECKS = (
    "special_dtype",
    "special_inputs_unchanged",
    "special_results_are_own_memory",
    "repeatable",
    "no_memory_of_earlier_calls",
    "results_are_own_memory",
    "stays_in_bounds",
    "writes_every_element",
    "shared_arguments",
    "thread_safe",
    "leaves_surroundings_alone",
)


def numpy_implementation(name, forward="forward", backward="backward", **declared):
    file = HERE / "harmful_numpy.py"
    gradient = backward and f"{file}:{backward}"
    return Implementation(name, f"{file}:{forward}", backward=gradient, dtypes=("float32",), supports=SUPPORTS, **declared)


def found(implementation, *checks, profile="quick"):
    """The report of a run that does not shrink."""
    settings = Settings("check", get_profile(profile), seed=1, isolate=True, checks=checks, dtypes=("float32",), shrink=False)
    return run_checks([implementation], settings)[0]


def pairs(report):
    return {(failure.check, failure.kind) for failure in report.failures}


def always_mean(logits, target):
    wide = logits.astype(np.float64)
    lse = np.logaddexp.reduce(wide, axis=1)
    kept = target != -100
    losses = lse - wide[np.arange(len(target)), np.where(kept, target, 0)]
    return np.asarray(losses[kept].sum() / kept.sum(), logits.dtype)


@pytest.mark.parametrize("function", FORWARD)
def test_a_harmful_forward_is_found(function):
    report = found(numpy_implementation(function, forward=function), FORWARD[function][0])
    assert pairs(report) == {FORWARD[function]}


@pytest.mark.parametrize("function", BACKWARD)
def test_a_harmful_backward_is_found(function):
    report = found(numpy_implementation(function, backward=function), BACKWARD[function][0])
    assert pairs(report) == {BACKWARD[function]}


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("dies_when_called_again", "segfault"),
        ("raises_when_called_again", "raised"),
        ("wrong_when_called_again", "nondeterministic"),
    ],
)
def test_what_may_differ_from_call_to_call_is_accused_of_what_it_does(function, kind):
    report = found(numpy_implementation(function, forward=function, backward=None, deterministic=False), "repeatable")
    assert pairs(report) == {("repeatable", kind)}


def test_another_result_outside_the_bound_has_its_figures():
    implementation = numpy_implementation("again", forward="wrong_when_called_again", backward=None, deterministic=False)
    details = found(implementation, "repeatable").failures[0].details
    assert details["function"] == "forward"
    assert details["ratio"] > 1


def test_a_valid_call_that_dies_after_an_error_is_a_crash():
    implementation = numpy_implementation("fragile", forward="dies_after_an_error", backward=None)
    report = found(implementation, "rejects_out_of_range_targets")
    assert pairs(report) == {("rejects_out_of_range_targets", "segfault")}


@contextlib.contextmanager
def trial_of(function, wrong_alone):
    operation = get_operation("cross_entropy")
    logits = np.linspace(-1, 1, 12).astype(np.float32).reshape(4, 3)
    arrays = {name: StridedArray.of(values) for name, values in (("logits", logits), ("target", np.arange(4) % 3))}
    case = Case("cross_entropy", "float32", arrays, dict(operation.defaults))
    subject = open_subject(numpy_implementation(function, forward=function, backward=None), isolate=True)
    try:
        yield Trial(operation, case, operation.evaluate(case), subject, wrong_alone=wrong_alone)
    finally:
        subject.close()


def test_what_is_wrong_in_a_fresh_worker_too_costs_so_many_workers_and_is_no_comparison():
    wrong_alone = Counter()
    with trial_of("always_wrong", wrong_alone) as trial:
        assert no_memory_of_earlier_calls(trial).compared
        assert wrong_alone.total() == MOST_WRONG_ALONE
        with pytest.raises(Unsupported, match="as wrong in a fresh worker"):
            no_memory_of_earlier_calls(trial)
    assert wrong_alone.total() == MOST_WRONG_ALONE


def test_without_a_limit_what_was_wrong_before_decides_nothing():
    with trial_of("denominator_by_shape", Counter(forward=MOST_WRONG_ALONE)) as trial, pytest.raises(Unsupported):
        no_memory_of_earlier_calls(trial)
    with trial_of("denominator_by_shape", None) as trial, pytest.raises(FAILURES["stale_state"]):
        no_memory_of_earlier_calls(trial)


def test_reports_count_what_was_not_held_against_earlier_calls():
    report = found(numpy_implementation("always", forward="always_wrong", backward=None), "no_memory_of_earlier_calls")
    (result,) = report.checks
    (reason,) = (reason for reason in report.unsupported if "as wrong in a fresh worker" in reason)
    assert result.cases
    assert result.unsupported == sum(report.unsupported.values())
    assert report.unsupported[reason]


def test_one_array_of_zeros_for_every_batch_of_which_nothing_is_kept_is_found():
    implementation = numpy_implementation("zeros", backward="zeros_kept_for_nothing_kept")
    report = found(implementation, "special_results_are_own_memory", profile="default")
    assert pairs(report) == {("special_results_are_own_memory", "aliased_result")}


def test_closed_streams_are_found_by_whatever_check_makes_the_call():
    implementation = numpy_implementation("closes", forward="closes_standard_output")
    assert pairs(found(implementation, "value")) == {("value", "global_state")}


def test_labels_kept_for_backward_are_found():
    implementation = numpy_implementation("keeps labels", "notes_its_labels", "uses_the_last_labels")
    assert pairs(found(implementation, "no_memory_of_earlier_calls")) == {("no_memory_of_earlier_calls", "stale_state")}


def test_an_honest_implementation_passes():
    report = found(numpy_implementation("honest"), *PROTOCOL_CHECKS)
    assert report.failures == []
    assert {(result.check, result.status) for result in report.checks} == {(name, "passed") for name in PROTOCOL_CHECKS}


def test_an_implementation_without_a_reduction_is_not_given_one():
    implementation = Implementation("fixed", always_mean, dtypes=("float32",), supports={**SUPPORTS, "options": {"ignore_index": (-100,)}})
    settings = Settings("check", get_profile("quick"), seed=1, isolate=False, checks=("no_memory_of_earlier_calls",), shrink=False)
    (report,) = run_checks([implementation], settings)
    assert report.failures == []
    assert [result.status for result in report.checks if result.dtype == "float32"] == ["passed"]


# ---- torch

TORCH = {
    "wrong_under_no_grad": ("torch_gradient_modes", "value"),
    "raises_in_inference_mode": ("torch_gradient_modes", "raised"),
    "scales_in_place": ("torch_second_backward", "stale_state"),
    "forward_over_logits": ("torch_two_losses", "stale_state"),
    "gradient_over_saved_logits": ("torch_saved_logits", "changed_input"),
    "upstream_by_its_first_number": ("torch_upstream_gradients", "gradient"),
    "half_under_autocast": ("torch_autocast", "dtype"),
    "raises_under_autocast": ("torch_autocast", "raised"),
    "default_dtype_left_changed": ("leaves_surroundings_alone", "global_state"),
    "gradients_left_off": ("leaves_surroundings_alone", "global_state"),
    "one_thread_from_now_on": ("leaves_surroundings_alone", "global_state"),
    "draws_random_numbers": ("leaves_surroundings_alone", "global_state"),
    "one_buffer": ("results_are_own_memory", "aliased_result"),
    "unwritten": ("writes_every_element", "unwritten_output"),
}
TORCH_CHECKS = (
    "torch_gradient_modes",
    "torch_second_backward",
    "torch_two_losses",
    "torch_saved_logits",
    "torch_upstream_gradients",
    "torch_autocast",
)


def torch_implementation(function):
    return Implementation(function, f"{HERE / 'harmful_torch.py'}:{function}", array="torch", dtypes=("float32",), supports=SUPPORTS)


@pytest.mark.parametrize("function", TORCH)
def test_a_harmful_torch_function_is_found(function):
    assert pairs(found(torch_implementation(function), TORCH[function][0])) == {TORCH[function]}


def test_the_mode_in_which_a_torch_function_raises_is_named():
    (failure,) = found(torch_implementation("raises_in_inference_mode"), "torch_gradient_modes").failures
    assert "(with torch.inference_mode())" in failure.message


@pytest.mark.parametrize(
    ("function", "wanted"), [("only_for_the_logits", {("torch_frozen_arguments", "gradient")}), ("of_probabilities", set())]
)
def test_what_is_skipped_for_frozen_logits_is_found(function, wanted):
    place, supports = f"{HERE / 'harmful_torch.py'}:{function}", SUPPORTS | {"targets": ("probabilities",), "options": {"reduction": None}}
    implementation = Implementation(function, place, array="torch", dtypes=("float32",), supports=supports)
    assert pairs(found(implementation, "torch_frozen_arguments")) == wanted


@pytest.mark.parametrize("function", ["forward", "honest_saving"])
def test_an_honest_torch_function_passes(function):
    report = found(torch_implementation(function), *PROTOCOL_CHECKS, *TORCH_CHECKS)
    assert report.failures == []
    assert {result.status for result in report.checks} == {"passed"}


# ---- Numba

NUMBA = {
    "ignored_rows_unwritten": ("writes_every_element", "unwritten_output"),
    "reads_past_the_logits": ("stays_in_bounds", "out_of_bounds_read"),
    "one_scratch_for_all_threads": ("thread_safe", "thread_unsafe"),
}


@pytest.mark.parametrize("function", NUMBA)
def test_a_harmful_numba_kernel_is_found(function):
    implementation = Implementation(function, f"{HERE / 'harmful_numba.py'}:{function}", dtypes=("float32",), supports=SUPPORTS)
    assert pairs(found(implementation, NUMBA[function][0])) == {NUMBA[function]}


COMPILER = {
    "other_when_compiled": ("torch_compiled", "value"),
    "overwriting_operator": ("torch_custom_operator", "raised"),
}


def compiled(function, check):
    supports = SUPPORTS | {"options": {"reduction": ("mean",)}}
    place = f"{HERE / 'harmful_torch.py'}:{function}"
    implementation = Implementation(function, place, array="torch", dtypes=("float32",), supports=supports)
    settings = Settings("check", get_profile("default"), seed=1, isolate=True, checks=(check,), dtypes=("float32",), shrink=False)
    return run_checks([implementation], settings)[0]


@pytest.mark.slow
@pytest.mark.parametrize("function", COMPILER)
def test_what_a_compiler_changes_is_found(function):
    assert pairs(compiled(function, COMPILER[function][0])) == {COMPILER[function]}


@pytest.mark.slow
@pytest.mark.parametrize(("function", "check"), [("forward", "torch_compiled"), ("honest_operator", "torch_custom_operator")])
def test_an_honest_function_may_be_compiled(function, check):
    report = compiled(function, check)
    assert report.failures == []
    assert {result.status for result in report.checks} == {"passed"}


def test_what_runs_in_a_simulator_is_not_compiled():
    implementation = Implementation("mine", f"{HERE / 'harmful_torch.py'}:forward", array="torch", simulator=True)
    settings = Settings("check", get_profile("default"), seed=1, isolate=True, checks=("torch_compiled",), dtypes=("float32",))
    (result,) = run_checks([implementation], settings)[0].checks
    assert (result.status, result.reason) == ("unsupported", "runs in a simulator")


# ---- memory that was never written, by size

UNWRITTEN = {"numpy": ("harmful_numpy.py:nothing_written", "numpy"), "torch": ("harmful_torch.py:unwritten", "torch")}
UNWRITTEN["numba"] = ("harmful_numba.py:nothing_written", "numpy")


@pytest.fixture(scope="module", params=UNWRITTEN)
def unwritten(request):
    place, array = UNWRITTEN[request.param]
    implementation = Implementation("unwritten", str(HERE / place), array=array, dtypes=("float32",), supports=SUPPORTS)
    subject = open_subject(implementation, isolate=True)
    yield subject
    subject.close()


@pytest.mark.parametrize("rows", [8, 100, 5000, 2_000_000])
def test_an_unwritten_result_is_seen_at_every_size(unwritten, rows):
    operation = get_operation("cross_entropy")
    arrays = {"logits": np.zeros((rows, 2), np.float32), "target": np.zeros(rows, np.int64), "grad_output": np.ones(rows, np.float32)}
    options = {**operation.defaults, "reduction": "none"}
    case = Case("cross_entropy", "float32", {name: StridedArray.of(values) for name, values in arrays.items()}, options)
    with pytest.raises(FAILURES["unwritten_output"]):
        writes_every_element(Trial(operation, case, operation.evaluate(case), unwritten))


@pytest.mark.parametrize(("forward", "kinds"), [("logits_as_scratch", {"shared_arguments"}), ("logits_only_read", set())])
def test_probabilities_that_are_the_logits(forward, kinds):
    supports = {**SUPPORTS, "targets": ("probabilities",), "options": {"reduction": None}}
    implementation = Implementation(forward, f"{HERE / 'harmful_numpy.py'}:{forward}", dtypes=("float32",), supports=supports)
    report = found(implementation, "shared_arguments", "inputs_unchanged", "value")
    assert {failure.kind for failure in report.failures} == kinds
    assert {result.check: result.status for result in report.checks}["inputs_unchanged"] == "passed"
    assert all(failure.headline.startswith("where target is logits: ") for failure in report.failures)


def test_a_script_shows_arguments_that_share_memory(tmp_path):
    implementation = numpy_implementation("upstream_as_scratch", backward="upstream_as_scratch")
    (failure,) = found(implementation, "shared_arguments").failures
    script = tmp_path / "shown.py"
    script.write_text(failure.script())
    assert "grad_output = logits.reshape(-1)[:" in failure.script()
    assert subprocess.run([sys.executable, script], check=False, capture_output=True, timeout=60).returncode == 1

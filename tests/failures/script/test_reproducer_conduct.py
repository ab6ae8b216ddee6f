"""Scripts of findings about memory, state and crashes reach their verdict by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scripts import ARRAYS, case_of, guarded, shows_it, source_at
from target_sources import TORCH_TARGET

from xentfuzz.failures.script import reproducer
from xentfuzz.failures.script.conduct import STATES
from xentfuzz.worker.surroundings import PARTS


@pytest.mark.parametrize(("kind", "status"), [("segfault", -11), ("exit", 0)])
def test_crashes_are_told_by_the_parent(make_failure, run_alone, kind, status):
    script = reproducer(make_failure(ARRAYS, kind=kind, source=source_at(f"{kind}s")))
    shows_it(run_alone, script, f"the call ended the process with status {status}")


@pytest.mark.parametrize(
    ("kind", "name", "calls", "words"),
    [
        ("out_of_bounds_write", "writes_beside", [guarded(0x5A)], "written beside an argument: logits"),
        ("out_of_bounds_read", "reads_beside", [guarded(0x5A), guarded(0xFF)], "another result where other memory lies around"),
        (
            "aliased_result",
            "one_buffer",
            [case_of(ARRAYS), case_of({**ARRAYS, "logits": ARRAYS["logits"] + 1})],
            "overwritten by the next call",
        ),
        ("aliased_result", "a_view", [], "loss shares memory with logits"),
        ("late_result", "late", [], "loss is another one by now, with no call between"),
        ("unwritten_output", "unwritten", [], "loss where fresh memory holds 0xff: ["),
    ],
)
def test_memory(make_failure, run_alone, kind, name, calls, words):
    arrays = ARRAYS | {"target": np.array([2, 0, 1])} if kind == "unwritten_output" else ARRAYS
    made = tuple(("forward", case) for case in calls)
    script = reproducer(make_failure(arrays, kind=kind, source=source_at(name), calls=made))
    shows_it(run_alone, script, words)


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        ("errors_off", "changes NumPy's error state: divide, invalid", "NumPy's error state: changed by the call"),
        ("once_random", "changes NumPy's global random state changed", "NumPy's global random state: changed by the call"),
        ("variable", "changes environment variables: XENTFUZZ_MODE", "environment variables: changed by the call"),
        (
            "rounds_down",
            "changes the floating-point rounding mode, precision and traps: 1 -> 2",
            "rounding mode, precision and traps: changed",
        ),
        ("prints", "prints to standard output: 'once'", "printed by the call: something"),
        ("closes", "closes stdout", "closed by the call: ['standard output'"),
    ],
)
def test_the_state_of_the_process(make_failure, run_alone, name, found, words):
    script = reproducer(make_failure(ARRAYS, kind="global_state", message=f"forward {found}", source=source_at(name)))
    shows_it(run_alone, script, words)


def test_every_part_of_the_state_can_be_read_by_a_script():
    assert {part.name: part.lasting for part in PARTS} == {name: state.lasting for name, state in STATES.items()}


@pytest.mark.parametrize(
    ("kind", "name", "calls", "words"),
    [
        (
            "aliased_result",
            "one_buffer",
            [case_of(ARRAYS), case_of({**ARRAYS, "logits": ARRAYS["logits"] + 1})],
            "overwritten by the next call",
        ),
        ("aliased_result", "a_view", [], "loss shares memory with logits"),
        ("unwritten_output", "unwritten", [], "loss where fresh memory holds 0xff: tensor(["),
        ("out_of_bounds_write", "writes_beside", [guarded(0x5A)], "written beside an argument: logits"),
        ("global_state", "gradients_off", [], "torch's gradient mode: changed by the call"),
    ],
)
def test_conduct_of_torch_targets(make_failure, run_alone, kind, name, calls, words):
    made = tuple(("forward", case) for case in calls)
    message = "forward changes torch's gradient mode True -> False"
    script = reproducer(make_failure(ARRAYS, kind=kind, message=message, source=source_at(name, array="torch"), calls=made))
    shows_it(run_alone, script, words, target=TORCH_TARGET)

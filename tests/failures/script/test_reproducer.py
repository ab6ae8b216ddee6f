"""A script shows its failure by itself: run in a process of its own, it exits 1 for the faulty target and 0 for a mended one."""

from __future__ import annotations

import os

import numpy as np
import pytest
from scripts import ARRAYS, FIGURES, case_of, shows_it, source_at

from xentfuzz.arrays import StridedArray
from xentfuzz.failures import record
from xentfuzz.failures.script import reproducer, verdicts
from xentfuzz.failures.script.reproducer import large_arrays
from xentfuzz.failures.source import Source


def test_a_wrong_value_of_a_numpy_function(make_failure, run_alone):
    script = reproducer(make_failure(ARRAYS, options={"reduction": "sum"}, source=source_at("loss"), **FIGURES))
    shows_it(run_alone, script, f"numpy {np.__version__}", "got 0.8152", "exact 0.4076", "allowed error 1e-06")
    assert 'loss_function(logits, target, reduction="sum")' in script
    assert "np.array([[0.0, 1.0, 2.0]]" in script
    assert "torch" not in script
    assert "inf" not in script


def test_a_wrong_gradient_is_called_with_its_upstream_gradient(make_failure, run):
    arrays = ARRAYS | {"grad_output": np.array(2.0, np.float32)}
    source = Source({"forward": "targets.py:loss", "backward": "targets.py:backward"})
    figures = {"function": "backward", "output": "grad_logits", "index": (0, 1), "got": 1.4683, "exact": 0.48945694, "allowed": 1e-6}
    shows_it(run, reproducer(make_failure(arrays, kind="gradient", source=source, **figures)), "grad_logits[0, 1]: got 1.468")


def test_the_upstream_gradient_has_the_dtype_of_the_loss(make_failure):
    arrays = {name: values.astype(np.float16) if name == "logits" else values for name, values in ARRAYS.items()}
    arrays["grad_output"] = np.array(2.0, np.float16)
    source = Source({"forward": "targets.py:loss", "backward": "targets.py:backward"}, loss_dtype="float32")
    script = reproducer(
        make_failure(arrays, kind="gradient", source=source, function="backward", output="grad_logits", got=1.0, exact=2.0, allowed=0.1)
    )
    assert 'grad_output = np.array(2.0, "float32")' in script


def test_a_fused_call(make_failure, run):
    source = Source({"forward": "targets.py:loss", "value_and_grad": "targets.py:value_and_grad"})
    figures = {"function": "value_and_grad", "output": "grad_logits", "index": (0, 1), "got": 0.7341, "exact": 0.24472847, "allowed": 1e-6}
    arrays = ARRAYS | {"grad_output": np.array(2.0, np.float32)}
    script = reproducer(make_failure(arrays, kind="gradient", source=source, **figures))
    shows_it(run, script, "grad_logits[0, 1]: got 0.734")
    assert "grad_output" not in script


def test_a_layout_is_rebuilt(make_failure, run):
    storage = np.zeros(24, np.uint8)
    logits = StridedArray(storage, "float32", (1, 3), (12, -8), 16)
    logits.view()[...] = ARRAYS["logits"]
    script = reproducer(make_failure({**ARRAYS, "logits": logits}, source=source_at("columns"), **FIGURES))
    shows_it(run, script, "loss: got 1.4076", "exact 0.4076")
    assert "strides=(12, -8)" in script


def test_own_spellings_and_fixed_arguments(make_failure, run, monkeypatch):
    source = source_at("renamed", renames={"smoothing": "label_smoothing"}, fixed={"fast": True}, environment={"XENTFUZZ_MODE": "1"})
    monkeypatch.delenv("XENTFUZZ_MODE", raising=False)
    script = reproducer(make_failure(ARRAYS, options={"label_smoothing": 0.25}, source=source, **FIGURES))
    shows_it(run, script, "got 0.8152")
    assert os.environ.pop("XENTFUZZ_MODE") == "1"


@pytest.mark.parametrize(
    ("kind", "name", "details", "words"),
    [
        ("raised", "raises", {}, "RuntimeError: no such kernel"),
        ("accepted_invalid", "accepts", {}, "accepted, and answered with 3.0"),
        ("changed_input", "changes", {"changed": ("logits",)}, "changed by the call: logits"),
        ("nondeterministic", "forgetful", {}, "100 calls gave 100 different results"),
        ("thread_unsafe", "forgetful", {}, "calls gave another result in threads"),
        ("shape", "wrong_shape", {"output": "value"}, "got shape (1,), wanted ()"),
        ("dtype", "wrong_dtype", {"output": "value", "got": "a Python float", "exact": "float32"}, "got dtype float, wanted float32"),
        (
            "special",
            "keeps_nan",
            {"output": "value", "got": 1.0, "exact": 0.5, "allowed": 0.1, "wanted": "NaN or +inf"},
            "allowed: NaN or +inf",
        ),
    ],
)
def test_other_kinds(make_failure, run, monkeypatch, kind, name, details, words):
    monkeypatch.setattr(verdicts, "SECONDS_IN_THREADS", 0.2)
    script = reproducer(make_failure(ARRAYS, kind=kind, source=source_at(name), **details))
    assert "torch" not in script
    shows_it(run, script, words)


def test_an_invalid_call_is_shown_as_it_was_made(make_failure, run):
    failure = make_failure(
        ARRAYS, kind="accepted_invalid", source=source_at("accepts"), calls=(("forward", case_of({**ARRAYS, "target": np.array([7])})),)
    )
    script = reproducer(failure)
    shows_it(run, script, "accepted, and answered with 3.0")
    assert 'target = np.array([7], "int64")' in script


def test_a_call_that_depends_on_the_one_before(make_failure, run):
    calls = (("forward", case_of({**ARRAYS, "target": np.array([7])})), ("forward", case_of(ARRAYS)))
    failure = make_failure(ARRAYS, kind="stale_state", source=source_at("fragile"), calls=calls)
    shows_it(run, reproducer(failure), "IndexError('target out of range')", "another result after the other calls")


def test_an_identity_shows_every_call_next_to_its_exact_result(make_failure, run):
    log_probs = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))
    calls = (
        ("forward", case_of(ARRAYS)),
        ("forward", case_of({"logits": ARRAYS["logits"]}, "log_softmax", axis=1)),
        (
            "forward",
            case_of({"log_probs": log_probs, "target": ARRAYS["target"]}, "nll_loss", reduction="mean", ignore_index=-100),
        ),
    )
    failure = make_failure(ARRAYS, kind="relation", source=source_at("loss"), calls=calls, got=1.0, exact=2.0)
    failure.siblings = {name: source_at(name) for name in ("log_softmax", "nll_loss")}
    script = reproducer(failure)
    shows_it(run, script, "loss: got 0.815", "result_2: got [[-3.6", "loss_3: got 1.38")
    assert reproducer(record.decode(record.encode(failure))) == script


def test_what_takes_a_protocol_is_left_to_replay(make_failure, run):
    failure = make_failure(ARRAYS, kind="value", source=source_at("loss"), **FIGURES)
    failure.check = "torch_current_stream"
    script = reproducer(failure)
    assert "leaves the judgement to `xentfuzz replay`" in script
    assert "Exit status: 125" in script
    for mended in (False, True):
        assert run(script, mended=mended).status == 125


def test_a_relation_of_gradients_shows_them(make_failure, run):
    arrays = {**ARRAYS, "grad_output": np.array(2.0, np.float32)}
    source = Source({"forward": "targets.py:loss", "backward": "targets.py:backward"})
    calls = (("backward", case_of(arrays)), ("backward", case_of({**arrays, "logits": ARRAYS["logits"] + 1})))
    script = reproducer(make_failure(arrays, kind="relation", source=source, calls=calls, got=1.0, exact=2.0))
    shows_it(run, script, "grad_logits: got [[", "grad_logits_2: got [[")


def test_a_function_without_a_name_leaves_a_marked_place(make_failure, run):
    script = reproducer(make_failure(ARRAYS, source=Source({"forward": ""}), **FIGURES))
    assert run(script, mended=True).status == "edit this script first: it can't import the function by itself"
    script = script.replace("forward = None", "from targets import loss as forward")
    shows_it(run, 'import sys; sys.path.insert(0, ".")\n' + script, "got 0.8152")


@pytest.mark.parametrize("size", [49, 5000, 2**17])
def test_large_arrays_are_embedded_or_lie_beside(make_failure, run, tmp_path, size):
    logits = np.random.default_rng(0).normal(size=(size // 49, 49)).astype(np.float32)
    exact = 123.0
    failure = make_failure(
        {"logits": logits, "target": np.zeros(len(logits), np.int64)},
        source=source_at("loss"),
        output="value",
        index=(),
        got=246.0,
        exact=exact,
        allowed=0.0,
    )
    saved = large_arrays(failure)
    assert bool(saved) == (size == 2**17)
    np.savez(tmp_path / "case.npz", **saved)
    for script in (reproducer(failure, "case.npz"), reproducer(failure)):
        printed = run(script, mended=True).printed
        x = logits.astype(np.float64)
        loss = np.float32((np.log(np.exp(x).sum(1)) - x[:, 0]).mean())
        assert f"got {float(loss)!r}"[:12] in printed


def test_mostly_equal_arrays_stay_short(make_failure):
    logits = np.zeros((3, 5000), np.float32)
    logits[1, 4999] = -np.inf
    script = reproducer(make_failure({"logits": logits, "target": np.zeros(3, np.int64)}, source=source_at("loss"), **FIGURES))
    assert 'np.full((3, 5000), 0.0, "float32")\nlogits[1, 4999] = -inf' in script
    assert "from math import inf\n" in script
    assert len(script.splitlines()) < 40


CUDA_TARGET = """
import math

import numpy as np
from numba import cuda

MENDED = {mended}

@cuda.jit
def kernel(logits, target, rows):
    row = cuda.grid(1)
    if row < logits.shape[0]:
        total = 0.0
        for c in range(logits.shape[1]):
            total += math.exp(logits[row, c])
        rows[row] = math.log(total) - logits[row, target[row]]

def loss(logits, target):
    rows = cuda.device_array(logits.shape[0], np.float32)
    kernel[1, 2](logits, target, rows)
    return cuda.to_device(np.asarray(rows.copy_to_host().mean() * (1 if MENDED else 2), np.float32))
"""


def test_device_arrays_in_the_simulator(make_failure, run_alone):
    logits = StridedArray(np.zeros(24, np.uint8), "float32", (1, 3), (12, 8), 0)
    logits.view()[...] = ARRAYS["logits"]
    source = Source({"forward": "targets.py:loss"}, array="cuda", device="cuda", environment={"NUMBA_ENABLE_CUDASIM": "1"})
    script = reproducer(make_failure({**ARRAYS, "logits": logits}, source=source, **FIGURES))
    shows_it(run_alone, script, "on the simulator", "got 0.815", target=CUDA_TARGET)

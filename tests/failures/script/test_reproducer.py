"""A script shows its failure by itself: run in a process of its own, it exits 1 for the faulty target and 0 for a mended one."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.failures import record
from xentfuzz.failures.script import reproducer, verdicts
from xentfuzz.failures.script.conduct import STATES
from xentfuzz.failures.script.reproducer import large_arrays
from xentfuzz.failures.source import Form, Source, source_of
from xentfuzz.operations.case import Case
from xentfuzz.registry import get
from xentfuzz.worker.surroundings import PARTS

# Faulty where MENDED is False.
NUMPY_TARGET = """
import ctypes, os, sys, time
import numpy as np

MENDED = {mended}

def rows(logits):
    x = logits.astype("float64")
    return x - np.log(np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)) - x.max(1, keepdims=True)

def loss(logits, target, *, weight=None, reduction="mean", label_smoothing=0.0):
    picked = -rows(logits)[np.arange(len(target)), target]
    total = {{"none": picked, "sum": picked.sum(), "mean": picked.mean()}}[reduction]
    return np.asarray(total * (1 if MENDED else 2), logits.dtype)

def backward(grad_output, logits, target, **options):
    p = np.exp(rows(logits))
    p[np.arange(len(target)), target] -= 1
    return (grad_output * p / len(target) * (1 if MENDED else 3)).astype(logits.dtype)

def value_and_grad(logits, target, **options):
    return loss(logits, target, **options), backward(1.0, logits, target)

def columns(logits, target):
    "Forgets the strides of its argument."
    flat = np.ndarray(logits.shape, logits.dtype, logits.base if not MENDED else logits.copy())
    return loss(flat, target) / (1 if MENDED else 2)

def renamed(logits, target, *, smoothing, fast):
    assert smoothing == 0.25 and fast is True
    return loss(logits, target)

def raises(logits, target):
    if not MENDED:
        raise RuntimeError("no such kernel")

def accepts(logits, target):
    if MENDED:
        raise IndexError("target out of range")
    return np.float32(3)

def changes(logits, target):
    logits[...] = logits if MENDED else 0

calls = 0
def forgetful(logits, target):
    global calls
    calls += 1
    return np.float32(0 if MENDED else calls)

def wrong_shape(logits, target):
    return np.zeros(() if MENDED else (1,), "float32")

def wrong_dtype(logits, target):
    return np.float32(1) if MENDED else 1.0

state = 1
def fragile(logits, target):
    global state
    if target.max() > 2:
        state = 1 if MENDED else 5
        raise IndexError("target out of range")
    return np.float32(state)

def log_softmax(logits, *, axis):
    assert axis == 1
    return (rows(logits) * (1 if MENDED else 1.5)).astype(logits.dtype)

def nll_loss(log_probs, target):
    return np.asarray(-log_probs[np.arange(len(target)), target].mean(), log_probs.dtype)

def segfaults(logits, target):
    MENDED or ctypes.string_at(0)

def exits(logits, target):
    MENDED or os._exit(0)

def writes_beside(logits, target):
    if not MENDED:
        np.ndarray(300, "u1", logits.base)[logits.nbytes + 256] ^= 1
    logits += 1

def reads_beside(logits, target):
    return np.float32(1 if MENDED else np.ndarray(300, "u1", logits.base)[7])

held = np.zeros(1, "float32")
def one_buffer(logits, target):
    value = np.zeros(1, "float32") if MENDED else held
    value[0] = logits.sum()
    return value[0:1].reshape(())

def a_view(logits, target):
    return logits[0, 0:1].reshape(()).copy() if MENDED else logits[0, 0:1].reshape(())

def unwritten(logits, target):
    value = np.empty(len(target), "float32")
    value[: len(target) if MENDED else len(target) - 1] = 0
    return value

def errors_off(logits, target):
    MENDED or np.seterr(all="ignore")

def once_random(logits, target):
    global calls
    calls += 1
    MENDED or calls > 1 or np.random.random()

def variable(logits, target):
    MENDED or os.environ.update(XENTFUZZ_MODE="2")

def prints(logits, target):
    MENDED or print("once upon a time")

def closes(logits, target):
    MENDED or os.close(1)

def keeps_nan(logits, target):
    return np.float32(np.nan if MENDED else 1)
"""


@dataclass
class Ended:
    """How a script came to its end."""

    status: object
    printed: str


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Called with a script and mended=..., runs that beside the targets of this module, in this process: starting torch takes seconds."""

    def run(script, *, mended, target=NUMPY_TARGET):
        _write(tmp_path, script, target.format(mended=mended))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        monkeypatch.delitem(sys.modules, "targets", raising=False)
        # The finder of "." is that of the folder which was current when it was made.
        monkeypatch.delitem(sys.path_importer_cache, ".", raising=False)
        status: object = 0
        try:
            runpy.run_path("script.py", run_name="__main__")
        except SystemExit as end:
            status = end.code
        except Exception as error:  # noqa: BLE001 - as Python itself would end
            status = 1
            print(f"{type(error).__name__}: {error}")
        return Ended(status, capsys.readouterr().out)

    return run


@pytest.fixture
def run_alone(tmp_path):
    """The same in a process of its own."""

    def run(script, *, mended, target=NUMPY_TARGET):
        _write(tmp_path, script, target.format(mended=mended))
        done = subprocess.run([sys.executable, "-B", "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return Ended(done.returncode, done.stdout + done.stderr)

    return run


def _write(folder, script, target):
    (folder / "targets.py").write_text(target)
    (folder / "script.py").write_text(script)


def _shows_it(run, script, *expected, target=NUMPY_TARGET):
    """The script imports no xentfuzz, exits with 1 and says the expected words, and exits with 0 once the target is mended."""
    assert "import xentfuzz" not in script
    assert "from xentfuzz" not in script
    faulty = run(script, mended=False, target=target)
    assert faulty.status == 1, faulty.printed + script
    for words in expected:
        assert words in faulty.printed
    mended = run(script, mended=True, target=target)
    assert mended.status == 0, mended.printed + script


def _case(arrays, operation="cross_entropy", **options):
    defaults = {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0} if operation == "cross_entropy" else {}
    return Case(operation, "float32", {name: StridedArray.of(array) for name, array in arrays.items()}, {**defaults, **options})


def _source(name, **more):
    return Source({"forward": f"targets.py:{name}"}, **more)


ARRAYS = {"logits": np.array([[0.0, 1.0, 2.0]], np.float32), "target": np.array([2])}
LOSS = 0.40760596444438
FIGURES = {"output": "value", "index": (), "got": 2 * LOSS, "exact": LOSS, "allowed": 1e-6}


def test_a_wrong_value_of_a_numpy_function(make_failure, run_alone):
    script = reproducer(make_failure(ARRAYS, options={"reduction": "sum"}, source=_source("loss"), **FIGURES))
    _shows_it(run_alone, script, f"numpy {np.__version__}", "got 0.8152", "exact 0.4076", "allowed error 1e-06")
    assert 'loss_function(logits, target, reduction="sum")' in script
    assert "np.array([[0.0, 1.0, 2.0]]" in script
    assert "torch" not in script
    assert "inf" not in script


def test_a_wrong_gradient_is_called_with_its_upstream_gradient(make_failure, run):
    arrays = ARRAYS | {"grad_output": np.array(2.0, np.float32)}
    source = Source({"forward": "targets.py:loss", "backward": "targets.py:backward"})
    figures = {"function": "backward", "output": "grad_logits", "index": (0, 1), "got": 1.4683, "exact": 0.48945694, "allowed": 1e-6}
    _shows_it(run, reproducer(make_failure(arrays, kind="gradient", source=source, **figures)), "grad_logits[0, 1]: got 1.468")


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
    _shows_it(run, script, "grad_logits[0, 1]: got 0.734")
    assert "grad_output" not in script


def test_a_layout_is_rebuilt(make_failure, run):
    storage = np.zeros(24, np.uint8)
    logits = StridedArray(storage, "float32", (1, 3), (12, -8), 16)
    logits.view()[...] = ARRAYS["logits"]
    script = reproducer(make_failure({**ARRAYS, "logits": logits}, source=_source("columns"), **FIGURES))
    _shows_it(run, script, "loss: got 1.4076", "exact 0.4076")
    assert "strides=(12, -8)" in script


def test_own_spellings_and_fixed_arguments(make_failure, run, monkeypatch):
    source = _source("renamed", renames={"smoothing": "label_smoothing"}, fixed={"fast": True}, environment={"XENTFUZZ_MODE": "1"})
    monkeypatch.delenv("XENTFUZZ_MODE", raising=False)
    script = reproducer(make_failure(ARRAYS, options={"label_smoothing": 0.25}, source=source, **FIGURES))
    _shows_it(run, script, "got 0.8152")
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
    _shows_it(run, reproducer(make_failure(ARRAYS, kind=kind, source=_source(name), **details)), words)


def test_an_invalid_call_is_shown_as_it_was_made(make_failure, run):
    failure = make_failure(
        ARRAYS, kind="accepted_invalid", source=_source("accepts"), calls=(("forward", _case({**ARRAYS, "target": np.array([7])})),)
    )
    script = reproducer(failure)
    _shows_it(run, script, "accepted, and answered with 3.0")
    assert 'target = np.array([7], "int64")' in script


def test_a_call_that_depends_on_the_one_before(make_failure, run):
    calls = (("forward", _case({**ARRAYS, "target": np.array([7])})), ("forward", _case(ARRAYS)))
    failure = make_failure(ARRAYS, kind="stale_state", source=_source("fragile"), calls=calls)
    _shows_it(run, reproducer(failure), "IndexError('target out of range')", "another result after the other calls")


def test_an_identity_shows_every_call_next_to_its_exact_result(make_failure, run):
    log_probs = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))
    calls = (
        ("forward", _case(ARRAYS)),
        ("forward", _case({"logits": ARRAYS["logits"]}, operation="log_softmax", axis=1)),
        ("forward", _case({"log_probs": log_probs, "target": ARRAYS["target"]}, operation="nll_loss", reduction="mean", ignore_index=-100)),
    )
    failure = make_failure(ARRAYS, kind="relation", source=_source("loss"), calls=calls, got=1.0, exact=2.0)
    failure.siblings = {name: _source(name) for name in ("log_softmax", "nll_loss")}
    script = reproducer(failure)
    _shows_it(run, script, "loss: got 0.815", "result_2: got [[-3.6", "loss_3: got 1.38")
    assert reproducer(record.decode(record.encode(failure))) == script


@pytest.mark.parametrize(("kind", "status"), [("segfault", -11), ("exit", 0)])
def test_crashes_are_told_by_the_parent(make_failure, run_alone, kind, status):
    script = reproducer(make_failure(ARRAYS, kind=kind, source=_source(f"{kind}s")))
    _shows_it(run_alone, script, f"the call ended the process with status {status}")


def _guarded(byte):
    """The logits within 256 bytes on either side, as the check of bounds lays them out."""
    logits = StridedArray(np.full(256 + 12 + 256, byte, np.uint8), "float32", (1, 3), (12, 4), 256)
    logits.view()[...] = ARRAYS["logits"]
    return Case("cross_entropy", "float32", {"logits": logits, "target": StridedArray.of(ARRAYS["target"])}, _case(ARRAYS).options)


@pytest.mark.parametrize(
    ("kind", "name", "calls", "words"),
    [
        ("out_of_bounds_write", "writes_beside", [_guarded(0x5A)], "written beside an argument: logits"),
        ("out_of_bounds_read", "reads_beside", [_guarded(0x5A), _guarded(0xFF)], "another result where other memory lies around"),
        (
            "aliased_result",
            "one_buffer",
            [_case(ARRAYS), _case({**ARRAYS, "logits": ARRAYS["logits"] + 1})],
            "overwritten by the next call",
        ),
        ("aliased_result", "a_view", [], "loss shares memory with logits"),
        ("unwritten_output", "unwritten", [], "loss where fresh memory holds 0xff: ["),
    ],
)
def test_memory(make_failure, run_alone, kind, name, calls, words):
    arrays = ARRAYS | {"target": np.array([2, 0, 1])} if kind == "unwritten_output" else ARRAYS
    made = tuple(("forward", case) for case in calls)
    script = reproducer(make_failure(arrays, kind=kind, source=_source(name), calls=made))
    _shows_it(run_alone, script, words)


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        ("errors_off", "changes NumPy's error state: divide, invalid", "NumPy's error state: changed by the call"),
        ("once_random", "changes NumPy's global random state changed", "NumPy's global random state: changed by the call"),
        ("variable", "changes environment variables: XENTFUZZ_MODE", "environment variables: changed by the call"),
        ("prints", "prints to standard output: 'once'", "printed by the call: something"),
        ("closes", "closes stdout", "closed by the call: ['standard output'"),
    ],
)
def test_the_state_of_the_process(make_failure, run_alone, name, found, words):
    script = reproducer(make_failure(ARRAYS, kind="global_state", message=f"forward {found}", source=_source(name)))
    _shows_it(run_alone, script, words)


def test_every_part_of_the_state_can_be_read_by_a_script():
    assert {part.name: part.lasting for part in PARTS} == {name: state.lasting for name, state in STATES.items()}


def test_what_takes_a_protocol_is_left_to_replay(make_failure, run):
    failure = make_failure(ARRAYS, kind="value", source=_source("loss"), **FIGURES)
    failure.check = "torch_current_stream"
    script = reproducer(failure)
    assert "leaves the judgement to `xentfuzz replay`" in script
    assert "Exit status: 125" in script
    for mended in (False, True):
        assert run(script, mended=mended).status == 125


def test_a_relation_of_gradients_shows_them(make_failure, run):
    arrays = {**ARRAYS, "grad_output": np.array(2.0, np.float32)}
    source = Source({"forward": "targets.py:loss", "backward": "targets.py:backward"})
    calls = (("backward", _case(arrays)), ("backward", _case({**arrays, "logits": ARRAYS["logits"] + 1})))
    script = reproducer(make_failure(arrays, kind="relation", source=source, calls=calls, got=1.0, exact=2.0))
    _shows_it(run, script, "grad_logits: got [[", "grad_logits_2: got [[")


def test_a_function_without_a_name_leaves_a_marked_place(make_failure, run):
    script = reproducer(make_failure(ARRAYS, source=Source({"forward": ""}), **FIGURES))
    assert run(script, mended=True).status == "edit this script first: it can't import the function by itself"
    script = script.replace("forward = None", "from targets import loss as forward")
    _shows_it(run, 'import sys; sys.path.insert(0, ".")\n' + script, "got 0.8152")


@pytest.mark.parametrize("size", [49, 5000, 2**17])
def test_large_arrays_are_embedded_or_lie_beside(make_failure, run, tmp_path, size):
    logits = np.random.default_rng(0).normal(size=(size // 49, 49)).astype(np.float32)
    exact = 123.0
    failure = make_failure(
        {"logits": logits, "target": np.zeros(len(logits), np.int64)},
        source=_source("loss"),
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
    script = reproducer(make_failure({"logits": logits, "target": np.zeros(3, np.int64)}, source=_source("loss"), **FIGURES))
    assert 'np.full((3, 5000), 0.0, "float32")\nlogits[1, 4999] = -inf' in script
    assert "from math import inf\n" in script
    assert len(script.splitlines()) < 40


def test_an_adapter_of_this_package_is_carried_whole(make_failure, run):
    torch = pytest.importorskip("torch")
    implementation = get("torch-eager", "log_softmax")
    logits = np.array([[0.0, 1.0, 2.0]], np.float32)
    got = torch.log_softmax(torch.tensor(logits), 1)[0, 1].item()
    figures = {"output": "value", "index": (0, 1), "got": got, "exact": got + 1, "allowed": 0.5}
    failure = make_failure(
        {"logits": logits}, operation="log_softmax", options={"axis": -1}, source=source_of(implementation, "float32"), **figures
    )
    script = reproducer(failure)
    ended = run(script, mended=False)
    assert (ended.status, "import xentfuzz" in script, "from xentfuzz" in script) == (1, False, False), ended.printed
    assert f"got {got!r}" in ended.printed


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
    pytest.importorskip("numba.cuda")
    logits = StridedArray(np.zeros(24, np.uint8), "float32", (1, 3), (12, 8), 0)
    logits.view()[...] = ARRAYS["logits"]
    source = Source({"forward": "targets.py:loss"}, array="cuda", device="cuda", environment={"NUMBA_ENABLE_CUDASIM": "1"})
    script = reproducer(make_failure({**ARRAYS, "logits": logits}, source=source, **FIGURES))
    _shows_it(run_alone, script, "on the simulator", "got 0.815", target=CUDA_TARGET)


TORCH_TARGET = """
import ctypes

import torch
from torch.nn import functional

MENDED = {mended}

def loss(logits, target, weight=None, label_smoothing=0.0):
    return functional.cross_entropy(logits, target, weight=weight, label_smoothing=label_smoothing) * (1 if MENDED else 2)

held = torch.zeros(())
def one_buffer(logits, target):
    return (torch.zeros(()) if MENDED else held).copy_(logits.sum())

def unwritten(logits, target):
    return torch.zeros(3) if MENDED else torch.empty(3)

def a_view(logits, target):
    return logits[0, 0].clone() if MENDED else logits[0, 0]

def writes_beside(logits, target):
    MENDED or ctypes.memset(logits.data_ptr() + 12, 1, 1)
    logits += 1

def gradients_off(logits, target):
    MENDED or torch.set_grad_enabled(False)

class Module(torch.nn.Module):
    def __init__(self, weight=None, label_smoothing=0.0):
        super().__init__()
        self.options = dict(weight=weight, label_smoothing=label_smoothing)

    def forward(self, logits, target):
        return loss(logits, target, **self.options)

class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, weight=None, label_smoothing=0.0):
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            value = loss(leaf, target, weight, label_smoothing)
        (ctx.slope,) = torch.autograd.grad(value, leaf)
        return value.detach()

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.slope, None, None, None
"""


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("loss", None),
        ("Module", Form("module", ("weight", "label_smoothing"))),
        ("Function", Form("autograd_function", ("weight", "label_smoothing"))),
    ],
)
@pytest.mark.parametrize("function", ["forward", "backward"])
def test_torch_targets(make_failure, run, name, form, function):
    torch = pytest.importorskip("torch")
    source = Source({"forward": f"targets.py:{name}"}, {"forward": form} if form else {}, "torch")
    logits = StridedArray(np.zeros(24, np.uint8), "float32", (2, 3), (0, 8), 0)
    logits.view()[...] = ARRAYS["logits"]
    arrays = {"logits": logits, "target": np.array([2, 0]), "grad_output": np.array(2.0, np.float32)}
    tensors = torch.tensor(logits.view().copy(), requires_grad=True), torch.tensor([2, 0])
    exact = torch.nn.functional.cross_entropy(*tensors, label_smoothing=0.1)
    (slope,) = torch.autograd.grad(exact, tensors[0], torch.tensor(2.0))
    figures = (
        {"output": "value", "index": (), "exact": exact.item()}
        if function == "forward"
        else {"output": "grad_logits", "index": (1, 2), "exact": slope[1, 2].item()}
    )
    failure = make_failure(
        arrays,
        kind="value",
        options={"label_smoothing": 0.1},
        source=source,
        function=function,
        got=2 * figures["exact"],
        allowed=1e-6,
        **figures,
    )
    script = reproducer(failure)
    _shows_it(run, script, f"torch {torch.__version__} on cpu", "exact", target=TORCH_TARGET)
    assert "numpy" not in script.split('"""')[2]


@pytest.mark.parametrize(
    ("kind", "name", "calls", "words"),
    [
        (
            "aliased_result",
            "one_buffer",
            [_case(ARRAYS), _case({**ARRAYS, "logits": ARRAYS["logits"] + 1})],
            "overwritten by the next call",
        ),
        ("aliased_result", "a_view", [], "loss shares memory with logits"),
        ("unwritten_output", "unwritten", [], "loss where fresh memory holds 0xff: tensor(["),
        ("out_of_bounds_write", "writes_beside", [_guarded(0x5A)], "written beside an argument: logits"),
        ("global_state", "gradients_off", [], "torch's gradient mode: changed by the call"),
    ],
)
def test_conduct_of_torch_targets(make_failure, run_alone, kind, name, calls, words):
    pytest.importorskip("torch")
    made = tuple(("forward", case) for case in calls)
    message = "forward changes torch's gradient mode True -> False"
    script = reproducer(make_failure(ARRAYS, kind=kind, message=message, source=_source(name, array="torch"), calls=made))
    _shows_it(run_alone, script, words, target=TORCH_TARGET)

"""Scripts of torch targets, in every form of one, and of our own adapter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scripts import ARRAYS, case_of, shows_it
from target_sources import TORCH_TARGET

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.script import reproducer
from xentfuzz.failures.source import Form, Source, source_of
from xentfuzz.registry import get


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
    shows_it(run, script, f"torch {torch.__version__} on cpu", "exact", target=TORCH_TARGET)
    assert "numpy" not in script.split('"""')[2]


def test_an_adapter_of_this_package_is_carried_whole(make_failure, run):
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


def test_each_call_by_autograd_has_an_upstream_gradient_of_its_own(make_failure, run):
    logits = np.array([[0.0, 1.0, 2.0]], np.float32)
    cases = [
        case_of({"logits": logits, "grad_output": np.full((1, 3), upstream, np.float32)}, "log_softmax", axis=-1) for upstream in (1, 2)
    ]
    calls = (("forward", cases[0]), ("backward", cases[0]), ("backward", cases[1]))
    source = source_of(get("torch-eager", "log_softmax"), "float32")
    failure = make_failure(
        {"logits": logits},
        kind="thread_unsafe",
        operation="log_softmax",
        options={"axis": -1},
        source=source,
        function="backward",
        output="grad_logits",
        calls=calls,
    )
    ended = run(reproducer(failure), mended=False)
    assert ended.status == 0, ended.printed
    assert "0 of " in ended.printed

"""The node cases that ONNX holds a backend's SoftmaxCrossEntropyLoss to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import numpy_close
from xentfuzz.power.usual.method import Method
from xentfuzz.recipes.layouts import lay_out

OPERATOR = "SoftmaxCrossEntropyLoss"


def cases() -> Sequence[Case]:
    """The expected losses are ONNX's own; a second output, the log-probabilities, is left out."""
    from onnx.backend.test.case.node import collect_testcases  # noqa: PLC0415 - loaded only where it is asked for

    # An expanded case is the same again, as other operators.
    found: list[Any] = [case for case in collect_testcases(OPERATOR) if not case.name.endswith("_expanded")]
    return [_case(case) for case in found if case.model.graph.node[0].op_type == OPERATOR]


def _case(found: Any) -> Case:
    ((inputs, outputs),) = found.data_sets
    given = Arguments(inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None, _options(found.model.graph.node[0]))
    return Case(
        dtype=given.logits.dtype.name,
        layout=given.layout,
        logits=lay_out(given.logits, given.layout),
        target=lay_out(given.target, given.layout),
        weight=None if given.weight is None else lay_out(given.weight, given.layout),
        options=given.options,
        loss=np.asarray(outputs[0]),
        loss_close=numpy_close(found.rtol, found.atol, equal_nan=True),
    )


def _options(node: Any) -> dict[str, Any]:
    return {attribute.name: attribute.i if attribute.name == "ignore_index" else attribute.s.decode() for attribute in node.attribute}


METHOD = Method(
    "ONNX nodes",
    "the node cases of SoftmaxCrossEntropyLoss, rtol 1e-3, atol 1e-7: logits in [0, 1), N=3, C=5, up to 7 axes, float32; loss only",
    "onnx.backend.test.case.node",
    cases,
)

"""The reference evaluator of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.impls.peers.library import needs
from xentfuzz.impls.peers.onnx_nodes import Evaluate
from xentfuzz.impls.peers.onnx_operations import implementations


def load(model: Any) -> Evaluate:
    """`onnx.reference.ReferenceEvaluator`."""
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 - importing a peer takes time

    evaluator = ReferenceEvaluator(model)

    def evaluate(arrays: Mapping[str, Any]) -> Any:
        (result,) = evaluator.run(None, dict(arrays))
        return result

    return evaluate


IMPLEMENTATIONS = implementations(
    "onnx-reference",
    load,
    dtypes=("float16", "bfloat16", "float32", "float64"),
    grade={"float16": "staged/any", "bfloat16": "staged/any"},
    unavailable=needs("peer-onnx", "onnx"),
)

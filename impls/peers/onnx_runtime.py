"""ONNX Runtime on the CPU, with the options that a session has by default."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.library import needs
from xentfuzz.impls.peers.onnx_nodes import Evaluate
from xentfuzz.impls.peers.onnx_operations import implementations


def load(model: Any) -> Evaluate:
    """`onnxruntime.InferenceSession`."""
    from onnxruntime import InferenceSession  # noqa: PLC0415 - importing a peer takes time

    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda arrays: session.run(None, dict(arrays))[0]


IMPLEMENTATIONS = implementations(
    "onnxruntime",
    load,
    dtypes=("float16", "float32", "float64"),
    grade={"float16": "staged/any"},
    unavailable=needs("peer-onnxruntime", "onnx", "onnxruntime"),
)

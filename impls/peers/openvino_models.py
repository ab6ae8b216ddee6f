"""OpenVINO on the CPU, of models of one ONNX node, with the options that a compiled model has by default."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.library import needs
from xentfuzz.impls.peers.onnx_nodes import Evaluate
from xentfuzz.impls.peers.onnx_operations import implementations


def load(model: Any) -> Evaluate:
    """`openvino.Core.compile_model`."""
    from openvino import Core  # noqa: PLC0415 - importing a peer takes time

    core = Core()
    compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU")
    # A request of its own for each call, as calls in several threads need.
    return lambda arrays: compiled.create_infer_request().infer(dict(arrays))[0]


IMPLEMENTATIONS = implementations(
    "openvino",
    load,
    dtypes=("float16", "float32", "float64"),
    grade={"float16": "staged/any"},
    unavailable=needs("peer-openvino", "onnx", "openvino"),
)

"""Models of one ONNX node, for any evaluator of ONNX models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Evaluate = Callable[[Mapping[str, Any]], Any]
Load = Callable[[Any], Evaluate]


@cache
def _evaluator(load: Load, node: str, inputs: tuple[tuple[str, Any, int], ...], attributes: tuple[tuple[str, Any], ...]) -> Evaluate:
    from onnx import helper  # noqa: PLC0415 - importing a peer takes time

    types = [(name, helper.np_dtype_to_tensor_dtype(dtype), rank) for name, dtype, rank in inputs]
    values = [helper.make_tensor_value_info(name, kind, [None] * rank) for name, kind, rank in types]
    made = helper.make_node(node, [name for name, _, _ in types], ["result"], **dict(attributes))
    graph = helper.make_graph([made], node, values, [helper.make_tensor_value_info("result", types[0][1], None)])
    # Opset 13 has bfloat16; the newest versions of the format are beyond some evaluators.
    return load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10))


def evaluated(load: Load, node: str, *arrays: Any, **attributes: Any) -> Any:
    """The only result of `node` for its inputs, of which the last may be None."""
    given = {f"input{index}": array for index, array in enumerate(arrays) if array is not None}
    inputs = tuple((name, array.dtype, array.ndim) for name, array in given.items())
    return _evaluator(load, node, inputs, tuple(attributes.items()))(given)

"""onnxruntime | accepts invalid input | compiled, unmodified | SoftmaxCrossEntropyLoss takes an unknown reduction, and a target without elements for a row

ONNX has the reductions none, mean and sum, and a target for each row.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def loss(reduction: str, target: list[int]) -> object:
    values = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
        helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("loss", TensorProto.FLOAT, None),
    ]
    node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"], reduction=reduction)
    model = helper.make_model(
        helper.make_graph([node], "loss", values[:2], values[2:]), opset_imports=[helper.make_opsetid("", 13)], ir_version=10
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.array([[0.0, 1.0]], np.float32), "target": np.array(target, np.int64)})[0]


print("median:", loss("median", [0]))
print("no target for one row:", loss("mean", []))

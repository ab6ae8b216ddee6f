"""openvino | accepts invalid input | compiled, unmodified | SoftmaxCrossEntropyLoss takes a target of -1 for the last class, an unknown reduction, and too few weights

ONNX has targets in [0, C), the reductions none, mean and sum, and a weight for each class.
"""

import numpy as np
from onnx import TensorProto, helper
from openvino import Core


def loss(target: int, weights: int, reduction: str) -> object:
    values = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
        helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("weight", TensorProto.FLOAT, [None]),
        helper.make_tensor_value_info("loss", TensorProto.FLOAT, None),
    ]
    node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target", "weight"], ["loss"], reduction=reduction)
    model = helper.make_model(
        helper.make_graph([node], "loss", values[:3], values[3:]), opset_imports=[helper.make_opsetid("", 13)], ir_version=10
    )
    core = Core()
    compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU")
    given = {"x": np.array([[0.0, 1.0, 5.0]], np.float32), "target": np.array([target]), "weight": np.ones(weights, np.float32)}
    return compiled(given)[0]


print("target 2:", loss(2, 3, "sum"))
print("target -1:", loss(-1, 3, "sum"))
print("reduction median:", loss(2, 3, "median"))
print("2 weights for 3 classes:", loss(1, 2, "sum"), "and for target 2:", loss(2, 2, "sum"))

"""onnx | accepts invalid input | interpreted, unmodified | the reference evaluator's SoftmaxCrossEntropyLoss takes a target of -1, an unknown reduction and a column of targets; its NegativeLogLikelihoodLoss too"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def loss(target: object, reduction: str) -> object:
    values = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
        helper.make_tensor_value_info("target", TensorProto.INT64, None),
        helper.make_tensor_value_info("loss", TensorProto.FLOAT, None),
    ]
    node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"], reduction=reduction)
    model = helper.make_model(
        helper.make_graph([node], "loss", values[:2], values[2:]), opset_imports=[helper.make_opsetid("", 13)], ir_version=10
    )
    given = {"x": np.array([[0.0, 1.0, 5.0]], np.float32), "target": np.array(target)}
    return ReferenceEvaluator(model).run(None, given)[0]


print("2:", loss([2], "sum"))
print("-1:", loss([-1], "sum"))
print("median:", loss([2], "median"))
print("of shape (1, 1):", loss([[2]], "sum"))

"""onnx | refuses valid input | interpreted, unmodified | the reference evaluator's SoftmaxCrossEntropyLoss raises for a batch without rows"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

values = [
    helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
    helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
    helper.make_tensor_value_info("loss", TensorProto.FLOAT, []),
]
node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"], reduction="sum")
model = helper.make_model(
    helper.make_graph([node], "loss", values[:2], values[2:]), opset_imports=[helper.make_opsetid("", 13)], ir_version=10
)
try:
    print(ReferenceEvaluator(model).run(None, {"x": np.zeros((0, 1), np.float32), "target": np.zeros(0, np.int64)}))
except ValueError as error:
    print(error)

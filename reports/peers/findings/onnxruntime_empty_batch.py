"""onnxruntime | refuses valid input | compiled, unmodified | SoftmaxCrossEntropyLoss of a batch without rows raises"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

values = [
    helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
    helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
    helper.make_tensor_value_info("loss", TensorProto.FLOAT, []),
]
graph = helper.make_graph(
    [helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"], reduction="sum")], "loss", values[:2], values[2:]
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
try:
    print(session.run(None, {"x": np.zeros((0, 2), np.float32), "target": np.zeros(0, np.int64)}))
except Exception as error:  # noqa: BLE001
    print(str(error)[:200])

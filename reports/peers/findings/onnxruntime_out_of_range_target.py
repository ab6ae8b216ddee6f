"""onnxruntime | accepts invalid input | compiled, unmodified | SoftmaxCrossEntropyLoss takes a target of -1 for the last class; ONNX has targets in [0, C)"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

values = [
    helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
    helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
    helper.make_tensor_value_info("loss", TensorProto.FLOAT, []),
]
node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"], reduction="sum")
graph = helper.make_graph([node], "loss", values[:2], values[2:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
logits = np.array([[0.0, 1.0, 5.0]], np.float32)
for target in (2, -1):
    print(target, session.run(None, {"x": logits, "target": np.array([target])})[0])

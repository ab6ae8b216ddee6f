"""onnx | wrong value | interpreted, unmodified | the reference evaluator's LogSoftmax is -inf and its SoftmaxCrossEntropyLoss inf where a probability underflows

Both take the logarithm of a softmax; the exact value is a difference of logits. In float16 a difference of 18 is enough.
Mended after this release: onnx/onnx#8423.
"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

values = [
    helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
    helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
    helper.make_tensor_value_info("loss", TensorProto.FLOAT, []),
]
graph = helper.make_graph([helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"])], "loss", values[:2], values[2:])
evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10))
print(evaluator.run(None, {"x": np.array([[0.0, 120.0]], np.float32), "target": np.array([0])})[0], "exact: 120.0")
graph = helper.make_graph([helper.make_node("LogSoftmax", ["x"], ["loss"], axis=1)], "log_softmax", values[:1], values[2:])
evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10))
print(evaluator.run(None, {"x": np.array([[0.0, 120.0]], np.float32)})[0], "exact: -120, 0")

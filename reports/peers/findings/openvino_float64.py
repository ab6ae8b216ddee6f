"""openvino | accuracy below grade | compiled, unmodified | float64 models are computed in float32 on the CPU

Documented: inference precision is float32 unless said otherwise; the results have dtype float64.
"""

import numpy as np
from onnx import TensorProto, helper
from openvino import Core

values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, None]) for name in "xy"]
graph = helper.make_graph([helper.make_node("LogSoftmax", ["x"], ["y"], axis=-1)], "log_softmax", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
core = Core()
compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU")
result = compiled({"x": np.array([[0.0, 0.0]])})[0]
print(result.dtype, result, "exact:", -np.log(2))

"""onnxruntime | wrong value | compiled, unmodified | LogSoftmax of a float64 row with a NaN gives numbers for its other elements; Softmax, and both in float32, give NaN"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

for kind in ("LogSoftmax", "Softmax"):
    for dtype, code in ((np.float32, TensorProto.FLOAT), (np.float64, TensorProto.DOUBLE)):
        values = [helper.make_tensor_value_info(name, code, [None, None]) for name in "xy"]
        graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], axis=-1)], kind, values[:1], values[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        print(kind, dtype.__name__, session.run(None, {"x": np.array([[0.0, np.nan]], dtype)})[0])

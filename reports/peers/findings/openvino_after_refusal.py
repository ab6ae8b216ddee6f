"""openvino | refuses valid input | compiled, unmodified | after inputs whose shapes don't match were refused, the compiled model refuses matching ones of the same number of rows too, until another number came

A new inference request doesn't help. In a server, one bad request ends the good ones after it.
"""

import numpy as np
from onnx import TensorProto, helper
from openvino import Core

values = [
    helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None]),
    helper.make_tensor_value_info("target", TensorProto.INT64, [None]),
    helper.make_tensor_value_info("loss", TensorProto.FLOAT, []),
]
graph = helper.make_graph([helper.make_node("SoftmaxCrossEntropyLoss", ["x", "target"], ["loss"])], "loss", values[:2], values[2:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
core = Core()
compiled = core.compile_model(core.read_model(model.SerializeToString(), b""), "CPU")
for rows, targets in ((1, 1), (1, 2), (1, 1), (3, 3), (1, 1)):
    given = {"x": np.zeros((rows, 2), np.float32), "target": np.zeros(targets, np.int64)}
    try:
        print(f"{rows} rows, {targets} targets:", compiled.create_infer_request().infer(given)[0])
    except RuntimeError as error:
        print(f"{rows} rows, {targets} targets: refused,", str(error).strip().splitlines()[-1][-90:])

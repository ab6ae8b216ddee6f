"""torch's four operations, called on the arrays of a case in their own dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import Grade, parse_grade

Array = np.ndarray[Any, Any]


def grade_of_torch(dtype: str) -> Grade:
    """On the CPU, torch keeps intermediates in 16 bits."""
    return parse_grade("staged/any" if dtype in ("float16", "bfloat16") else "lse/any")


def _tensor(array: Array) -> Any:
    # torch knows nothing of ml_dtypes; float32 holds every bfloat16.
    return torch.tensor(array.astype(np.float32)).to(torch.bfloat16) if array.dtype.kind == "V" else torch.tensor(array)


def _array(tensor: Any) -> Array:
    detached = tensor.detach()
    array: Array = (detached.float() if detached.dtype == torch.bfloat16 else detached).numpy()
    return array


def results(case: Case) -> dict[str, Array]:
    """output -> value or gradient, of every differentiable argument that is an array of floats."""
    functional = torch.nn.functional
    spec = get_operation(case.operation)
    tensors = {name: _tensor(array) for name, array in case.values.items()}
    upstream = tensors.pop("grad_output")
    wanted = [argument.name for argument in spec.arguments if argument.differentiable and argument.name in tensors]
    if "target" in wanted and not tensors["target"].is_floating_point():
        wanted = wanted[:1]
    for name in wanted:
        tensors[name].requires_grad_(requires_grad=True)
    options = {name: value for name, value in case.options.items() if value is not None}
    if "axis" in options:
        options["dim"] = options.pop("axis")
    value = getattr(functional, case.operation)(*tensors.values(), **options)
    value.backward(upstream)
    return {"value": _array(value), **{f"grad_{name}": _array(tensors[name].grad) for name in wanted}}

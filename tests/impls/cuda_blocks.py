"""Run the CUDA kernels in the simulator with blocks of several sizes, on shapes about the boundaries, and hold them against exact results.

Prints JSON: which kernels ran, how many outputs were compared, and which of them were wrong.
"""

from __future__ import annotations

import itertools
import json

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.compare import compare
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.impls import numba_cuda
from xentfuzz.impls.numba_cuda import launch, settings
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade

GRADE = parse_grade("shift/any")
# A thread loads one vector at a time: of float32 two threads read 8 classes at once, four read 16.
ONE_BLOCK = {"threads": 2, "vectors": 1, "held": 0, "pieces": 1}
SEVERAL_ROWS = {"threads": 4, "vectors": 1, "rounds": 1, "held": 0}
SEVERAL_BLOCKS = {"threads": 2, "vectors": 1, "pieces": 2, "held": 0}
HELD = {"threads": 2, "vectors": 1, "held": 3, "held_threads": 4, "pieces": 1}
HELD_LOSS = {**HELD, "pieces": 2, "held_loss": True}
# Knobs, rows, classes.
ROWS = [
    *((ONE_BLOCK, rows, classes) for rows, classes in ((1, 17), (4, 31), (2, 33))),
    *((SEVERAL_ROWS, rows, classes) for rows, classes in ((1, 1), (9, 4), (7, 5), (5, 9), (13, 3))),
    *((SEVERAL_BLOCKS, rows, classes) for rows, classes in ((1, 16), (2, 35), (3, 49))),
    *((HELD, rows, classes) for rows, classes in ((1, 18), (5, 47), (2, 48), (2, 49))),
    *((HELD_LOSS, rows, classes) for rows, classes in ((1, 33), (2, 46))),
]
OTHERS = ({"threads": 8}, {"threads": 4})


class Tried:
    """What has been compared so far."""

    def __init__(self):
        self.compared, self.wrong, self.kernels = 0, [], set()
        build = launch.build

        def recorded(machine, which):
            self.kernels.add(which.kernel)
            return build(machine, which)

        launch.build = recorded

    def hold(self, operation, arrays, options, **got):
        """Hold outputs by name against the exact ones for the arrays and options."""
        given = {name: StridedArray.of(np.ascontiguousarray(array)) for name, array in arrays.items()}
        first = next(iter(given.values()))
        case = Case(operation, first.dtype, given, {**get_operation(operation).defaults, **options})
        evaluation = get_operation(operation).evaluate(case)
        for output, result in got.items():
            comparison = compare(np.asarray(result), evaluation, output, GRADE, case.dtype)
            self.compared += 1
            if not comparison.ok:
                self.wrong.append(f"{operation} {output} {first.shape} {case.dtype} {options}: {comparison.worst}")


def rows_of(generator, rows, classes, dtype, offset):
    """Logits that begin so many elements into wider rows, and class indices of which every third is ignored."""
    wide = generator.normal(scale=4, size=(rows, classes + offset)).astype(numpy_dtype(dtype))
    target = generator.integers(0, classes, rows)
    target[1::3] = -100
    return wide[:, offset:], target


def try_rows(tried, generator):
    for index, (knobs, rows, classes) in enumerate(ROWS):
        settings.use(**knobs)
        for dtype, offset in (("float32", 0), ("float32", 1), ("float16", index % 3), ("float64", index % 2)):
            logits, target = rows_of(generator, rows, classes, dtype, offset)
            reduction = ("mean", "sum", "none")[index % 3]
            arrays = {"logits": logits, "target": target}
            if offset:
                arrays["weight"] = generator.uniform(0.5, 2, classes).astype(logits.dtype)
            loss = numba_cuda.cross_entropy(**arrays, reduction=reduction)
            value, gradient = numba_cuda.cross_entropy_value_and_grad(**arrays, reduction=reduction)
            tried.hold("cross_entropy", {**arrays, "grad_output": np.ones_like(loss)}, {"reduction": reduction}, value=loss)
            tried.hold(
                "cross_entropy",
                {**arrays, "grad_output": np.ones_like(loss)},
                {"reduction": reduction},
                value=value,
                grad_logits=gradient,
            )


def try_others(tried, generator):
    for knobs, (rows, classes) in itertools.product(OTHERS, ((5, 3), (3, 35))):
        settings.use(**knobs)
        logits, target = rows_of(generator, rows, classes, "float32", 0)
        arrays, upstream = {"logits": logits, "target": target}, np.float32(0.5)
        smooth = {"label_smoothing": 0.25}
        value, gradient = numba_cuda.cross_entropy_value_and_grad(**arrays, **smooth)
        tried.hold("cross_entropy", {**arrays, "grad_output": np.ones((), np.float32)}, smooth, value=value, grad_logits=gradient)
        above = generator.normal(size=logits.shape).astype(np.float32)
        for name in ("softmax", "log_softmax"):
            for axis in (0, 1):
                value = getattr(numba_cuda, name)(logits, axis=axis)
                gradient = getattr(numba_cuda, f"{name}_backward")(above, logits, axis=axis)
                tried.hold(name, {"logits": logits, "grad_output": above}, {"axis": axis}, value=value, grad_logits=gradient)
        arrays = {"log_probs": numba_cuda.log_softmax(logits, axis=1), "target": target}
        value = numba_cuda.nll_loss(**arrays)
        gradient = numba_cuda.nll_loss_backward(upstream, **arrays)
        tried.hold("nll_loss", {**arrays, "grad_output": np.asarray(upstream)}, {}, value=value, grad_log_probs=gradient)


def main():
    tried, generator = Tried(), np.random.default_rng(0)
    try_rows(tried, generator)
    try_others(tried, generator)
    print(json.dumps({"kernels": sorted(tried.kernels), "compared": tried.compared, "wrong": tried.wrong}))


if __name__ == "__main__":
    main()

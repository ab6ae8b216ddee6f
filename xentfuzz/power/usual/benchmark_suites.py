"""Re-creations of what three suites for generated or tuned kernels compare before they time them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import kept_rows, labels, normals, uniforms
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

TRITONBENCH_ROWS, TRITONBENCH_CLASSES = 8 * 2048, tuple(2**power for power in range(12, 18))
KERNELBENCH_ROWS, KERNELBENCH_CLASSES, KERNELBENCH_SEEDS = 256, 4096, 5
# dtype -> rtol and atol.
KERNELBENCH_TOLERANCES = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 1e-2}
ROBUST_SHAPES = ((64, 10), (4096, 100))


def tritonbench_cases() -> Sequence[Case]:
    random = np.random.default_rng(0)
    rows = {classes: kept_rows(TRITONBENCH_ROWS, classes) for classes in TRITONBENCH_CLASSES}
    return [
        case_of(Arguments(normals(random, (kept, classes)), labels(random, classes, (kept,))), torch_close())
        for classes, kept in rows.items()
    ]


def kernelbench_cases() -> Sequence[Case]:
    """5 seeds of one shape, of which 256 of 32768 rows are drawn."""
    made = []
    for dtype, tolerance in KERNELBENCH_TOLERANCES.items():
        for seed in range(KERNELBENCH_SEEDS):
            random = np.random.default_rng(seed)
            logits = uniforms(random, (KERNELBENCH_ROWS, KERNELBENCH_CLASSES), dtype)
            given = Arguments(logits, labels(random, KERNELBENCH_CLASSES, (KERNELBENCH_ROWS,)))
            # On a CPU torch computes in 16 bits throughout; on the device that the suite runs on it does not.
            made.append(case_of(given, torch_close(tolerance, tolerance), arithmetic="float32"))
    return made


def robust_kbench_cases() -> Sequence[Case]:
    random = np.random.default_rng(0)
    drawn = [Arguments(normals(random, shape), labels(random, shape[1], shape[:1])) for shape in ROBUST_SHAPES]
    return [case_of(given, torch_close(1e-5, 1e-5), upstream=1.0) for given in drawn]


TRITONBENCH = Method(
    "tritonbench",
    "re-created: torch.testing.assert_close with its defaults on normal logits, 4096 to 131072 classes (rows cut), no option, "
    "float32; loss only",
    "meta-pytorch/tritonbench, operators/cross_entropy",
    tritonbench_cases,
)
KERNELBENCH = Method(
    "KernelBench",
    "re-created: logits in [0, 1), 4096 classes (rows cut), mean, 5 seeds; rtol and atol 1e-4 (16 bits 1e-2); loss only",
    "ScalingIntelligence/KernelBench, level 1, problem 95",
    kernelbench_cases,
)
ROBUST_KBENCH = Method(
    "robust-kbench",
    "re-created: normal logits, 64 x 10 and 4096 x 100, mean, float32; rtol and atol 1e-5, loss and gradient",
    "SakanaAI/robust-kbench",
    robust_kbench_cases,
)

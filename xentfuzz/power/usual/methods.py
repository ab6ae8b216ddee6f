"""The usual ways of checking, by name."""

from __future__ import annotations

from xentfuzz.power.usual import (
    benchmark_suites,
    flaggems,
    flash_attention,
    liger,
    onnx_nodes,
    quack,
    random_normals,
    torch_samples,
)
from xentfuzz.power.usual.method import Method

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        torch_samples.METHOD,
        random_normals.METHOD,
        onnx_nodes.METHOD,
        liger.METHOD,
        quack.METHOD,
        flash_attention.METHOD,
        flaggems.METHOD,
        benchmark_suites.TRITONBENCH,
        benchmark_suites.KERNELBENCH,
        benchmark_suites.ROBUST_KBENCH,
    )
}

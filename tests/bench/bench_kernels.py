"""Times of our implementations by pytest-benchmark: its options (--benchmark-autosave, --benchmark-compare) work.

Run it: pytest -o addopts= --import-mode=importlib tests/bench/bench_kernels.py
"""

from __future__ import annotations

import xentfuzz

SHAPES = ((65536, 16), (16384, 100), (8192, 1000), (1024, 32000))


@xentfuzz.parametrize_benchmark("numpy", "numba-cpu", "torch-eager", shapes=SHAPES)
def test_loss(timed, benchmark):
    timed(benchmark)

"""Every implementation of ours, by every check: the plug-in on the project itself. `xentfuzz run` does the same on larger corpora."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import xentfuzz


@xentfuzz.parametrize("numpy", "torch-eager", "numba-cpu")
def test_implementation(check: Callable[[], object]) -> None:
    check()


@xentfuzz.parametrize("numba-cuda", operations=("cross_entropy",), checks=("value", "gradient"))
def test_cuda_kernels_in_the_simulator(check: Callable[[], object]) -> None:
    check()


@pytest.mark.slow
@xentfuzz.parametrize("numba-cuda")
def test_cuda_kernels_by_every_check(check: Callable[[], object]) -> None:
    check()

"""The CUDA kernels on a GPU, where there is one: every path through them, streams, captured graphs, late errors."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.impls import numba_cuda
from xentfuzz.impls.numba_cuda.simulation import SIMULATED

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(SIMULATED, reason="there is no NVIDIA GPU here, or Numba's simulator was asked for"),
]

FORMATS = ("float32", "bfloat16", "float16", "float64")
STREAMS = (
    "concurrent streams",
    "inputs that are late on another stream",
    "captured graph, one block per row",
    "captured graph, short rows",
    "captured graph, few rows",
    "repeated",
    "host",
)


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("layout", ["plain", "sliced", "classes apart"])
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_shape_is_near_torch_in_float64(dtype, layout, reduction):
    from gpu.values import LARGE, MOST_ROUNDINGS, SHAPES, try_case

    options = {"reduction": reduction, "soft": False, "weighted": True, "smoothing": 0.0}
    worst = {shape: max(try_case(shape, layout, dtype, options)) for shape in (*SHAPES, *LARGE)}
    assert {shape: error for shape, error in worst.items() if not error <= MOST_ROUNDINGS} == {}


@pytest.mark.parametrize("trial", STREAMS)
def test_streams_and_graphs_give_the_same_bits(trial):
    from gpu.streams import TRIALS

    assert TRIALS[trial]()


def test_a_class_out_of_range_is_told_at_once_or_later():
    import torch

    logits, target = torch.zeros((3, 4), device="cuda"), torch.tensor([0, 7, 1], device="cuda")
    with pytest.raises(IndexError, match="7"):
        numba_cuda.cross_entropy(logits, target)
    loss = numba_cuda.cross_entropy(logits, target, reduction="none", check=False)
    torch.cuda.synchronize()
    assert np.isnan(loss.cpu().numpy()).tolist() == [False, True, False]
    with pytest.raises(IndexError, match="earlier call"):
        numba_cuda.cross_entropy(logits, target.clamp(max=3))

"""`torch.testing.assert_close` with its defaults, on the samples that torch's own tests of cross_entropy draw."""

from __future__ import annotations

import random as python_random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xentfuzz.gallery.autograd import to_numpy
from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import normals
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

SEED = 1234


def cases() -> Sequence[Case]:
    """Every sample in every dtype, contiguous and with gaps, as torch's tests of an operator run it; a normal upstream gradient."""
    import torch  # noqa: PLC0415 - loaded only where it is asked for

    with torch.random.fork_rng(devices=[]), _python_seed(SEED):
        torch.manual_seed(SEED)
        drawn = list(_samples())
    random = np.random.default_rng(SEED)
    return [case_of(given, torch_close(), upstream=normals(random, given.loss_shape, given.logits.dtype.name)) for given in drawn]


@contextmanager
def _python_seed(seed: int) -> Iterator[None]:
    before = python_random.getstate()
    python_random.seed(seed)
    try:
        yield
    finally:
        python_random.setstate(before)


def _samples() -> Iterator[Arguments]:
    from torch.testing._internal.common_methods_invocations import op_db  # noqa: PLC0415 - its home has no public name

    operators: list[Any] = [operator for operator in op_db if operator.name == "nn.functional.cross_entropy"]
    (operator,) = operators
    for dtype in sorted(operator.supported_dtypes("cpu"), key=str):
        for sample in operator.sample_inputs("cpu", dtype):
            for layout in ("contiguous", "sliced_columns"):
                yield _arguments(sample, layout)


def _arguments(sample: Any, layout: str) -> Arguments:
    options = dict(sample.kwargs)
    weight = options.pop("weight", None)
    (target,) = sample.args
    return Arguments(to_numpy(sample.input), to_numpy(target), None if weight is None else to_numpy(weight), options, layout)


METHOD = Method(
    "torch samples",
    "torch.testing.assert_close with its defaults on OpInfo's samples: N=2, C=3, 4 dtypes, contiguous and with gaps; loss and gradient",
    "torch.testing._internal.common_methods_invocations",
    cases,
)

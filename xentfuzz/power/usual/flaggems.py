"""Re-creation of the inputs and tolerances of FlagGems' tests of cross entropy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import Random, kept_rows, labels, normals
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

# Smoothing and ignore_index come with a shape each.
INDEX_SETTINGS = (((1, 2), 0.0, 1), ((4096, 256), 0.1, 200), ((200, 40999, 3), 1.0, -100))
PROBABILITY_SETTINGS = (((1, 2), 1.0), ((4096, 256), 0.1), ((200, 40999, 3), 0.0))
REDUCTIONS = ("mean", "none", "sum")
RTOL = {"float16": 1e-3, "float32": 1.3e-6, "bfloat16": 1.6e-2}
# For each class: the tolerance grows with the length of the reduction.
ATOL = 1e-4
# Of one case at most: there are 81, a third of them large.
LOGITS = 70_000


def cases() -> Sequence[Case]:
    random = np.random.default_rng(0)
    return [
        case for dtype in RTOL for reduction in REDUCTIONS for case in (*_index(random, dtype, reduction), *_soft(random, dtype, reduction))
    ]


def _index(random: Random, dtype: str, reduction: str) -> Iterator[Case]:
    for shape, smoothing, ignore_index in INDEX_SETTINGS:
        for weighted in (True, False):
            kept = _kept(shape)
            # The last class is no target: the upper end of its range is left out twice.
            target = labels(random, shape[1] - 1, kept[:1] + kept[2:])
            weight = normals(random, shape[1:2], dtype) if weighted else None
            options: dict[str, Any] = {"label_smoothing": smoothing, "ignore_index": ignore_index, "reduction": reduction}
            yield _case(random, Arguments(normals(random, kept, dtype), target, weight, options), shape)


def _soft(random: Random, dtype: str, reduction: str) -> Iterator[Case]:
    """Targets are normal numbers, not probabilities."""
    for shape, smoothing in PROBABILITY_SETTINGS:
        kept = _kept(shape)
        options: dict[str, Any] = {"label_smoothing": smoothing, "reduction": reduction}
        weight = normals(random, shape[1:2], dtype)
        yield _case(random, Arguments(normals(random, kept, dtype), normals(random, kept, dtype), weight, options), shape)


def _kept(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (kept_rows(shape[0], prod(shape[1:]), LOGITS), *shape[1:])


def _case(random: Random, given: Arguments, shape: tuple[int, ...]) -> Case:
    dtype = given.logits.dtype.name
    atol = ATOL * shape[1]
    share = shape[0] / given.logits.shape[0] if given.options["reduction"] == "mean" else 1.0
    upstream = normals(random, given.loss_shape, dtype)
    gradient_close = torch_close(RTOL[dtype], atol * share)
    return case_of(given, torch_close(RTOL[dtype], atol), upstream=upstream, gradient_close=gradient_close, arithmetic="float64")


METHOD = Method(
    "FlagGems",
    "re-created: normal logits, 2, 256 and 40999 classes (rows cut), 3 dtypes, weight, smoothing, ignored rows, normal targets; "
    "torch's rtol, atol 1e-4 times the number of classes",
    "flagos-ai/FlagGems, tests/test_cross_entropy_loss.py",
    cases,
)

"""Re-creation of the inputs and tolerances of Liger-Kernel's tests of cross entropy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.power.usual.case import Arguments, Array, Case
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import Random, kept_rows, labels, normals, some_ignored, uniforms
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

CLASSES = 32000
# B * T of its two shapes.
ROWS = (2 * 4096, 3 * 423)
# Of the second shape's rows, kept once: more than 64, and no multiple of a power of two, as that shape's are.
TALL_ROWS = 77
SMALL_SHAPES = ((2 * 2, 8), (9 * 7, 41))
# dtype -> rtol; atol is 1e-8.
RTOL = {"float32": 1e-6, "bfloat16": 5e-2}
ATOL = 1e-8


def cases() -> Sequence[Case]:
    random = np.random.default_rng(42)
    return [case for dtype in RTOL for case in (*_large(random, dtype), *_tall(random, dtype), *_small(random, dtype))]


def _large(random: Random, dtype: str) -> Iterator[Case]:
    """32000 classes; fewer rows, with the tolerance of a mean's gradient as much larger as the gradient is."""
    for rows, ignore_index, smoothed_ignore_index, smoothing in zip(ROWS, (2, -123), (1, -300), (0.1, 0.2), strict=True):
        kept = kept_rows(rows, CLASSES)
        plain = Arguments(normals(random, (kept, CLASSES), dtype), labels(random, CLASSES, (kept,)))
        weighted = replace(plain, weight=uniforms(random, (CLASSES,), dtype))
        for reduction in ("sum", "mean"):
            options: dict[str, Any] = {"reduction": reduction}
            share = rows / kept if reduction == "mean" else 1.0
            yield _case(replace(plain, options=options), dtype, share)
            yield _case(replace(plain, options=options), dtype, share, upstream=3.0)
            yield _case(_ignoring(random, plain, options, ignore_index), dtype, share)
            yield _case(_ignoring(random, weighted, options, ignore_index), dtype, share)
        yield _case(replace(plain, options={"label_smoothing": 0.1}), dtype, rows / kept)
        yield _case(_ignoring(random, plain, {"label_smoothing": smoothing}, smoothed_ignore_index), dtype, rows / kept)


def _tall(random: Random, dtype: str) -> Iterator[Case]:
    given = Arguments(normals(random, (TALL_ROWS, CLASSES), dtype), labels(random, CLASSES, (TALL_ROWS,)))
    yield _case(given, dtype, ROWS[1] / TALL_ROWS)


def _small(random: Random, dtype: str) -> Iterator[Case]:
    for rows, classes in SMALL_SHAPES:
        options: dict[str, Any] = {"label_smoothing": 0.1, "ignore_index": 0}
        given = Arguments(normals(random, (rows, classes), dtype), labels(random, classes, (rows,)), options=options)
        yield _case(given, dtype, 1.0, upstream=normals(random, (), dtype))


def _ignoring(random: Random, given: Arguments, options: dict[str, Any], ignore_index: int) -> Arguments:
    rows = len(given.target)
    target = some_ignored(random, given.target, int(random.integers(1, rows // 2)), ignore_index)
    return replace(given, target=target, options={**options, "ignore_index": ignore_index})


def _case(given: Arguments, dtype: str, share: float, upstream: Array | float = 1.0) -> Case:
    close, gradient_close = torch_close(RTOL[dtype], ATOL), torch_close(RTOL[dtype], ATOL * share)
    # On a CPU torch computes in bfloat16 throughout; on the device that the suite runs on it does not.
    return case_of(given, close, upstream=upstream, gradient_close=gradient_close, arithmetic="float32")


METHOD = Method(
    "Liger-Kernel",
    "re-created: normal logits, 32000 classes (rows cut), sum and mean, smoothing, ignored rows, weight; rtol 1e-6 (bfloat16 5e-2), "
    "atol 1e-8; loss and gradient",
    "linkedin/Liger-Kernel, test/transformers/test_cross_entropy.py",
    cases,
)

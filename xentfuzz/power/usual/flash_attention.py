"""Re-creation of the inputs and tolerances of flash-attention's tests of cross entropy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import torch_close
from xentfuzz.power.usual.draw import Random, kept_rows, labels, normals, some_ignored
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

CLASSES = (50257, 128 * 1024)
# dtype -> rows of the batch, rtol and atol of the gradient.
DTYPES = {"float16": (16384, 1e-3, 1e-4), "float32": (4096, 1e-5, 1e-6), "bfloat16": (16384, 1e-3, 1e-4)}


def cases() -> Sequence[Case]:
    return list(_cases(np.random.default_rng(0)))


def _cases(random: Random) -> Iterator[Case]:
    """A mean; fewer rows, with the tolerance of the gradient as much larger as the gradient is."""
    for dtype, (rows, rtol, atol) in DTYPES.items():
        for classes in CLASSES:
            kept = kept_rows(rows, classes)
            for smoothing in (0.0, 0.9):
                target = some_ignored(random, labels(random, classes, (kept,)), 1, -100)
                given = Arguments(normals(random, (kept, classes), dtype), target, options={"label_smoothing": smoothing})
                gradient_close = torch_close(rtol, atol * rows / kept)
                upstream = normals(random, (), dtype)
                yield case_of(given, torch_close(1e-5, 1e-6), upstream=upstream, gradient_close=gradient_close, arithmetic="float32")


METHOD = Method(
    "flash-attention",
    "re-created: normal logits, 50257 and 131072 classes (rows cut), mean, smoothing 0 and 0.9, ignored rows; loss 1e-5/1e-6, "
    "gradient 1e-5/1e-6 (16 bits 1e-3/1e-4)",
    "Dao-AILab/flash-attention, tests/losses/test_cross_entropy.py",
    cases,
)

"""`numpy.allclose` with its defaults on random normals: what is written by hand in an hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xentfuzz.power.usual.case import Arguments, Case
from xentfuzz.power.usual.close import numpy_close
from xentfuzz.power.usual.draw import labels, normals, some_ignored
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

SHAPES = ((4, 10), (32, 10), (128, 1000), (8, 32000), (4, 10, 8), (2, 5, 6, 7))
ROWS, CLASSES = SHAPES[1]


def cases() -> Sequence[Case]:
    return [case_of(given, numpy_close(), upstream=1.0) for given in _arguments(np.random.default_rng(0))]


def _arguments(random: np.random.Generator) -> Iterator[Arguments]:
    """Some shapes with the defaults, then every option once."""
    for shape in SHAPES:
        yield Arguments(normals(random, shape), labels(random, shape[1], shape[:1] + shape[2:]))
    options: tuple[dict[str, Any], ...] = ({"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1}, {"ignore_index": 3})
    for option in options:
        yield Arguments(normals(random, (ROWS, CLASSES)), labels(random, CLASSES, (ROWS,)), options=option)
    logits, target = normals(random, (ROWS, CLASSES)), labels(random, CLASSES, (ROWS,))
    yield Arguments(logits, some_ignored(random, target, ROWS // 4, -100))
    yield Arguments(logits, target, random.uniform(0.5, 2.0, CLASSES).astype(np.float32))
    yield Arguments(logits, random.dirichlet(np.ones(CLASSES), ROWS).astype(np.float32))


METHOD = Method(
    "numpy.allclose",
    "numpy.allclose with its defaults on random normals against torch: 6 shapes, then every option once; float32, loss and gradient",
    "what is usually written by hand",
    cases,
)

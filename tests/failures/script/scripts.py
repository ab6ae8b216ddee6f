"""Cases and sources of failures put together by hand, and what a script must show of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from target_sources import NUMPY_TARGET

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.source import Source
from xentfuzz.operations.case import Case


def shows_it(run, script, *expected, target=NUMPY_TARGET):
    """The script imports no xentfuzz, exits with 1 and says the expected words, and exits with 0 once the target is mended."""
    assert "import xentfuzz" not in script
    assert "from xentfuzz" not in script
    faulty = run(script, mended=False, target=target)
    assert faulty.status == 1, faulty.printed + script
    for words in expected:
        assert words in faulty.printed
    mended = run(script, mended=True, target=target)
    assert mended.status == 0, mended.printed + script


def case_of(arrays, operation="cross_entropy", **options):
    defaults = {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0} if operation == "cross_entropy" else {}
    return Case(operation, "float32", {name: StridedArray.of(array) for name, array in arrays.items()}, {**defaults, **options})


def source_at(name, **more):
    return Source({"forward": f"targets.py:{name}"}, **more)


ARRAYS = {"logits": np.array([[0.0, 1.0, 2.0]], np.float32), "target": np.array([2])}
LOSS = 0.40760596444438
FIGURES = {"output": "value", "index": (), "got": 2 * LOSS, "exact": LOSS, "allowed": 1e-6}


def guarded(byte):
    """The logits within 256 bytes on either side, as the check of bounds lays them out."""
    logits = StridedArray(np.full(256 + 12 + 256, byte, np.uint8), "float32", (1, 3), (12, 4), 256)
    logits.view()[...] = ARRAYS["logits"]
    return Case("cross_entropy", "float32", {"logits": logits, "target": StridedArray.of(ARRAYS["target"])}, case_of(ARRAYS).options)


@dataclass
class Ended:
    """How a script came to its end."""

    status: object
    printed: str

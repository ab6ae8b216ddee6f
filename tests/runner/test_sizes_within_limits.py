"""No call has more rows or classes than an implementation declares that it takes, whatever check makes it."""

from __future__ import annotations

import numpy as np

import xentfuzz
from xentfuzz.runner.check import check

ROWS, CLASSES = 6, 40


def test_a_whole_check_stays_within_them() -> None:
    seen: set[tuple[int, int]] = set()

    def loss(logits, target):
        if logits.ndim == 2:
            seen.add(logits.shape)
        if target.shape != logits.shape[:1]:
            raise ValueError("labels")
        if not ((target >= 0) & (target < logits.shape[1])).all():
            raise ValueError("labels")
        wide = logits.astype(np.float64)
        with np.errstate(all="ignore"):
            rows = np.logaddexp.reduce(wide, axis=1) - wide[np.arange(len(target)), target]
            return np.asarray(rows.mean(), logits.dtype)

    supports = {
        "targets": ("index",),
        "ranks": (2,),
        "options": {"ignore_index": ()},
        "largest_row_count": ROWS,
        "largest_class_count": CLASSES,
    }
    implementation = xentfuzz.Implementation("small", loss, dtypes=("float32",), supports=supports)
    report = check(implementation, profile="quick", seed=0, isolate=False)
    assert report.cases > 100
    assert max(rows for rows, _ in seen) == ROWS
    assert max(classes for _, classes in seen) == CLASSES

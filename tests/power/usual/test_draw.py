"""What the usual ways draw, and how much of it is kept."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.power.usual.draw import kept_rows, labels, normals, some_ignored, uniforms


@pytest.mark.parametrize(("rows", "classes", "kept"), [(77, 1000, 40), (20, 1000, 20), (77, 10**6, 1), (4096, 1000, 32), (64, 10, 64)])
def test_rows_are_cut_and_powers_of_two_stay_powers_of_two(rows, classes, kept):
    assert kept_rows(rows, classes, 40_000) == kept


def test_arguments_are_as_asked_for():
    random = np.random.default_rng(0)
    logits = normals(random, (50, 40), "bfloat16", 0.1)
    assert logits.dtype.name == "bfloat16"
    assert 0.09 < logits.astype(np.float64).std() < 0.11
    assert 0 <= uniforms(random, (1000,)).min() < uniforms(random, (1000,)).max() < 1
    assert set(labels(random, 3, (200,))) == {0, 1, 2}
    target = np.arange(10)
    changed = some_ignored(random, target, 3, -100)
    assert (changed == -100).sum() == 3
    assert (target == np.arange(10)).all()

"""No case is drawn with more rows or classes than an implementation declares that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.shapes import class_rows

ROWS, CLASSES = 6, 40


def sizes(space: Any) -> tuple[int, int]:
    """The most rows and the most classes of all cases."""
    shapes = [class_rows(next(iter(case.values.values())).shape, case.options) for case in map(expand, draw_corpus(space, 5, 300))]
    return max(rows.count for rows in shapes), max(rows.classes for rows in shapes)


@pytest.mark.parametrize("family", ["ordinary", "special", "robust"])
@pytest.mark.parametrize("operation", ["cross_entropy", "softmax"])
def test_nothing_beyond_the_limits_is_drawn(whole_space, family, operation) -> None:
    space = whole_space(operation, family=family, largest_row_count=ROWS, largest_class_count=CLASSES)
    assert sizes(space) == (ROWS, CLASSES) if family == "ordinary" else sizes(space) <= (ROWS, CLASSES)
    assert sizes(whole_space(operation, family=family)) > (ROWS, CLASSES)

"""Which results count as the same, and how far apart others are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from xentfuzz.runner.agreement import Agreement

NEGATIVE_NAN = np.copysign(np.nan, -1)


class Trial:
    """A result, with an allowed error of 0.25."""

    value_dtype, grade = "float32", None

    def __init__(self, name, result):
        self.subject = SimpleNamespace(implementation=SimpleNamespace(name=name))
        self.outcomes = {"forward": SimpleNamespace(results={"value": np.asarray(result)})}
        self.evaluation = SimpleNamespace(shape=lambda _: (2,), blocks=self.blocks)

    def blocks(self, *_):
        yield SimpleNamespace(select=lambda answer: answer, allowed=np.full(2, 0.25))


def pair(one, other):
    agreement = Agreement()
    agreement.note([Trial("one", one), Trial("other", other)])
    return agreement.pairs.get(("one", "other"))


@pytest.mark.parametrize("other", [np.float32([0, np.nan]), np.float64([-0.0, np.nan]), np.float32([0, NEGATIVE_NAN])])
def test_the_same_numbers_are_the_same_in_every_format(other):
    assert pair(np.float32([0, np.nan]), other).to_dict() == {"cases": 1, "identical": 1, "worst_ratio": 0.0}


def test_other_numbers_are_as_far_apart_as_both_allowed_errors_say():
    assert pair(np.float32([0, 1]), np.float32([0, 2])).to_dict() == {"cases": 1, "identical": 0, "worst_ratio": 2.0}


def test_results_of_another_shape_are_not_compared():
    assert pair(np.float32([0, 1]), np.float32(0)) is None

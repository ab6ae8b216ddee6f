"""Observations say what happened, and nothing more."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import CrossEntropy
from xentfuzz.gallery.entry import Shown
from xentfuzz.gallery.observe import dirty_free_lists, observe

TWO = [[0.0, 0.0], [0.0, 0.0]]


def shown(by, *, target=(0, 1), **more):
    return Shown(call(TWO, list(target), reduction="none"), by, wrong="", right="", **more)


def test_a_loss_is_worded_to_the_digits_asked_for():
    assert observe(CrossEntropy(), shown("loss")) == "0.6931 0.6931"
    assert observe(CrossEntropy(), shown("loss", digits=2, at=slice(1))) == "0.69"


def test_an_exception_is_worded_by_its_class():
    assert observe(CrossEntropy(), shown("loss", target=(0, 9))) == "IndexError"


def test_honest_calls_change_nothing_and_bear_threads():
    assert observe(CrossEntropy(), shown("inputs")) == "changed: nothing"
    assert observe(CrossEntropy(), shown("threads")) == "same"


@pytest.mark.parametrize("count", [7, 50, 250])
def test_fresh_memory_holds_what_was_left_there(count):
    dirty_free_lists(1000.0)
    assert np.all(np.empty(count, np.float32) == 1000.0)


def test_earlier_calls_come_first():
    class Counts(CrossEntropy):
        calls = 0

        def reduce(self, problem, losses):
            self.calls += 1
            return super().reduce(problem, np.full_like(losses, self.calls))

    once, twice = shown("loss"), shown("loss", before=(call(TWO, [0, 1]),))
    assert observe(Counts(), once) == "1 1"
    assert observe(Counts(), twice) == "2 2"

"""Everything has its turn early; what is left out at an end is a part of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from xentfuzz.runner.schedule import run_streams

DTYPES = ("float16", "float32")


@dataclass
class Fake:
    name: str
    dtype: str
    wanted: int
    hazardous: bool = False
    cheap: bool = False
    compared_from: int = 1
    done: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def progress(self):
        return self.done / self.wanted

    @property
    def compared(self):
        return self.done >= self.compared_from

    def advance(self, *, first):
        if self.done >= self.wanted:
            return False
        self.done += 1
        self.log.append((self.name, self.dtype, first))
        return True


def streams(*given, log):
    return [Fake(name, dtype, wanted, log=log, **more) for dtype in DTYPES for name, wanted, more in given]


def test_everything_is_compared_once_before_anything_is_twice():
    log = []
    made = streams(("value", 50, {"cheap": True}), ("identity", 4, {}), ("invalid", 12, {"hazardous": True}), log=log)
    list(islice(run_streams(made), 7))
    assert sorted((name, dtype) for name, dtype, _ in log[:6]) == sorted((one.name, one.dtype) for one in made)


def test_what_costs_little_comes_first_and_then_each_check_in_another_dtype():
    log = []
    list(islice(run_streams(streams(("value", 50, {"cheap": True}), ("one", 4, {}), ("two", 4, {}), log=log)), 7))
    order = [(name, dtype) for name, dtype, _ in log[:6]]
    assert order[:2] == [("value", "float16"), ("value", "float32")]
    assert order[2:4] == [("one", "float16"), ("two", "float32")]


def test_hazardous_checks_are_tried_in_one_dtype_before_the_others_are_in_a_second_one():
    log = []
    list(islice(run_streams(streams(("one", 4, {}), ("two", 4, {}), ("invalid", 4, {"hazardous": True}), log=log)), 7))
    assert [name for name, _, _ in log[:3]] == ["one", "two", "invalid"]


def test_a_check_that_could_compare_nothing_gets_more_cases_at_once():
    log = []
    list(islice(run_streams(streams(("rare", 50, {"compared_from": 3}), log=log)), 7))
    assert [dtype for _, dtype, _ in log[:6]] == ["float16"] * 3 + ["float32"] * 3


def test_later_cases_are_shared_out_in_equal_parts():
    log = []
    made = streams(("value", 100, {}), ("identity", 10, {}), log=log)
    list(islice(run_streams(made), 110))
    assert all(0.4 <= one.progress <= 0.6 for one in made)


def test_all_cases_are_run_and_hazardous_ones_last():
    log = []
    made = streams(("value", 5, {}), ("invalid", 5, {"hazardous": True}), log=log)
    list(run_streams(made))
    assert all(one.done == one.wanted for one in made)
    rest = [name for name, _, first in log if not first]
    assert rest == ["value"] * 8 + ["invalid"] * 8

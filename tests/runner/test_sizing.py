"""Cases are as large as a profile has them unless calls are too slow for that."""

from __future__ import annotations

import pytest

from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.space import Space
from xentfuzz.runner.few_shapes import specialised
from xentfuzz.runner.profiles import PROFILES
from xentfuzz.runner.sizing import Sizing
from xentfuzz.runner.spaces import common_space
from xentfuzz.subjects.cost import Costs, Work


def costs(seconds) -> Costs:
    learnt = Costs()
    for rows, classes in [(3, 5), (3, 65), (16, 4), (64, 4), (4, 64), (4, 512)]:
        work = Work("forward", "float32", rows, rows * classes)
        learnt.note(work, seconds(work), new_kind=False)
    return learnt


def space(profile: str) -> Space:
    return PROFILES[profile].size(common_space(get_operation("cross_entropy"), "float32", "ordinary"), simulator=False)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("each_call", [0.0001, 0.15, 3.0])
def test_a_kernel_that_is_fast_for_its_size_gets_all_sizes(profile, each_call):
    fast = Sizing(costs(lambda work: each_call + 1e-7 * work.elements), PROFILES[profile].seconds)
    assert fast.fit(space(profile)) == space(profile)


def test_slow_rows_mean_few_rows_and_as_many_classes():
    sized = Sizing(costs(lambda work: 0.001 + 0.005 * work.rows), 90).fit(space("quick"))
    found = [specialised(recipe, get_operation("cross_entropy")) for recipe in draw_corpus(sized, 0, 256)]
    rows = [len(one.positions) and one.positions[0] for one in found]
    assert max(rows) == sized.largest_row_count == 32
    assert max(one.classes for one in found) > 1000


def test_slow_elements_mean_few_elements():
    sized = Sizing(costs(lambda work: 0.01 * work.elements), 90).fit(space("quick"))
    assert (sized.largest, sized.long) == (32, 128)


def test_cases_of_many_calls_are_smaller():
    slow = Sizing(costs(lambda work: 0.001 + 0.005 * work.rows), 90)
    assert [slow.fit(space("quick"), calls).largest_row_count for calls in (1, 4, 16)] == [32, 8, 4]


def test_without_an_end_there_are_no_limits():
    assert Sizing(costs(lambda work: work.elements), float("inf")).fit(space("quick")) == space("quick")

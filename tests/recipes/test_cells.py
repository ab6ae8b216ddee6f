from __future__ import annotations

import pytest

from xentfuzz.recipes.cells import BANDS, LARGEST, ROW_GROUP, cell_count, cell_of
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.sizes import TILE
from xentfuzz.runner.profiles import get_profile


def sizes(recipes):
    rows = [class_rows(recipe.shape, recipe.options) for recipe in recipes]
    return {(each.count, each.classes) for each in rows}


def test_cells_tell_remainders_bands_and_rows_apart():
    assert cell_of(2, 513) == (3, 1, 2)
    assert cell_of(6, 545) == cell_of(2, 513)
    assert len({cell_of(2, 513), cell_of(3, 513), cell_of(2, 512), cell_of(2, 1025)}) == 4


@pytest.mark.parametrize(("rows", "classes"), [(0, 5), (3, 0), (1, LARGEST + 1)])
def test_what_is_empty_or_huge_lies_in_no_cell(rows, classes):
    assert cell_of(rows, classes) is None


def test_the_number_of_cells_follows_from_what_is_taken():
    assert cell_count(lambda _: True) == len(BANDS) * TILE * ROW_GROUP
    assert cell_count(lambda classes: classes % 8 == 0) == len(BANDS) * 4 * ROW_GROUP
    assert cell_count(lambda classes: classes <= 16, single_rows=True) == 16


@pytest.mark.parametrize("operation", ["cross_entropy", "softmax"])
@pytest.mark.parametrize("profile", ["quick", "default"])
def test_any_class_count_up_to_a_few_thousand_comes_with_two_and_with_three_rows(whole_space, operation, profile):
    space = get_profile(profile).size(whole_space(operation), simulator=False)
    drawn = sizes(draw_corpus(space, 4, 2000))
    for first, last in ((130, 512), (513, 1024), (1025, 4128)):
        for rows in (2, 3):
            counts = {classes for count, classes in drawn if count == rows and first <= classes <= last}
            assert len({classes % TILE for classes in counts}) > 12
    for step in (-1, 0, 1):
        around = {classes - step for count, classes in drawn if count > 1 and classes >= 5 * TILE - 1 and (classes - step) % TILE == 0}
        assert len(around) > 20


def test_two_rows_of_an_odd_number_of_classes_beyond_512_are_in_every_corpus_of_quick(whole_space):
    space = get_profile("quick").size(whole_space(), simulator=False)
    for seed in range(20):
        # As many as the values of four dtypes, and their special cases, are tried on.
        drawn = sizes(draw_corpus(space, seed, 360))
        assert any(rows == 2 and classes % 2 and 512 < classes < 1024 for rows, classes in drawn), seed


def test_small_spaces_stay_small(whole_space):
    for recipe in draw_corpus(whole_space(largest=40, long=0), 0, 300):
        rows = class_rows(recipe.shape, recipe.options)
        assert rows.count * rows.classes <= 40

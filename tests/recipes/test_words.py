from __future__ import annotations

import numpy as np

from xentfuzz.recipes.words import Words, below, normal, raw_words, signed, uniform

WORDS = Words(7, "logits")
RAW = [6080930710596754481, 2597478129611403576]
CELLS = [[6864562966101936747, 8144227800914977452], [18327185554987612016, 12989499765758590766]]


def test_words_are_the_same_on_every_machine():
    assert raw_words(7, "logits", 2).tolist() == RAW
    assert WORDS.cells(2, 2).tolist() == CELLS


def test_a_larger_shape_keeps_the_words_of_a_smaller_one():
    assert np.array_equal(WORDS.cells(9, 7)[:4, :3], WORDS.cells(4, 3))


def test_seeds_streams_and_lanes_give_different_words():
    others = (Words(8, "logits").cells(3, 3), Words(7, "weight").cells(3, 3), WORDS.cells(3, 3, lane=1))
    assert not any((other == WORDS.cells(3, 3)).any() for other in others)


def test_no_word_occurs_twice_among_many():
    assert len(np.unique(WORDS.cells(300, 300))) == 300 * 300


def test_normal_numbers_have_the_moments_of_a_bell():
    numbers = normal(WORDS.cells(400, 500))
    count = numbers.size
    assert abs(numbers.mean()) < 5 * 1.155 / count**0.5
    assert abs(numbers.var() - 4 / 3) < 5 * 2 / count**0.5
    assert np.abs(numbers).max() < 4


def test_normal_numbers_use_all_bits_of_float64():
    """Otherwise a kernel that rounds its inputs to float32 would pass."""
    numbers = normal(WORDS.cells(100, 100))
    assert (numbers != numbers.astype(np.float32)).mean() > 0.99


def test_uniform_numbers_stay_in_their_ranges():
    words = WORDS.cells(300, 300)
    assert uniform(words).min() >= 0 < uniform(words).max() < 1
    assert -1 <= signed(words).min() < -0.99 < 0.99 < signed(words).max() < 1


def test_below_takes_every_value_about_equally_often():
    counts = np.bincount(below(WORDS.cells(300, 300), 9).ravel())
    assert len(counts) == 9
    assert np.abs(counts - 10_000).max() < 6 * 100


def test_below_an_empty_range_gives_zero_without_a_warning():
    assert below(WORDS.cells(1, 2), 0).tolist() == [[0, 0]]

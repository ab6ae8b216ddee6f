from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.recipes.target import IGNORED, fits, ignored_mask, label_rules, wrapped_label
from xentfuzz.recipes.words import Words

WORDS = Words(1, "target")


@pytest.mark.parametrize("rows", [2, 3, 8, 100])
@pytest.mark.parametrize("pattern", IGNORED)
def test_some_rows_are_ignored_and_some_are_kept(pattern, rows):
    for seed in range(20):
        mask = ignored_mask(pattern, rows, Words(seed, "target"))
        assert mask.shape == (rows,)
        assert mask.any()
        assert not mask.all()


def test_patterns_are_what_their_names_say():
    assert ignored_mask("first", 4, WORDS).tolist() == [True, False, False, False]
    assert ignored_mask("last", 4, WORDS).tolist() == [False, False, False, True]
    assert ignored_mask("all_but_one", 9, WORDS).sum() == 8
    assert ignored_mask("all", 3, WORDS).all()
    assert not ignored_mask("none", 3, WORDS).any()
    assert 20 <= ignored_mask("some", 100, WORDS).sum() <= 45
    assert 65 <= ignored_mask("many", 100, WORDS).sum() <= 95


@pytest.mark.parametrize("pattern", IGNORED)
def test_a_single_row_is_ignored_by_name_only(pattern):
    assert not ignored_mask(pattern, 1, WORDS).any()


def test_kept_labels_keep_clear_of_ignore_index():
    assert label_rules(3, "int64", 2, 0.1).kept(np.array([0, 1, 2, 5])).tolist() == [0, 1, 0, 0]


def test_labels_fit_the_dtype():
    assert label_rules(300, "uint8", -1, 0.0).kept(np.array([299, 255, 256])).tolist() == [43, 255, 0]
    assert label_rules(300, "int8", -1, 0.0).limit == 128
    assert label_rules(5, "bool", -100, 0.0).limit == 2


def test_a_wrapped_label_is_avoided_with_smoothing_only():
    assert label_rules(300, "uint8", -100, 0.0).kept(np.array([156])).tolist() == [156]
    assert label_rules(300, "uint8", -100, 0.1).kept(np.array([156])).tolist() == [157]


def test_what_ignore_index_wraps_to():
    assert wrapped_label(-100, "uint8") == 156
    assert wrapped_label(255, "int8") == -1
    assert wrapped_label(-1, "uint16") == 65535
    assert wrapped_label(5, "bool") == 1


def test_what_fits():
    assert fits(-100, "int8")
    assert not fits(-100, "uint8")
    assert not fits(255, "int8")
    assert not fits(2, "bool")
    assert fits(2**63 - 1, "int64")

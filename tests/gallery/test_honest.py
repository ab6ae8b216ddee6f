"""No honest implementation of the row is wrong anywhere: each is held to the exact results on drawn cases of every family."""

from __future__ import annotations

import pytest
from judging import hold_to_the_exact_results

from xentfuzz.gallery import catalogue


@pytest.mark.parametrize("name", catalogue.honest())
def test_honest_implementations_are_right(name):
    hold_to_the_exact_results(catalogue.honest()[name], count=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.honest())
def test_honest_implementations_are_right_on_many_cases(name):
    hold_to_the_exact_results(catalogue.honest()[name], count=150)


@pytest.mark.parametrize("entry", catalogue.honest().values(), ids=catalogue.honest().keys())
def test_an_honest_entry_says_why_it_is_allowed(entry):
    assert entry.honest

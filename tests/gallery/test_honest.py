"""No honest implementation of the row is wrong anywhere: each is held to the exact results on drawn cases of every family."""

from __future__ import annotations

import pytest

from xentfuzz.checks.registry import checks_for
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.gallery import catalogue
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import FAMILIES
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.spaces import common_space, own_space
from xentfuzz.subjects.open import open_subject

CROSS_ENTROPY = get_operation("cross_entropy")
SIZES = get_profile("quick")


def cases(subject, dtype, family, count):
    space = own_space(common_space(CROSS_ENTROPY, dtype, family), CROSS_ENTROPY, subject.capabilities)
    return [expand(recipe) for recipe in draw_corpus(SIZES.size(space, simulator=False), 7, count)]


def judge(subject, family, case):
    """How many checks compared the case; raises the first failure."""
    trial = Trial(CROSS_ENTROPY, case, CROSS_ENTROPY.evaluate(case), subject)
    compared = 0
    for check in checks_for("cross_entropy"):
        wanted = check.family == family and check.cost == "call" and not check.draws
        if wanted and check.applies(subject.capabilities, subject.implementation) is None:
            try:
                compared += check.judge(trial).compared
            except Unsupported:
                continue
    return compared


def hold_to_the_exact_results(entry, count):
    subject = open_subject(entry.implementation)
    for dtype in subject.capabilities.dtypes:
        for family in FAMILIES:
            if any(check.family == family for check in checks_for("cross_entropy")):
                compared = sum(judge(subject, family, case) for case in cases(subject, dtype, family, count))
                assert compared or family == "robust", f"nothing of family {family} was compared in {dtype}"


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

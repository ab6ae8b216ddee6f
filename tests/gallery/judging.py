"""Hold an entry of the gallery to the exact results, on drawn cases of every family."""

from __future__ import annotations

from xentfuzz.checks.registry import checks_for
from xentfuzz.checks.trial import Trial, Unsupported
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
    """count: of each family and dtype. Raises the first failure, or AssertionError where nothing was compared."""
    subject = open_subject(entry.implementation)
    for dtype in subject.capabilities.dtypes:
        for family in FAMILIES:
            if any(check.family == family for check in checks_for("cross_entropy")):
                compared = sum(judge(subject, family, case) for case in cases(subject, dtype, family, count))
                assert compared or family == "robust", f"nothing of family {family} was compared in {dtype}"

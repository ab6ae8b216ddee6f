"""No honest implementation is accused: every summation order and algebraic form, on cases as the default profile draws them.

The quick test takes a sample; the slow one 20,000 cases (`tox -e slow`), and prints the largest error / allowed error of each regime.
"""

from __future__ import annotations

import pytest
from false_alarms import Worst, hold
from honest import HONEST

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.spaces import common_space

# Forms that loop over elements in Python are kept to cases that they finish.
LARGEST = 4096


def _search(dtype: str, count: int) -> Worst:
    operation = get_operation("cross_entropy")
    space = get_profile("default").size(common_space(operation, dtype, "ordinary"), simulator=False)
    worst = Worst()
    for recipe in draw_corpus(space, 20_000, count):
        case = expand(recipe)
        if case.values["logits"].size <= LARGEST:
            regime = recipe.arrays["logits"].regime if recipe.arrays["logits"].elements is None else "elements"
            hold(worst, case, regime, HONEST.values(), recipe.one_line())
    return worst


# The sums of q_c and of q_c x_c lose different terms; scaled logits, a scaled maximum and m + log s all round.
NEAR_THEIR_BOUNDS = (
    """{"operation":"cross_entropy","dtype":"float32","shape":[1,512,3],"arrays":{"logits":{"regime":"confident_right","seed":10355,
    "scale":20.0},"target":{"regime":"one_hot","seed":10355},"grad_output":{"regime":"positive","seed":10355}},
    "options":{"label_smoothing":0.00001}}""",
    """{"operation":"cross_entropy","dtype":"float64","shape":[1,8,63],"arrays":{"logits":{"regime":"offset","seed":12048,"scale":1000.0},
    "target":{"regime":"normalised","seed":12048},"weight":{"regime":"targets_zero","seed":12048},
    "grad_output":{"regime":"uneven","seed":12048}},"options":{"reduction":"none"}}""",
)


@pytest.mark.parametrize("recipe", NEAR_THEIR_BOUNDS)
def test_cases_that_come_near_their_bounds(recipe: str) -> None:
    worst = Worst()
    hold(worst, expand(recipe_from(recipe)), "", HONEST.values(), recipe)
    assert not worst.alarms


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_no_honest_form_is_accused(dtype: str) -> None:
    worst = _search(dtype, 80)
    assert worst.cases > 60
    assert not worst.alarms


@pytest.mark.slow
@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_no_honest_form_is_accused_in_many_cases(dtype: str) -> None:
    worst = _search(dtype, 5_600)
    print(f"\n{dtype}: {worst.cases} cases x {len(HONEST)} forms", *worst.lines(), sep="\n")
    assert worst.cases >= 5_000
    assert not worst.alarms

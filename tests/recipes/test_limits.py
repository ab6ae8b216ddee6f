from __future__ import annotations

import pytest

from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe


def family(*, dtype="float32", shape=(2, 2), target_dtype=None, regime="uniform", options=None, **arrays) -> str:
    """Of a case of two rows and two classes, unless something else is said."""
    elements = {"logits": "1 2 3 4", "target": "0 1", **arrays}
    recipes = {name: ArrayRecipe(elements=tuple(texts.split())) for name, texts in elements.items()}
    recipes["target"] = ArrayRecipe(regime, elements=recipes["target"].elements, dtype=target_dtype)
    return family_of(expand(Recipe("cross_entropy", dtype, shape, recipes, options or {})))


ORDINARY = {
    "finite logits": {},
    "an ignored row": {"target": "-100 1"},
    "another ignore_index": {"target": "7 1", "options": {"ignore_index": 7}},
    "probabilities": {"target": "0.5 0.5 -1 3", "regime": "negative"},
    "a weight of zero": {"weight": "0 1"},
    "negative weights": {"weight": "-1 -1"},
    "weights of both signs": {"weight": "-1 2"},
    "smoothing of one": {"options": {"label_smoothing": 1.0}},
    "a zero gradient": {"grad_output": "0"},
    "no weight at all for probabilities, unless it is all zero": {"target": "1 0 0 1", "regime": "one_hot", "weight": "0 1"},
}
SPECIAL = {
    "-inf": {"logits": "-inf 2 3 4"},
    "all -inf": {"logits": "-inf -inf 3 4"},
    "one +inf": {"logits": "inf 2 3 4"},
    "NaN": {"logits": "nan 2 3 4"},
    "two +inf in an ignored row": {"logits": "inf inf 3 4", "target": "-100 1"},
    "the end of the format": {"logits": "3e38 2 3 4"},
    "its end in float16": {"logits": "60000 2 3 4", "dtype": "float16"},
    "nothing kept": {"target": "-100 -100"},
    "no rows": {"logits": "", "target": "", "shape": (0, 2)},
    "kept targets without weight": {"target": "0 0", "weight": "0 1"},
    "no weight": {"target": "1 0 0 1", "regime": "one_hot", "weight": "0 0"},
    "a weight that is not read": {"target": "0 0", "weight": "1 nan"},
}
ROBUST = {
    "a narrow target": {"target_dtype": "uint8"},
    "no class": {"logits": "", "target": "-100 -100", "shape": (2, 0)},
    "a narrow target that ignore_index would wrap to": {
        "logits": "0 " * 600,
        "target": "156 1",
        "shape": (2, 300),
        "target_dtype": "uint8",
    },
}
UNDEFINED = {
    "a label that is no class": {"target": "2 0"},
    "a negative label": {"target": "-1 0"},
    "a label without classes": {"logits": "", "target": "0 0", "shape": (2, 0)},
    "two +inf": {"logits": "inf inf 3 4"},
    "smoothing above one": {"options": {"label_smoothing": 1.5}},
    "smoothing below zero": {"options": {"label_smoothing": -0.1}},
    "an infinite gradient": {"grad_output": "inf"},
    "an infinite probability": {"target": "inf 0 0 1", "regime": "one_hot"},
    "an ignore_index of zero with probabilities": {"target": "1 0 0 1", "regime": "one_hot", "options": {"ignore_index": 0}},
    "negative probabilities of infinite losses": {"logits": "-inf 2 3 4", "target": "-1 0 0 1", "regime": "negative"},
    "negative weights of infinite losses": {"logits": "-inf 2 3 4", "weight": "-1 -1"},
    "weights that cancel": {"weight": "-1 1"},
    "weights that nearly cancel": {"weight": "-1 1.0001"},
    "a NaN weight that smoothing reads": {"target": "0 0", "weight": "1 nan", "options": {"label_smoothing": 0.1}},
    "a NaN weight of a target": {"weight": "1 nan"},
    "a NaN weight of probabilities": {"target": "1 0 0 1", "regime": "one_hot", "weight": "1 nan"},
    "a label that ignore_index wraps to, with smoothing": {
        "logits": "0 " * 600,
        "target": "156 1",
        "shape": (2, 300),
        "target_dtype": "uint8",
        "options": {"label_smoothing": 0.1},
    },
}
EXAMPLES = [
    pytest.param(expected, example, id=f"{expected}: {name}")
    for expected, examples in {"ordinary": ORDINARY, "special": SPECIAL, "robust": ROBUST, "undefined": UNDEFINED}.items()
    for name, example in examples.items()
]


@pytest.mark.parametrize(("expected", "example"), EXAMPLES)
def test_the_family_of_a_case(expected, example):
    assert family(**example) == expected


def test_nll_loss_may_have_any_number_of_infinities_that_it_does_not_read():
    arrays = {"log_probs": ArrayRecipe(elements=("-1", "inf", "inf")), "target": ArrayRecipe("uniform", elements=("0",))}
    assert family_of(expand(Recipe("nll_loss", "float32", (1, 3), arrays))) == "special"


def test_softmax_has_no_rows_to_keep():
    assert family_of(expand(Recipe("softmax", "float32", (2, 3), {"logits": ArrayRecipe()}, {"axis": 0}))) == "ordinary"
    assert family_of(expand(Recipe("softmax", "float32", (0, 3), {"logits": ArrayRecipe()}, {"axis": 1}))) == "special"
    assert family_of(expand(Recipe("softmax", "float32", (0, 3), {"logits": ArrayRecipe()}, {"axis": 0}))) == "robust"

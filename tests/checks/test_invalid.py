"""What must raise, raises; what may differ from call to call is not accused of it."""

from __future__ import annotations

import pytest

from xentfuzz.gallery.catalogue import entry
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.check import run_recipe

SUMS = {
    "operation": "cross_entropy",
    "dtype": "float32",
    "shape": (1, 513),
    "arrays": {
        "logits": {"regime": "ascending", "seed": 25845},
        "target": {"regime": "cycle", "seed": 25845},
        "weight": {"regime": "positive", "seed": 25845},
        "grad_output": {"regime": "ones", "seed": 25845},
    },
    "options": {"reduction": "sum", "label_smoothing": 0.3},
}
CHECK = "rejects_out_of_range_targets"


@pytest.mark.parametrize("name", ["shuffled_sums", "two_pass_shift", "nan_for_labels_out_of_range"])
def test_honest_implementations_pass(name):
    assert run_recipe(entry(name).implementation, CHECK, recipe_from(SUMS)) is None


@pytest.mark.parametrize("name", ["R18", "D36", "D37"])
def test_an_answer_where_an_error_is_required_is_found(name):
    failure = run_recipe(entry(name).implementation, CHECK, recipe_from(SUMS))
    assert failure is not None
    assert failure.kind == "accepted_invalid"

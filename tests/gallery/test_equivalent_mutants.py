"""Mutants that are said to change nothing give the same bits as their originals, on ordinary and on special cases."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.gallery.mutants import of_same_bits, original
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import Space

CASES = {"ordinary": 60, "special": 60}
DTYPES = ("float16", "float32", "float64")


@pytest.fixture(scope="module")
def cases():
    recipes = [
        recipe
        for dtype in DTYPES
        for family, count in CASES.items()
        for recipe in draw_corpus(Space("cross_entropy", dtype, family, largest=600, long=0), 0, count)
    ]
    return [expand(recipe) for recipe in recipes]


def answer(kernel, case):
    """The bits of loss and gradient, or that it raises."""
    values = dict(case.values)
    upstream = values.pop("grad_output")
    options = {name: value for name, value in case.options.items() if value is not None}
    with np.errstate(all="ignore"):
        try:
            results = kernel.forward(**values, **options), kernel.backward(upstream, **values, **options)
        except (ValueError, IndexError, TypeError):
            return "raises"
    # NaN has many bits, and no contract says which.
    return [np.where(np.isnan(result), np.nan, result).tobytes() for result in map(np.asarray, results)]


@pytest.mark.parametrize("mutant", of_same_bits(), ids=lambda mutant: mutant.id)
def test_the_bits_are_those_of_the_original(mutant, cases):
    changed, honest = mutant.kernel(), original(mutant)
    answered = 0
    for case in cases:
        wanted = answer(honest, case)
        answered += wanted != "raises"
        assert answer(changed, case) == wanted
    assert answered > len(cases) * 0.9

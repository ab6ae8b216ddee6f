"""Mutants that are listed as no bugs: some give the bits of their originals, the others are as right, on cases of every family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judging import hold_to_the_exact_results

from xentfuzz.checks.compare import compare
from xentfuzz.gallery.mutants import equivalent, mutants, original
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import parse_grade
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.runner.spaces import common_space

CROSS_ENTROPY = get_operation("cross_entropy")
CASES = {"ordinary": 120, "special": 120}
DTYPES = ("float16", "float32", "float64")
# float64 rounds 2^29 times more finely than float32, and a bound holds a few roundings of float32 at least.
NEGLIGIBLE = 2.0**-20
# A wrong share of the hard target, of the smoothing, a wrong scale of the gradient.
BUGS = (
    "CrossEntropy.hard_share: 1.0 - problem.smoothing -> 1.0 + problem.smoothing",
    "SmoothingByParts.smooth_losses: problem.smoothing / problem.classes -> problem.smoothing",
    "Reciprocals.row_scale: problem.given.reduction == 'mean' -> problem.given.reduction != 'mean'",
)


def drawn(*dtypes):
    return [
        expand(recipe)
        for dtype in dtypes
        for family, count in CASES.items()
        for recipe in draw_corpus(replace(common_space(CROSS_ENTROPY, dtype, family), largest=600, long=0), 0, count)
    ]


@pytest.fixture(scope="module")
def cases():
    return drawn(*DTYPES)


def arguments(case):
    values, options = dict(case.values), {name: value for name, value in case.options.items() if value is not None}
    return values.pop("grad_output"), values, options


def answer(kernel, case):
    """The bits of loss and gradient, or that it raises."""
    upstream, values, options = arguments(case)
    with np.errstate(all="ignore"):
        try:
            results = kernel.forward(**values, **options), kernel.backward(upstream, **values, **options)
        except (ValueError, IndexError, TypeError):
            return "raises"
    # NaN has many bits, and no contract says which.
    return [np.where(np.isnan(result), np.nan, result).tobytes() for result in map(np.asarray, results)]


@pytest.mark.parametrize("mutant", equivalent(same_bits=True), ids=lambda mutant: mutant.id)
def test_the_bits_are_those_of_the_original(mutant, cases):
    changed, honest = mutant.kernel(), original(mutant)
    answered = 0
    for case in cases:
        wanted = answer(honest, case)
        answered += wanted != "raises"
        assert answer(changed, case) == wanted
    assert answered > len(cases) * 0.9


@pytest.fixture(scope="module")
def evaluated():
    return [(case, CROSS_ENTROPY.evaluate(case)) for case in drawn("float32")]


def ratios_in_float64(kernel, evaluated):
    """The largest error / error allowed in float32 of each loss and gradient that holds a number, all arithmetic being in float64."""
    for case, evaluation in evaluated:
        upstream, values, options = arguments(case)
        wide = {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in values.items()}
        results = {
            "value": kernel.forward(**wide, **options),
            "grad_logits": kernel.backward(upstream.astype(np.float64), **wide, **options),
        }
        for output, result in results.items():
            if (np.isfinite(result) & (result != 0)).any():
                yield compare(np.asarray(result), evaluation, output, parse_grade("lse/any"), "float32").ratio


@pytest.mark.parametrize("mutant", equivalent(same_bits=False), ids=lambda mutant: mutant.id)
def test_in_float64_they_agree_with_the_exact_results(mutant, evaluated):
    ratios = list(ratios_in_float64(mutant.kernel(), evaluated))
    assert max(ratios) < NEGLIGIBLE
    assert len(ratios) > len(evaluated)


@pytest.mark.parametrize("name", BUGS)
def test_in_float64_a_bug_does_not_agree(name, evaluated):
    mutant = next(mutant for mutant in mutants().values() if mutant.mechanism == name)
    assert max(ratios_in_float64(mutant.kernel(), evaluated)) > 1


@pytest.mark.parametrize("mutant", equivalent(same_bits=False), ids=lambda mutant: mutant.id)
def test_in_every_dtype_they_are_right(mutant):
    hold_to_the_exact_results(mutant, count=3)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", equivalent(same_bits=False), ids=lambda mutant: mutant.id)
def test_in_every_dtype_they_are_right_on_many_cases(mutant):
    hold_to_the_exact_results(mutant, count=150)

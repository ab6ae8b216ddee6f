"""The grade fast-math holds what devices and vector libraries document, at its worst; the grade of working precision does not."""

from __future__ import annotations

import itertools

import pytest
from adversary import Adversary, Worst
from approximate import CUDA, DOCUMENTED, SIGNS, VULKAN, Documented, Signs, WorstFunctions, down, near_up, up
from honest import Form, online_elements, sequential

from xentfuzz.operations.grades import parse_grade

FORMS = {
    "shift": {},
    "lse": {"algebra": "lse"},
    "powers of two, lse": {"algebra": "lse", "base2": True},
    "sequential, lse": {"algebra": "lse", "add": sequential},
    "online, shift": {"statistics": online_elements, "add": sequential},
}


def worst(form: str, documented: Documented, signs: tuple[Signs, Signs], classes: int, grade: str, *, dtype: str = "float32") -> Worst:
    own = WorstFunctions(documented, *signs, exact_at_zero=form.startswith("online"))
    functions = {"own_exp": own.exp, "own_exp2": own.exp2, "own_log": own.log, "own_log2": own.log2, "own_quotient": own.quotient}
    forward, backward = Form(form, flush=True, **FORMS[form], **functions).pair("cross_entropy")
    found = Adversary(dtype, classes, rows=32, generations=5).search({"value": forward, "grad_logits": backward}, parse_grade(grade), 1)
    assert found.ratio > 0.01, "nothing was compared"
    return found


@pytest.mark.parametrize("signs", [(up, up), (down, down), (near_up, down)], ids=lambda signs: f"{signs[0].__name__}-{signs[1].__name__}")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("documented", [CUDA, VULKAN], ids=lambda documented: documented.name)
def test_intrinsics_at_their_worst_are_within_fast_math(documented: Documented, form: str, signs: tuple[Signs, Signs]) -> None:
    for classes in (2, 5, 100):
        assert worst(form, documented, signs, classes, "fast-math/any").ratio <= 1


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda documented: documented.name)
def test_every_documented_error_is_within_fast_math(documented: Documented, form: str) -> None:
    """A search for every direction of the errors, in float32 and in the 16-bit formats that are computed in it."""
    found = {
        (dtype, classes, *signs): worst(form, documented, signs, classes, "fast-math/any", dtype=dtype)
        for dtype in ("float32", "bfloat16")
        for classes in (1, 2, 3, 5, 16, 33, 257, 1000)
        for signs in itertools.product(SIGNS, (up, down))
    }
    key = max(found, key=lambda key: found[key].ratio)
    print(f"\n{documented.name}, {form}: {found[key].ratio:.3f} of fast-math/any in {key[:2]}, {found[key].where}")
    assert found[key].ratio <= 1


@pytest.mark.parametrize("form", ["shift", "lse"])
def test_intrinsics_at_their_worst_are_outside_working_precision(form: str) -> None:
    assert worst(form, CUDA, (up, up), 2, "lse/any").ratio > 1.4


def test_an_exponential_beyond_what_is_documented_is_outside_fast_math() -> None:
    coarse = Documented("coarse", exp=40, exp_for_each=0, exp2=40, log=(0.0, 0), log2=(0.0, 0), quotient=0)
    assert worst("shift", coarse, (near_up, up), 3, "fast-math/any").ratio > 1


def test_a_logarithm_beyond_what_is_documented_is_outside_fast_math() -> None:
    coarse = Documented("coarse", exp=0, exp_for_each=0, exp2=0, log=(2**-19, 3), log2=(2**-19, 3), quotient=0)
    assert worst("shift", coarse, (up, up), 2, "fast-math/any").ratio > 1

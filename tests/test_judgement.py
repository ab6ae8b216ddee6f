"""exact, allowed_error, assert_correct and case, as a test of one's own calls them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch

import xentfuzz
from xentfuzz import allowed_error, assert_correct, exact
from xentfuzz.errors import RecordError, UnknownName, UsageError
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe

TWO = xentfuzz.case("cross_entropy", logits=np.array([[0.0, 1.0], [3.0, 1.0]], "float32"), target=np.array([0, 1]), reduction="none")
TWO_LOSSES = np.log1p(np.exp([1.0, 2.0]))


def test_exact_gives_value_and_gradient_in_float64():
    found = exact(TWO)
    assert found["value"].dtype == np.float64
    assert np.abs(found["value"] - TWO_LOSSES).max() <= 2**-52
    probabilities = np.exp(TWO.values["logits"] - np.float64([[1], [3]]))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert np.abs(found["grad_logits"] - (probabilities - [[1, 0], [0, 1]])).max() <= 2**-51


def test_a_stricter_grade_allows_less():
    offset = xentfuzz.case("cross_entropy", logits=np.array([[1e4, 1e4 + 1]], "float32"), target=np.array([0]))
    strict, lax = (allowed_error(offset, grade=grade)["value"] for grade in ("shift/any", "lse/any"))
    assert 0 < strict < lax


def test_what_is_within_the_allowed_error_passes_and_what_is_not_fails():
    bound = allowed_error(TWO)["value"]
    assert_correct(TWO, (TWO_LOSSES + 0.5 * bound).astype("float32"))
    with pytest.raises(xentfuzz.Failure, match=r"loss\[1\] is .* exact: 2\.126"):
        assert_correct(TWO, (TWO_LOSSES + bound * [0, 3]).astype("float32"))


def test_a_gradient_is_held_too():
    loss, gradient = TWO_LOSSES.astype("float32"), exact(TWO)["grad_logits"].astype("float32")
    assert_correct(TWO, loss, gradient=gradient)
    assert_correct(TWO, loss, gradient={"grad_logits": gradient})
    with pytest.raises(xentfuzz.Failure, match="gradient of logits"):
        assert_correct(TWO, loss, gradient=2 * gradient)
    with pytest.raises(UnknownName, match="grad_weigth"):
        assert_correct(TWO, loss, gradient={"grad_weigth": gradient})


def test_the_gradient_is_that_for_the_upstream_gradient():
    arguments = {**TWO.arguments, "grad_output": np.array([2.0, -1.0], "float32")}
    weighted = xentfuzz.case("cross_entropy", **arguments)
    assert weighted.grad_output.tolist() == [2.0, -1.0]
    assert np.array_equal(exact(weighted)["grad_logits"], exact(TWO)["grad_logits"] * [[2.0], [-1.0]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_tensors_go_in_and_out(dtype):
    logits = np.array([[0.0, 1.0, -2.0], [3.0, 1.0, 0.5]], "float32").astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    case = xentfuzz.case("cross_entropy", logits=logits, target=np.array([2, -100]), reduction="sum")
    given = case.torch()
    assert given["logits"].dtype == getattr(torch, dtype)
    leaf = given["logits"].requires_grad_()
    loss = torch.nn.functional.cross_entropy(leaf, given["target"], reduction=given["reduction"])
    (gradient,) = torch.autograd.grad(loss, [leaf], case.torch_grad_output())
    assert_correct(case, loss, gradient=gradient, grade="staged/any" if "16" in dtype else "lse/any")
    with pytest.raises(xentfuzz.Failure, match="loss is"):
        assert_correct(case, loss * 1.5)


def test_layouts_survive_the_way_to_torch_where_torch_holds_them():
    recipe = Recipe("softmax", "float32", (3, 4), {"logits": ArrayRecipe(layout="fortran")}, {"axis": 1})
    tensor = xentfuzz.case(recipe.one_line()).torch()["logits"]
    assert tensor.stride() == (1, 3)
    flipped = Recipe("softmax", "float32", (3, 4), {"logits": ArrayRecipe(layout="negative_stride")}, {"axis": 1})
    case = xentfuzz.case(flipped.one_line())
    assert np.array_equal(case.torch()["logits"].numpy(), case.values["logits"])


def test_arguments_are_fresh_and_say_only_what_differs_from_a_default():
    arguments = TWO.arguments
    assert set(arguments) == {"logits", "target", "reduction"}
    arguments["logits"][:] = 7
    assert TWO.arguments["logits"][0, 0] == 0


def test_a_large_case_is_shown_as_its_recipe():
    recipe = Recipe("softmax", "float32", (30, 40), {"logits": ArrayRecipe(seed=5)}, {"axis": -1})
    case = xentfuzz.case(recipe.one_line())
    again = eval(repr(case), {"xentfuzz": xentfuzz})  # noqa: S307
    assert again.recipe == recipe
    assert again.values["logits"].tobytes() == case.values["logits"].tobytes()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: xentfuzz.case("cross_entrpy"), UnknownName, "did you mean 'cross_entropy'"),
        (lambda: xentfuzz.case("softmax"), UsageError, "softmax needs logits"),
        (lambda: xentfuzz.case("softmax", logits=np.zeros(3, "int32")), UsageError, "logits is int32, wanted one of float16"),
        (lambda: xentfuzz.case("softmax", logits=np.zeros(3), smoothing=0.1), UnknownName, "argument of softmax 'smoothing'"),
        (lambda: xentfuzz.case("{not json"), RecordError, "not a recipe"),
        (lambda: xentfuzz.case("{}", logits=np.zeros(3)), UsageError, "leave out logits"),
        (lambda: assert_correct(TWO, TWO_LOSSES, grade="exact"), UsageError, "grade 'exact'"),
    ],
)
def test_errors_say_what_was_given_and_what_is_wanted(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("result", [0.7, "loss", None, np.int64(1)])
def test_what_is_no_floating_array_is_a_finding(result):
    with pytest.raises(xentfuzz.Failure, match=r"value is .* wanted an array of float16"):
        assert_correct(TWO, result)


def test_a_result_of_another_shape_is_a_finding():
    with pytest.raises(xentfuzz.Failure, match=r"value has shape \(2, 1\), wanted \(2,\)"):
        assert_correct(TWO, TWO_LOSSES[:, None])

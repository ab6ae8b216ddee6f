"""What must raise, raises: the error says which argument, what was given and what is wanted. torch's own words are not compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

X = np.arange(12, dtype=np.float32).reshape(3, 4)
Y = np.array([0, 3, 1])
T = np.full((3, 4), 0.25, np.float32)
ONE = np.float32(1)


@dataclass(frozen=True)
class Wrong:
    """A call that must raise `error` with `words` in its message. torch: whether torch refuses it too."""

    operation: str
    given: dict[str, Any]
    error: type[Exception]
    words: tuple[str, ...]
    torch: bool = True
    function: str = "forward"

    def __str__(self):
        return f"{self.operation}-{'-'.join(self.words)}".replace(" ", "_")


def losses(error, *words, torch=True, **given):
    """The same mistake in both losses."""
    yield Wrong("cross_entropy", {"logits": X, "target": Y, **given}, error, words, torch)
    yield Wrong("nll_loss", {"log_probs": X, "target": Y, **given}, error, words, torch)


def cross_entropy(error, *words, torch=True, function="forward", **given):
    return Wrong("cross_entropy", {"logits": X, "target": Y, **given}, error, words, torch, function)


def first(values, target, error, *words, torch=True):
    """A wrong first argument in both losses."""
    yield Wrong("cross_entropy", {"logits": values, "target": target}, error, ("logits", *words), torch)
    yield Wrong("nll_loss", {"log_probs": values, "target": target}, error, ("log_probs", *words), torch)


SOFTMAXES = [
    Wrong(operation, given, error, words, torch, function)
    for operation in ("softmax", "log_softmax")
    for given, error, words, torch, function in (
        ({"logits": X, "axis": 2}, IndexError, ("axis", "2 given", "from -2 to 1"), True, "forward"),
        ({"logits": X, "axis": -3}, IndexError, ("axis", "-3 given", "from -2 to 1"), True, "forward"),
        ({"logits": X, "axis": 0.5}, TypeError, ("axis", "0.5 given", "an int"), True, "forward"),
        ({"logits": X.astype(np.int64), "axis": 1}, TypeError, ("logits", "int64 given", "float32"), True, "forward"),
        ({"logits": np.float32(1), "axis": 0}, IndexError, ("axis", "0 given", "at least one axis"), False, "forward"),
        ({"logits": X, "axis": 1, "grad_output": X[:2]}, ValueError, ("grad_output", "(2, 4) given", "wanted (3, 4)"), True, "backward"),
        (
            {"logits": X, "axis": 1, "grad_output": X.astype(np.float64)},
            TypeError,
            ("grad_output", "float64 given", "wanted float32"),
            False,
            "backward",
        ),
    )
]

WRONG = [
    *SOFTMAXES,
    *first(np.float32(1), np.int64(0), ValueError, "0-d array given", "(N, C, d1, ...)"),
    *first(X.astype(np.int64), Y, TypeError, "int64 given", "float32"),
    *first(X > 1, Y, TypeError, "bool given", "float32"),
    *first(X.astype(np.complex64), Y, TypeError, "complex64 given", "float32"),
    *first(np.zeros((3, 0), np.float32), Y, ValueError, "(3, 0) given", "no class"),
    *losses(ValueError, "target", "(2,) given", "wanted (3,)", target=Y[:2]),
    *losses(ValueError, "target", "(3, 1) given", "wanted (3,)", target=Y[:, np.newaxis]),
    *losses(ValueError, "target", "(3, 4) given", "class indices", target=Y[:, np.newaxis].repeat(4, 1)),
    *losses(ValueError, "target", "(3, 5) given", "wanted (3,)", target=np.zeros((3, 5), np.float32)),
    *losses(TypeError, "target", "float32 given", "an integer dtype", target=Y.astype(np.float32)),
    *losses(TypeError, "target", "complex64 given", "an integer dtype", target=Y.astype(np.complex64)),
    *losses(IndexError, "target", "index 4 given at position (1,)", "0 to 3", "ignore_index=-100", target=np.array([0, 4, 1])),
    *losses(IndexError, "target", "index -1 given at position (2,)", "0 to 3", target=np.array([0, 3, -1])),
    *losses(IndexError, "target", "index -100 given", "ignore_index=-1", target=np.array([0, 3, -100]), ignore_index=-1),
    *losses(IndexError, "target", f"index {2**64 - 100} given", target=np.array([0, 3, 2**64 - 100], np.uint64)),
    *losses(ValueError, "weight", "(3,) given", "4 classes", "wanted (4,)", weight=X[0, :3]),
    *losses(ValueError, "weight", "(1, 4) given", "wanted (4,)", weight=X[:1]),
    *losses(TypeError, "weight", "float64 given", "wanted float32", weight=X[0].astype(np.float64)),
    *losses(ValueError, "reduction", "'avg' given", "'none', 'mean', 'sum'", reduction="avg"),
    *losses(ValueError, "reduction", "None given", reduction=None),
    *losses(TypeError, "ignore_index", "None given", "an int", ignore_index=None),
    *losses(TypeError, "ignore_index", "1.5 given", "an int", ignore_index=1.5),
    *losses(ValueError, "ignore_index", f"{2**63} given", "64 bits", ignore_index=2**63),
    Wrong("nll_loss", {"log_probs": X, "target": T}, ValueError, ("target", "(3, 4) given", "wanted (3,)")),
    Wrong("nll_loss", {"log_probs": X[0], "target": Y[:1]}, ValueError, ("target", "(1,) given", "wanted ()"), torch=False),
    cross_entropy(ValueError, "target", "(1,) given", "wanted ()", torch=False, logits=X[0], target=Y[:1]),
    cross_entropy(TypeError, "target", "float64 given", "wanted float32", torch=False, target=T.astype(np.float64)),
    cross_entropy(ValueError, "ignore_index", "0 given with class probabilities", target=T, ignore_index=0),
    cross_entropy(ValueError, "label_smoothing", "1.5 given", "from 0 to 1", label_smoothing=1.5),
    cross_entropy(ValueError, "label_smoothing", "-0.1 given", "from 0 to 1", torch=False, label_smoothing=-0.1),
    cross_entropy(ValueError, "label_smoothing", "nan given", "from 0 to 1", torch=False, label_smoothing=float("nan")),
    cross_entropy(TypeError, "label_smoothing", "'much' given", "from 0 to 1", label_smoothing="much"),
    cross_entropy(TypeError, "label_smoothing", "'0.1' given", "a number", label_smoothing="0.1"),
    cross_entropy(ValueError, "grad_output", "(3,) given", "wanted ()", function="backward", grad_output=X[:3, 0]),
    cross_entropy(TypeError, "grad_output", "float64 given", "float32", torch=False, function="backward", grad_output=np.float64(1)),
    Wrong("nll_loss", {"log_probs": X, "target": Y, "grad_output": X[0]}, ValueError, ("grad_output", "(4,) given"), function="backward"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_mistake_is_named(kernels, wrong):
    raised = kernels.outcome(kernels.case(wrong.operation, **wrong.given), wrong.function).raised
    assert raised
    assert wrong.error.__name__ in raised.types
    assert raised.message.startswith(f"{wrong.words[0]}: ")
    for words in wrong.words:
        assert words in raised.message


@pytest.mark.parametrize("wrong", [wrong for wrong in WRONG if wrong.torch], ids=str)
def test_torch_refuses_it_too(torch_eager, wrong):
    assert torch_eager.outcome(torch_eager.case(wrong.operation, **wrong.given), wrong.function).results is None


INTEGERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64", "bool")


@pytest.mark.parametrize("integer", INTEGERS)
@pytest.mark.parametrize("ignore_index", [-100, -1, 1, 255])
def test_narrow_targets_answer_like_int64(kernels, integer, ignore_index):
    narrow = np.array([0, 1, 1]).astype(integer)
    for operation, name in (("cross_entropy", "logits"), ("nll_loss", "log_probs")):
        given = {name: X, "ignore_index": ignore_index, "reduction": "none"}
        assert np.array_equal(
            kernels.value(operation, target=narrow, **given), kernels.value(operation, target=narrow.astype(np.int64), **given)
        )


def test_class_156_of_a_uint8_target_is_not_ignored(kernels):
    logits = np.zeros((1, 200), np.float32)
    assert kernels.value("cross_entropy", logits=logits, target=np.array([156], np.uint8)) > 5

"""What a person sees first of many findings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

import xentfuzz
from xentfuzz.failures.failure import failure
from xentfuzz.gallery.cross_entropy import CrossEntropy
from xentfuzz.operations import get_operation
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.examine import trial_of
from xentfuzz.runner.findings import findings
from xentfuzz.runner.interruption import Interruption
from xentfuzz.runner.order import varied
from xentfuzz.runner.pool import Pool
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.smallest import Effort


def test_a_kind_that_is_found_many_times_does_not_hide_the_others() -> None:
    kinds = ("raised", "raised", "raised", "gradient", "gradient", "accepted_invalid")
    found = [failure(kind, str(number)) for number, kind in enumerate(kinds)]
    assert [(one.kind, one.message) for one in varied(found)] == [
        ("raised", "0"),
        ("gradient", "3"),
        ("accepted_invalid", "5"),
        ("raised", "1"),
        ("gradient", "4"),
        ("raised", "2"),
    ]


RAISES = '''
import numpy as np


def cross_entropy(logits, target, *, ignore_index=-100, reduction="mean"):
    """Raises for more than two rows, and under mean, which another check looks at, only where the second half is the first."""
    half = len(logits) // 2
    if len(logits) > 2 if reduction == "none" else reduction == "mean" and half and np.array_equal(logits[:half], logits[half:]):
        raise RuntimeError(f"logits of shape {logits.shape} do not fit")
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    kept = target != ignore_index
    losses = np.where(kept, np.log(np.exp(wide).sum(axis=1)) - wide[np.arange(len(wide)), np.where(kept, target, 0)], 0)
    result = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / kept.sum()}[reduction]
    return np.asarray(result).astype(logits.dtype)
'''


def test_one_exception_is_one_finding_whichever_checks_meet_it(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(RAISES)
    supports = {"targets": ("index",), "ranks": (2,), "layouts": ("contiguous",)}
    kernel = xentfuzz.Implementation("k", f"{tmp_path / 'kernel.py'}:cross_entropy", dtypes=("float32",), supports=supports)
    checks = ["value", "duplicated_batch_keeps_mean"]
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=checks)
    (failure,) = report.failures
    assert failure.headline.startswith("forward raised RuntimeError")
    assert "the same exception in other cases of duplicated_batch_keeps_mean" in failure.message


COLUMN = """
import torch


def cross_entropy(logits: torch.Tensor, target: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    losses = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    return losses[:, None] if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
"""


def test_a_value_of_the_wrong_shape_is_one_finding_though_nothing_differentiates_it(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(COLUMN)
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": ()}, "weight": False}
    place = f"{tmp_path / 'kernel.py'}:cross_entropy"
    kernel = xentfuzz.Implementation("k", place, array="torch", dtypes=("float32",), supports=supports)
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=["value", "gradient", "shape"])
    (failure,) = report.failures
    assert failure.kind == "shape"
    assert "gradient (shape)" in failure.message


def test_what_was_wrong_before_has_no_say_in_what_a_finding_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(RAISES)
    implementation = xentfuzz.Implementation("k", f"{tmp_path / 'kernel.py'}:cross_entropy", dtypes=("float32",))
    with Pool(isolate=False) as pool:
        subject = pool.open(implementation)
        contestant = Contestant(get_operation("cross_entropy"), subject, subject, {}, (), wrong_alone=Counter(forward=3))
        assert findings(contestant, Effort(get_profile("quick"), Deadline.after(None), Interruption()), print) == []
        case = expand(Recipe("cross_entropy", "float32", (1, 2), {"logits": ArrayRecipe(), "target": ArrayRecipe("first_class")}))
        assert trial_of(contestant, case).wrong_alone is None


class SmoothingInFloat32(CrossEntropy):
    """In the gradient alone, so that it is wrong by far in float64."""

    def smooth_coefficients(self, problem):
        return super().smooth_coefficients(problem).astype("float32").astype(problem.logits.dtype)

    def smooth_losses(self, problem, surprisals):
        return CrossEntropy().smooth_losses(problem, surprisals)


def test_what_is_wrong_for_finite_logits_is_shown_for_those() -> None:
    kernel = SmoothingInFloat32()
    implementation = xentfuzz.Implementation("rounded smoothing", kernel.forward, backward=kernel.backward, dtypes=("float64",))
    report = xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, checks=["gradient", "special_gradient"])
    (found,) = report.failures
    assert (found.check, found.needs) == ("gradient", ("label_smoothing > 0",))
    assert any(seen.startswith("special_gradient") for seen in found.also)


def kept_in_16_bits(logits, target, *, ignore_index=-100, reduction="mean"):
    """Every intermediate in the dtype of the logits, as array libraries do it."""
    kept = target != ignore_index
    with np.errstate(all="ignore"):
        shifted = logits - logits.max(axis=1, keepdims=True)
        surprisals = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(logits)), np.where(kept, target, 0)]
        losses = np.where(kept, surprisals, logits.dtype.type(0))
        result = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / logits.dtype.type(kept.sum())}[reduction]
    return np.asarray(result).astype(logits.dtype)


def test_errors_of_16_bit_intermediates_are_one_finding_that_is_called_that() -> None:
    supports = {"targets": ("index",), "ranks": (2,)}
    kernel = xentfuzz.Implementation("k", kept_in_16_bits, dtypes=("float16",), supports=supports)
    checks = ["value", "special_value", "reductions_agree"]
    (found,) = xentfuzz.check(kernel, profile="quick", seed=0, isolate=False, max_examples=20, checks=checks).failures
    assert found.headline == "16-bit results carry errors of 16-bit intermediates: within staged/any, not within lse/any"
    assert "\nat worst " in found.message

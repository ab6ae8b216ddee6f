"""A gradient that is given and refuses every call is no gradient that passed."""

from __future__ import annotations

from typing import Any

import numpy as np

import xentfuzz


def loss(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
    if target.shape != logits.shape[:1] or (target < 0).any() or (target >= logits.shape[1]).any():
        raise ValueError("labels")
    wide = logits.astype(np.float64)
    largest = wide.max(axis=1, keepdims=True)
    rows = np.log(np.exp(wide - largest).sum(axis=1)) + largest[:, 0] - wide[np.arange(len(wide)), target]
    return np.asarray({"none": rows, "sum": rows.sum(), "mean": rows.mean()}[reduction]).astype(logits.dtype)


def no_gradient(grad_output: Any, logits: Any, target: Any, *, reduction: str = "mean") -> Any:
    raise NotImplementedError("no gradient yet")


def checked(*, dtypes: tuple[str, ...] | None = None, **more: Any) -> xentfuzz.CheckReport:
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": ()}, **more}
    implementation = xentfuzz.Implementation("mine", loss, backward=no_gradient, supports=supports, dtypes=dtypes)
    return xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, max_examples=3, checks=("value", "gradient"))


def test_it_is_a_problem_that_says_what_to_declare() -> None:
    report = checked()
    assert not report.ok
    (problem,) = report.problems
    assert "no gradient yet" in problem
    assert 'supports={"gradients": ()}' in problem


def test_where_all_is_declared_and_nothing_probed_it_is_one_too() -> None:
    assert any("no gradient was compared" in problem for problem in checked(dtypes=("float32",)).problems)


def test_what_is_declared_to_have_none_passes_without() -> None:
    report = checked(gradients=())
    assert report.ok
    assert "gradient" in report.to_dict()["extent"]["not_taken"]

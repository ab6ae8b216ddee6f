"""What is refused at one place only, at a second call or backward alone is a finding that says so; what is refused everywhere is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xentfuzz


def loss(logits: Any, target: Any) -> Any:
    """The mean over matrices and volumes, of class indices alone."""
    if target.dtype.kind not in "iu" or target.shape != logits.shape[:1] + logits.shape[2:] or logits.ndim not in {2, 3}:
        raise TypeError("matrices or volumes, and class indices, are what is supported")
    classes = np.moveaxis(logits, 1, -1).reshape(-1, logits.shape[1]).astype(np.longdouble)
    labels = target.reshape(-1)
    kept = labels != -100
    if ((labels[kept] < 0) | (labels[kept] >= classes.shape[1])).any():
        raise ValueError("labels")
    with np.errstate(all="ignore"):
        shifted = classes - classes.max(axis=1, keepdims=True)
        rows = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), np.where(kept, labels, 0).astype(np.int64)]
        return np.asarray(rows[kept].sum() / kept.sum()).astype(logits.dtype)


def gradient(grad_output: Any, logits: Any, target: Any) -> Any:
    del grad_output, logits, target
    raise ValueError("no backward is supported")


def refusing(where: Callable[[Any], bool], words: str) -> Callable[[Any, Any], Any]:
    def kernel(logits: Any, target: Any) -> Any:
        if where(logits):
            raise ValueError(words)
        return loss(logits, target)

    return kernel


def from_the_second_call_on() -> Callable[[Any, Any], Any]:
    calls: list[None] = []

    def where(_: Any) -> bool:
        calls.append(None)
        return len(calls) > 1

    return refusing(where, "one call only is supported")


def every_second_call() -> Callable[[Any, Any], Any]:
    calls: list[None] = []

    def where(_: Any) -> bool:
        calls.append(None)
        return len(calls) % 2 == 0

    return refusing(where, "every second call is not supported")


def report_of(kernel: Any, **declared: Any) -> Any:
    implementation = xentfuzz.Implementation("picky", kernel, **declared)
    return xentfuzz.check(implementation, profile="quick", max_examples=12, seed=0, isolate=False, checks=("value", "gradient"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_dtype_that_is_refused_at_one_rank_is_a_finding(dtype: str) -> None:
    report = report_of(refusing(lambda logits: logits.ndim == 3 and logits.dtype == dtype, "no volumes of it are supported"))
    (failure,) = report.unexpected
    assert (failure.kind, failure.dtype, failure.dtypes) == ("raised", dtype, (dtype,))
    assert "no volumes of it are supported" in failure.headline
    assert len(failure.recipe["shape"]) == 3


@pytest.mark.parametrize("kernel", [from_the_second_call_on, every_second_call])
def test_what_is_refused_from_call_to_call_is_a_finding(kernel: Callable[[], Any]) -> None:
    report = report_of(kernel())
    assert [failure.kind for failure in report.unexpected] == ["raised"]
    assert "supported" in report.unexpected[0].headline


def test_a_backward_that_always_refuses_is_a_finding_and_forward_is_none() -> None:
    report = report_of(loss, backward=gradient)
    (failure,) = report.unexpected
    assert (failure.kind, failure.check, failure.details["function"]) == ("raised", "gradient", "backward")
    assert "no backward is supported" in failure.headline


@pytest.mark.parametrize(
    "where",
    [lambda logits: logits.dtype == np.float16, lambda logits: logits.ndim == 3, lambda logits: logits.dtype.itemsize == 2],
    ids=["float16", "volumes", "16 bits"],
)
def test_a_feature_that_is_refused_everywhere_is_none(where: Callable[[Any], bool]) -> None:
    report = report_of(refusing(where, "this is not supported"))
    assert report.ok, [failure.message for failure in report.failures] + report.problems
    assert any("this is not supported" in line for line in report.card.rejections)

"""The bounds, array by array, are those of their derivation, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import case_of, only_block
from plain_bounds import Row, Setting, error_of_mean, error_of_weight, relative_error_of_denominator

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import FORMS, SUMMATIONS

GRADES = [(form, order) for form in FORMS for order in SUMMATIONS]
ROWS, CLASSES = 5, 40


def setting(dtype: str, form: str, order: str) -> Setting:
    storage, arithmetic = FORMATS[dtype], FORMATS[FORMATS[dtype].arithmetic]
    return Setting(arithmetic.unit_roundoff, storage.unit_roundoff, storage.unit_roundoff, form, order)


def problem(dtype: str, kind: str) -> tuple[Any, list[list[float]], list[list[float]], list[float]]:
    """A case under mean, q and Q of every row, and the weights that the mean counts."""
    random = np.random.default_rng(1)
    a = {"plain": 0.0, "weighted": 0.0, "smoothed": 0.25, "probabilities": 0.5}[kind]
    options: dict[str, Any] = {"label_smoothing": a}
    weighted = kind in {"weighted", "smoothed"}
    labels = random.integers(0, CLASSES, ROWS)
    target = random.normal(0, 1, (ROWS, CLASSES)) if kind == "probabilities" else labels
    if weighted:
        options["weight"] = np.ldexp(1.0, random.integers(-3, 4, CLASSES)) * np.where(random.random(CLASSES) < 0.2, -0.5, 1.0)
    case = case_of("cross_entropy", random.normal(0, 4, (ROWS, CLASSES)), target, dtype=dtype, **options)
    w = np.asarray(options.get("weight", np.ones(CLASSES)), float)
    t = case.values["target"].astype(float) if kind == "probabilities" else np.eye(CLASSES)[labels]
    even = a / CLASSES
    q, magnitude = w * ((1 - a) * t + even), np.abs(w) * ((1 - a) * np.abs(t) + even)
    if kind in {"weighted", "smoothed"}:
        q = (1 - a) * t * w[labels][:, None] + even * w
    return case, q.tolist(), magnitude.tolist(), w[labels].tolist() if weighted else [1.0] * ROWS


@pytest.mark.parametrize("kind", ["plain", "weighted", "smoothed", "probabilities"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize(("form", "order"), GRADES)
def test_row_mean_and_gradient(form: str, order: str, dtype: str, kind: str) -> None:
    case, q, magnitude, weights = problem(dtype, kind)
    by = setting(dtype, form, order)
    rows = [Row(by, *row) for row in zip(case.values["logits"].astype(float).tolist(), q, magnitude, strict=True)]
    relative = relative_error_of_denominator(by, weights, weighted=kind in {"weighted", "smoothed"})
    W = sum(weights)
    evaluation = get_operation("cross_entropy").evaluate(case)
    none = get_operation("cross_entropy").evaluate(case_with(case, reduction="none"))
    grade = f"{form}/{order}"
    assert only_block(none, "value", grade=grade).allowed == pytest.approx([row.error() + by.u * abs(row.loss) for row in rows], rel=1e-6)
    assert only_block(evaluation, "value", grade=grade).allowed[0] == pytest.approx(error_of_mean(by, rows, W, relative), rel=1e-6)
    gradients = [[row.error_of_gradient(c, 1 / abs(W), relative + 2 * by.ua) for c in range(CLASSES)] for row in rows]
    assert only_block(evaluation, "grad_logits", grade=grade).allowed == pytest.approx(np.array(gradients), rel=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize(("form", "order"), GRADES)
def test_gradients_of_probabilities_and_weight(form: str, order: str, dtype: str) -> None:
    random = np.random.default_rng(2)
    w, t = np.ldexp(1.0, random.integers(-3, 4, CLASSES)), np.ldexp(1.0, random.integers(-5, 1, (ROWS, CLASSES)))
    case = case_of("cross_entropy", random.normal(0, 4, (ROWS, CLASSES)), t, dtype=dtype, weight=w)
    by = setting(dtype, form, order)
    rows = [Row(by, x, q, q) for x, q in zip(case.values["logits"].astype(float).tolist(), (t * w).tolist(), strict=True)]
    evaluation, relative, r = get_operation("cross_entropy").evaluate(case), (4 + by.k.Q) * by.ua, 1 / ROWS
    weight = [error_of_weight(by, rows, t.tolist(), c, r, relative) for c in range(CLASSES)]
    assert only_block(evaluation, "grad_weight", grade=f"{form}/{order}").allowed[0] == pytest.approx(weight, rel=1e-6)
    target = [
        [r * w[c] * (row.error_of_log_probability(c) + (3 * by.ua + relative + by.u) * row.l[c]) for c in range(CLASSES)] for row in rows
    ]
    assert only_block(evaluation, "grad_target", grade=f"{form}/{order}").allowed == pytest.approx(np.array(target), rel=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize(("form", "order"), GRADES)
def test_softmaxes(form: str, order: str, dtype: str) -> None:
    by = setting(dtype, form, order)
    x = np.random.default_rng(3).normal(0, 4, (ROWS, CLASSES))
    softmax, log_softmax = (get_operation(name).evaluate(case_of(name, x, dtype=dtype, axis=1)) for name in ("softmax", "log_softmax"))
    rows = [Row(by, row, row, row) for row in softmax.case.values["logits"].astype(float).tolist()]
    stored = 5 * by.us if by.staged else 0.0
    p = [[row.p[c] * (row.relative_error_of_p(c) + stored + by.u) for c in range(CLASSES)] for row in rows]
    assert only_block(softmax, "value", grade=f"{form}/{order}").allowed == pytest.approx(np.array(p), rel=1e-6)
    own = (3 if by.lse else 2) * by.ua + stored + by.u
    logs = [[row.error_of_lse() + own * row.l[c] for c in range(CLASSES)] for row in rows]
    assert only_block(log_softmax, "value", grade=f"{form}/{order}").allowed == pytest.approx(np.array(logs), rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_nll_loss_rounds_the_product_only(weighted: bool) -> None:
    by = setting("float32", "shift", "any")
    x, weight = [[-1.5, -0.25], [-3.0, -0.0625]], [0.5, 2.0]
    options: dict[str, Any] = {"weight": weight} if weighted else {}
    size = np.array([0.75, 0.125]) if weighted else np.array([1.5, 0.0625])
    product = by.ua if weighted else 0.0
    none, total = (get_operation("nll_loss").evaluate(case_of("nll_loss", x, [0, 1], reduction=one, **options)) for one in ("none", "sum"))
    assert only_block(none, "value").allowed == pytest.approx((product + by.u) * size, rel=1e-6)
    # Two terms: one addition, and one rounding more for a factor that is taken into the sum.
    assert only_block(total, "value").allowed[0] == pytest.approx((product + 2 * by.ua + by.u) * size.sum(), rel=1e-6)


def case_with(case: Any, **options: Any) -> Any:
    return type(case)(case.operation, case.dtype, case.arrays, {**case.options, **options})

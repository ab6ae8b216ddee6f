"""How near correct implementations come to the bounds: the worst error / allowed error over random cases, by form, dtype and regime."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from honest import HONEST, Form
from measured import block_ratio, call
from random_cases import random_case

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Block
from xentfuzz.operations.grades import Grade, parse_grade

STRICT, DEFAULT = parse_grade("shift/any"), parse_grade("lse/any")


@dataclass
class Worst:
    """by_form, by_regime: (name, output) -> the largest ratio. alarms: one line for each result outside its bound."""

    cases: int = 0
    by_form: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    by_regime: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    alarms: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        tables = (("form", self.by_form), ("regime", self.by_regime))
        return [f"{kind} {name:32} {output:16} {ratio:.3f}" for kind, table in tables for (name, output), ratio in sorted(table.items())]


def grade_of(form: Form) -> Grade:
    """The strictest form that admits it: scaled maxima round before they are subtracted."""
    return STRICT if form.algebra == "shift" and not form.base2 else DEFAULT


def blocks_of(case: Case, dtype: str) -> dict[tuple[str, Grade], list[Block]]:
    """The expectations of value and gradient of the first argument, at both grades. None may be NaN or negative."""
    evaluation = get_operation(case.operation).evaluate(case)
    value, gradient, *_ = evaluation.outputs()
    found = {(output, grade): list(evaluation.blocks(output, grade, dtype)) for output in (value, gradient) for grade in (STRICT, DEFAULT)}
    assert all((block.allowed >= 0).all() for blocks in found.values() for block in blocks)
    return found


def hold(worst: Worst, case: Case, regime: str, forms: Iterable[Form], where: Any) -> None:
    """Run every form on a case and note how near it comes to its bound."""
    worst.cases += 1
    blocks = blocks_of(case, case.dtype)
    outputs = dict.fromkeys(output for output, _ in blocks)
    for form in forms:
        for output, function in zip(outputs, form.pair(case.operation), strict=True):
            got = call(function, case, backward=output != "value")
            ratio = max((block_ratio(got, block) for block in blocks[output, grade_of(form)]), default=0.0)
            for table, name in ((worst.by_form, form.name), (worst.by_regime, regime)):
                table[name, output] = max(table[name, output], ratio)
            if ratio > 1:
                worst.alarms.append(f"{form.name}: {output} of {where} ({regime}) is {ratio:.3f} of its bound")


def search(operation: str, dtype: str, seeds: Iterable[int], largest: int) -> Worst:
    """Over random cases with these seeds."""
    worst = Worst()
    for seed in seeds:
        case, regime = random_case(seed, operation, dtype, largest=largest)
        hold(worst, case, regime, HONEST.values(), f"random_case({seed}, {operation!r}, {dtype!r}, largest={largest})")
    return worst


def long_rows(dtype: str, regime: str, classes: int, seed: int) -> Worst:
    """cross_entropy of two rows of a real vocabulary size, where sequential sums lose the most."""
    from random_cases import case_of

    worst = Worst()
    random = np.random.default_rng(seed)
    forms = [form for form in HONEST.values() if "elements" not in form.name and "8 lanes" not in form.name]
    hold(worst, case_of(random, "cross_entropy", dtype, (2, classes), regime), regime, forms, (seed, classes))
    return worst

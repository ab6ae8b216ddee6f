"""What a run found out about one implementation of one operation: plain data, as reports and the Python interface hand it out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any

from xentfuzz.failures.failure import Failure
from xentfuzz.failures.input_words import input_words
from xentfuzz.failures.shown_case import shown_case
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.harness_errors import HarnessError

# Reports know the results and not the other way round: this one is found when somebody asks for it.
_HTML = "xentfuzz.reports.html.single"

# Why a check says nothing about a case that the implementation takes; behind the check's name.
NOTHING_TO_COMPARE = "nothing to compare"


def json_number(value: float) -> float | str:
    """A number that JSON can hold: non-finite ones become "nan", "inf" or "-inf"."""
    return float(value) if math.isfinite(value) else str(float(value))


@dataclass
class CheckResult:
    """One check on one dtype. cases: compared; unsupported: drawn, but outside what the implementation takes, or with nothing to compare.

    status: "passed"; "failed"; "error": it did not fail, but xentfuzz itself failed on some of its cases; "expected": every finding in it
    is an expected one; "unsupported": nothing that the implementation takes could be compared; "not_run": nothing was tried.
    worst_ratio: the largest error / allowed error; worst_ulp: the same error in units in the last place; recipe: of that
    case.
    reason: why it is unsupported, not_run or in error. errors: cases on which xentfuzz itself failed.
    """

    check: str
    dtype: str
    status: str = "not_run"
    cases: int = 0
    unsupported: int = 0
    worst_ratio: float = 0.0
    worst_ulp: float = 0.0
    recipe: dict[str, Any] | None = None
    reason: str = ""
    errors: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "dtype": self.dtype,
            "status": self.status,
            "cases": self.cases,
            "unsupported": self.unsupported,
            "worst_ratio": json_number(self.worst_ratio),
            "worst_ulp": json_number(self.worst_ulp),
            "recipe": self.recipe,
            "reason": self.reason,
            "errors": self.errors,
        }


@dataclass
class CheckReport:
    """Everything about one (implementation, operation).

    failures: unexpected and expected ones; `expected` maps a failure's index to its reason. policies: policy -> outcome -> times seen.
    unsupported: reason -> cases that were drawn and not compared: once for all checks where the implementation does not take the case, once
    for each check that had a reason of its own, "CHECK: nothing to compare" among them.
    notes: what a person should know and what changes no verdict.
    stricter_grade: a stricter grade that every compared case met, or None.
    measured: what was compared, by what the cases had, and how large the errors were (see `measured.py`).
    beside_plain: how errors lie beside those of a plain evaluation, a row for each dtype, output and regime (see `beside_plain.py`).
    problems: findings about the run itself (nothing compared, a required feature unsupported, an expectation that matched nothing).
    extent: how much of the contract was compared (see `xentfuzz.runner.extent`).
    errors: of xentfuzz itself; what they cost was not judged.
    target: the place in code by which it was given ("file.py:attribute"), "" for a registered name and in Python.
    cases: tried by corpora and searches, whatever came of them.
    explained_by: findings of earlier runs (`Settings.known`) whose cause a check failed by, which has no finding here then.
    sizes: "met": how many cells of class counts and rows were compared, of "cells" that it takes (see `xentfuzz.recipes.cells`).
    """

    implementation: str
    operation: str
    grade: str
    card: Capabilities
    seed: int
    checks: list[CheckResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    expected: dict[int, str] = field(default_factory=dict)
    unsupported: dict[str, int] = field(default_factory=dict)
    policies: dict[str, dict[str, int]] = field(default_factory=dict)
    stricter_grade: str | None = None
    measured: dict[str, Any] = field(default_factory=dict)
    beside_plain: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cases: int = 0
    seconds: float = 0.0
    cut_short: str = ""
    target: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    extent: dict[str, Any] = field(default_factory=dict)
    explained_by: list[Failure] = field(default_factory=list)
    errors: list[HarnessError] = field(default_factory=list)

    @property
    def unexpected(self) -> list[Failure]:
        return [failure for index, failure in enumerate(self.failures) if index not in self.expected]

    @property
    def ok(self) -> bool:
        """Nothing was found, and nothing kept xentfuzz from looking."""
        return not self.unexpected and not self.problems and not self.errors and not self.explained_by

    def to_html(self) -> str:
        """A self-contained HTML page. Raises UsageError without the extra `report`."""
        page: str = import_module(_HTML).report_page(self)
        return page

    def _repr_html_(self) -> str:
        frame: str = import_module(_HTML).report_frame(self)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """The entry for this implementation in a results file (see reports/README.md)."""
        return {
            "implementation": self.implementation,
            "target": self.target,
            "operation": self.operation,
            "ok": self.ok,
            "grade": self.grade,
            "stricter_grade": self.stricter_grade,
            "measured": self.measured,
            "beside_plain": self.beside_plain,
            "seed": self.seed,
            "cases": self.cases,
            "seconds": round(self.seconds, 3),
            "cut_short": self.cut_short,
            "checks": [check.to_dict() for check in self.checks],
            "failures": [_failure_dict(failure, self.expected.get(index)) for index, failure in enumerate(self.failures)],
            "policies": self.policies,
            "problems": self.problems,
            "errors": [error.to_dict() for error in self.errors],
            "notes": self.notes,
            "unsupported": self.unsupported,
            "sizes": self.sizes,
            "extent": self.extent,
            "card": asdict(self.card),
        }


def _failure_dict(failure: Failure, expected: str | None) -> dict[str, Any]:
    return {
        "check": failure.check,
        "kind": failure.kind,
        "operation": failure.operation,
        "dtype": failure.dtype,
        "message": failure.message,
        "recipe": failure.recipe,
        "expected": expected,
        "input": input_words(failure.recipe, failure.case),
        "script": failure.script(),
        "record": failure.record,
        "alone": failure.alone,
        "shown": shown_case(failure),
    }

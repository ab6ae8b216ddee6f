"""Synthetic runs: the events of a check or a run, with what reports have to show."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from xentfuzz.failures.failure import Failure, failure
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.reports.recorder import Recorder
from xentfuzz.runner.events import AgreementMeasured, Progress, RunFinished, RunStarted, SubjectFinished, SubjectStarted, SubjectUnavailable
from xentfuzz.runner.results import CheckReport, CheckResult
from xentfuzz.subjects.capabilities import Capabilities

CARD = Capabilities(
    operation="cross_entropy",
    dtypes=("float32", "float64"),
    targets=("index",),
    target_dtypes=("int64", "int32"),
    ranks=(2, 3),
    weight=False,
    options={"reduction": ("mean", "sum"), "ignore_index": None},
    gradients=("grad_logits",),
    assumed=True,
    rejections=("4-d logits: AssertionError: expected (N, C) or (N, C, d)",),
)
RECIPE = Recipe("cross_entropy", "float32", (1, 2), {"logits": ArrayRecipe("ordinary"), "target": ArrayRecipe("index")})


def found(kind: str = "gradient", check: str = "gradient", dtype: str = "float32", record: str = "") -> Failure:
    made = failure(
        kind,
        "backward: gradient of logits[0, 1] is 0.25, exact: 0.125, allowed error 3.1e-08 (4.03e+06 times the allowed error)\n"
        "1 of 2 elements are outside what is allowed\nneeds an ignored row",
    )
    made.check, made.operation, made.dtype, made.implementation = check, "cross_entropy", dtype, "mine"
    made.recipe = RECIPE.to_dict()
    made.case = {"logits": np.array([[0.5, -1.5]], np.float32), "target": np.array([1]), "reduction": "mean"}
    made.record = record
    return made


def passing(name: str = "mine", operation: str = "cross_entropy", **changes) -> CheckReport:
    checks = [
        CheckResult("value", "float32", "passed", 250, 12, 0.93, 1.5, RECIPE.to_dict()),
        CheckResult("value", "float64", "passed", 250, 12, 0.41, 0.8, RECIPE.to_dict()),
        CheckResult("shape", "float32", "passed", 250, 12),
        CheckResult("shape", "float64", "passed", 250, 12),
        CheckResult("value_and_grad", "float32", "unsupported", reason="has no value_and_grad"),
        CheckResult("value_and_grad", "float64", "unsupported", reason="has no value_and_grad"),
    ]
    policies = {"mean over no rows": {"NaN": 12}}
    report = CheckReport(name, operation, "lse/any", CARD, 7, checks, policies=policies, cases=300, seconds=1.25)
    report.unsupported = {"takes index targets only": 20, "rank 1": 4}
    for field, value in changes.items():
        setattr(report, field, value)
    return report


def failing(name: str = "mine", operation: str = "cross_entropy") -> CheckReport:
    report = passing(name, operation)
    report.checks.insert(0, CheckResult("gradient", "float32", "failed", 250, 12))
    report.failures = [found(record=".xentfuzz/mine/gradient-float32-0123456789ab.json")]
    return report


def expecting(name: str = "mine", operation: str = "cross_entropy") -> CheckReport:
    report = passing(name, operation)
    report.checks[0].status = "expected"
    report.failures = [found("special", "value")]
    report.expected = {0: "a known fault of the library below"}
    return report


def check_events(*reports: CheckReport, kind: str = "check", interrupted: bool = False):
    yield RunStarted(kind, 7, "default", len(reports))
    for report in reports:
        yield SubjectStarted(report.implementation, report.operation, report.card)
        yield Progress(report.implementation, report.operation, "value", "float32", "corpus", 250, 250)
        yield SubjectFinished(report)
    yield RunFinished(1.5, interrupted)


def run_events():
    reports = [failing("alpha"), expecting("beta"), passing("alpha", "softmax"), passing("beta", "softmax")]
    *started, finished = check_events(*reports, kind="run")
    yield from started
    yield SubjectUnavailable("gamma", "cross_entropy", "needs a GPU: no device was found")
    yield AgreementMeasured("cross_entropy", {("alpha", "beta"): {"cases": 40, "identical": 10, "worst_ratio": 0.5}})
    yield finished


@pytest.fixture
def samples() -> SimpleNamespace:
    return SimpleNamespace(
        card=CARD, check_events=check_events, expecting=expecting, failing=failing, found=found, passing=passing, run_events=run_events
    )


@pytest.fixture(autouse=True)
def _script(monkeypatch):
    # How a script is made is another package's business; these failures have no source.
    monkeypatch.setattr(Failure, "script", lambda _: "#!/usr/bin/env python3\nprint('shown')\n")


@pytest.fixture
def document():
    def make(events):
        recorder = Recorder(["/usr/bin/xentfuzz", "run"], [])
        for event in events:
            recorder(event)
        return recorder.document

    return make

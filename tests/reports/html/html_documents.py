"""Findings, reports and documents to make pages of."""

from __future__ import annotations

from xentfuzz.reports.document import CheckEntry, Document, FailureEntry, ReportEntry
from xentfuzz.subjects.capabilities import Capabilities

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&"
CARD = Capabilities("cross_entropy", ("float32",), targets=("index",), rejections=(f"rejects 3-d logits: {HOSTILE}",), notes=(HOSTILE,))


def finding(**changes) -> FailureEntry:
    shown = {
        "arrays": {
            "logits": {"dtype": "float32", "values": [["0.0", "1.5"], ["nan", "-inf"]]},
            "target": {"dtype": "int64", "values": ["0", "-100"]},
            "grad_output": {"dtype": "float32", "values": "1.0"},
        },
        "options": {"reduction": "'none'"},
        "output": {"name": "value", "index": [1], "got": ["1.7", "0.25"], "expected": ["1.70141328", "0 or NaN"], "allowed": ["1e-07", ""]},
    }
    entry = FailureEntry(
        check="value",
        kind="value",
        operation="cross_entropy",
        dtype="float32",
        message="forward: loss[1] is 0.25, exact: 0.0\nneeds an ignored row",
        recipe={"operation": "cross_entropy", "dtype": "float32", "shape": [2, 2], "arrays": {}},
        input=["float32 2x2"],
        script="import numpy as np\nprint('<b>')\n",
        record=".xentfuzz/failures/mine/cross_entropy/value-float32-1a2b3c4d5e6f.json",
        shown=shown,
    )
    for field, value in changes.items():
        setattr(entry, field, value)
    return entry


MEASURED = {
    "compared": {
        "dtype": {"float32": 40},
        "kind of numbers": {"swamp": 30, HOSTILE: 10},
        "layout": {"contiguous": 25, "fortran": 15},
        "options together": {"ignored rows and weight": 5},
    },
    "errors": [
        {"regime": "swamp", "dtype": "float32", "comparisons": 30, "ratio": 0.93, "ulp": 1.5, "spread": [9, 0, 0, 0, 0, 11, 0, 10, 0]},
        {"regime": HOSTILE, "dtype": "float32", "comparisons": 10, "ratio": "inf", "ulp": "inf", "spread": [0, 0, 0, 0, 0, 5, 0, 0, 5]},
    ],
}


def report(name: str = "kernel.py:loss", failures: tuple[FailureEntry, ...] = (), **changes) -> ReportEntry:
    failed = {failure.check for failure in failures if failure.expected is None}
    checks = [
        CheckEntry(check, "float32", "failed" if check in failed else "passed", 20, 1, 0.9996, 0.5, {"operation": "cross_entropy"})
        for check in ("value", "gradient", "a_check_of_another_version")
    ]
    entry = ReportEntry(
        implementation=name,
        operation="cross_entropy",
        ok=not failed,
        grade="lse/any",
        checks=checks,
        failures=list(failures),
        policies={"mean of nothing kept": {"NaN": 3}},
        card=CARD,
        cases=60,
        seconds=1.0,
        target=name,
        measured=MEASURED,
    )
    for field, value in changes.items():
        setattr(entry, field, value)
    return entry


def document(*reports: ReportEntry, **changes) -> Document:
    whole = Document(
        kind="check", xentfuzz="0.1.0", environment={"python": "3.11"}, command=["check", "kernel.py:loss"], seed=7, reports=list(reports)
    )
    for field, value in changes.items():
        setattr(whole, field, value)
    return whole

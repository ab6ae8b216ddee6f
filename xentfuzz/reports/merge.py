"""Several results documents as one: shards of a run, or implementations that were run on different machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from xentfuzz.errors import RecordError
from xentfuzz.reports.document import CheckEntry, Document, FailureEntry, ReportEntry
from xentfuzz.reports.tally import WORST_FIRST
from xentfuzz.runner.extent import merged_extent
from xentfuzz.runner.measured import merged_measured


def merged(documents: Sequence[Document]) -> Document:
    """One document with the reports of all. Reports of the same implementation and operation become one: cases are added, the worst error
    and the worst status of each check kept, failures that say the same listed once. What differs between machines is listed side by side.
    Raises RecordError for several benchmarks: times of different runs are no comparison.
    """
    first, *others = documents
    if not others:
        return first
    benchmarks = [document.benchmark for document in documents if document.benchmark]
    if len(benchmarks) > 1:
        raise RecordError("several of the files hold benchmarks, and times of different runs can't be compared: render these one by one")
    return msgspec.structs.replace(
        first,
        kind=first.kind if all(other.kind == first.kind for other in others) else "run",
        environment=_environments(documents),
        command=first.command if all(other.command == first.command for other in others) else [],
        seed=first.seed if all(other.seed == first.seed for other in others) else None,
        seconds=sum(document.seconds for document in documents),
        interrupted=any(document.interrupted for document in documents),
        reports=_reports(documents),
        unavailable=[entry for document in documents for entry in document.unavailable],
        agreement=[entry for document in documents for entry in document.agreement],
        benchmark=benchmarks[0] if benchmarks else None,
        errors=[error for document in documents for error in document.errors],
    )


def _environments(documents: Sequence[Document]) -> dict[str, object]:
    names = dict.fromkeys(name for document in documents for name in document.environment)
    return {name: _side_by_side([document.environment.get(name) for document in documents]) for name in names}


def _side_by_side(values: Sequence[object]) -> object:
    different = list({str(value): value for value in values if value is not None}.values())
    return different[0] if len(different) == 1 else [str(value) for value in different]


def _reports(documents: Sequence[Document]) -> list[ReportEntry]:
    groups: dict[tuple[str, str], list[ReportEntry]] = {}
    for report in (report for document in documents for report in document.reports):
        groups.setdefault((report.implementation, report.operation), []).append(report)
    return [_report(group) for group in groups.values()]


def _report(group: Sequence[ReportEntry]) -> ReportEntry:
    first = group[0]
    policies: dict[str, Counter[str]] = {}
    for policy, outcomes in (item for report in group for item in report.policies.items()):
        policies.setdefault(policy, Counter()).update(outcomes)
    return msgspec.structs.replace(
        first,
        ok=all(report.ok for report in group),
        checks=_checks(group),
        failures=_failures(group),
        policies={policy: dict(outcomes) for policy, outcomes in policies.items()},
        stricter_grade=first.stricter_grade if all(report.stricter_grade == first.stricter_grade for report in group) else None,
        seed=first.seed if all(report.seed == first.seed for report in group) else None,
        cases=sum(report.cases for report in group),
        seconds=sum(report.seconds for report in group),
        cut_short="; ".join(dict.fromkeys(report.cut_short for report in group if report.cut_short)),
        extent=merged_extent([report.extent for report in group]),
        measured=merged_measured([report.measured for report in group]),
        problems=list(dict.fromkeys(problem for report in group for problem in report.problems)),
        notes=list(dict.fromkeys(note for report in group for note in report.notes)),
        errors=[error for report in group for error in report.errors],
        unsupported=dict(sum((Counter(report.unsupported) for report in group), Counter())),
    )


def _failures(group: Sequence[ReportEntry]) -> list[FailureEntry]:
    different = {(failure.check, failure.dtype, failure.message): failure for report in group for failure in reversed(report.failures)}
    return list(reversed(different.values()))


def _checks(group: Sequence[ReportEntry]) -> list[CheckEntry]:
    groups: dict[tuple[str, str], list[CheckEntry]] = {}
    for entry in (entry for report in group for entry in report.checks):
        groups.setdefault((entry.check, entry.dtype), []).append(entry)
    return [_check(entries) for entries in groups.values()]


def _check(entries: Sequence[CheckEntry]) -> CheckEntry:
    worst = max(entries, key=lambda entry: entry.worst_ratio)
    return msgspec.structs.replace(
        worst,
        status=min((entry.status for entry in entries), key=WORST_FIRST.index),
        cases=sum(entry.cases for entry in entries),
        unsupported=sum(entry.unsupported for entry in entries),
        errors=sum(entry.errors for entry in entries),
    )

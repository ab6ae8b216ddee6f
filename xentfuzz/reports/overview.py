"""The end of a run of many implementations on one screen: matrix, accuracy, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xentfuzz.reports.document import ReportEntry
from xentfuzz.reports.lines import Line, columns, table, wrapped
from xentfuzz.reports.matrix import LEGEND, matrix_lines
from xentfuzz.reports.summary import findings_lines
from xentfuzz.reports.tally import worst_entry

LARGEST = "largest error/allowed"


def overview_lines(reports: Sequence[ReportEntry]) -> list[Line]:
    """Matrix of results, worst errors, then what was found in the reports that are not clean."""
    if not reports:
        return [Line("nothing was run")]
    legend = [line for text in LEGEND for line in wrapped(text, style="dim")]
    lines = [*matrix_lines(reports), *legend, Line(), *accuracy_lines(reports), Line()]
    for report in reports:
        found = findings_lines(report)
        if found:
            lines += [*wrapped(f"{report.implementation}, {report.operation}", style="bold"), *found, Line()]
    return lines


def accuracy_lines(reports: Sequence[ReportEntry]) -> list[Line]:
    """Implementation x operation: the largest error / allowed error."""
    operations = list(dict.fromkeys(report.operation for report in reports))
    worst = {(report.implementation, report.operation): _ratio(report) for report in reports}
    names = list(dict.fromkeys(report.implementation for report in reports))
    rows = [(LARGEST, *operations)]
    rows += [(name, *(worst.get((name, operation), "") for operation in operations)) for name in names]
    header, *others = table(rows, right=set(range(1, len(operations) + 1)))
    if len(header) > columns():
        return [line for name in names for line in wrapped(_of_each(name, operations, worst), first=f"{name}, {LARGEST}: ", rest="  ")]
    return [Line(header, "bold"), *map(Line, others)]


def _of_each(name: str, operations: Sequence[str], worst: Mapping[tuple[str, str], str]) -> str:
    """The same of one implementation, for a terminal that is too narrow for a table."""
    return ", ".join(f"{operation} {worst[name, operation]}" for operation in operations if (name, operation) in worst)


def _ratio(report: ReportEntry) -> str:
    entry = worst_entry(report)
    return f"{entry.worst_ratio:.3g}" if entry else "-"

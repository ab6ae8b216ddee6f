"""What the green covers, what it does not, what was chosen where the contract leaves a choice, and what each implementation takes."""

from __future__ import annotations

from collections import Counter

from xentfuzz.reports.card import card_fields
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import Document, ReportEntry
from xentfuzz.reports.glossary import LAYOUTS, REGIMES
from xentfuzz.reports.html.elements import Cell, Section, Table


def section(document: Document) -> Section:
    rows = [
        [f"{report.implementation}, {report.operation}", coverage_words(report), "; ".join(_left_out(report))]
        for report in document.reports
    ]
    tables = [Table("What was compared, and what was not", ["implementation, operation", "compared", "not compared"], rows)] if rows else []
    counts = [(f"Comparisons by {kind}", [_counts(document, kind)]) for kind in _kinds(document)]
    return Section(
        "covers",
        "What this covers",
        "What is not named here was not tried. A comparison is one case judged by one check.",
        tables=tables,
        folded=[*counts, ("Capability cards", [_card(report) for report in document.reports])] if rows else [],
    )


def _kinds(document: Document) -> list[str]:
    return list(dict.fromkeys(kind for report in document.reports for kind in report.measured.get("compared", ())))


def _counts(document: Document, kind: str) -> Table:
    """What comparisons had of one kind, such as a layout, and how many of each implementation had it."""
    names = list(dict.fromkeys(report.implementation for report in document.reports))
    counts: dict[str, Counter[str]] = {}
    for report in document.reports:
        for value, number in report.measured.get("compared", {}).get(kind, {}).items():
            counts.setdefault(value, Counter())[report.implementation] += number
    meanings = {"layout": LAYOUTS, "kind of numbers": REGIMES}.get(kind, {})
    rows = [
        [value, *(f"{found[name]:,}" if name in found else "none" for name in names), *([meanings.get(value, "")] if meanings else [])]
        for value, found in sorted(counts.items(), key=lambda item: -item[1].total())
    ]
    header = [kind, *names, *(["what it is"] if meanings else [])]
    return Table(f"Comparisons by {kind}", header, rows, right=frozenset(range(1, len(names) + 1)), visible_caption=False)


def _left_out(report: ReportEntry) -> list[str]:
    left_out = [f"{reason} ({times} cases)" for reason, times in reasons_left_out(report).items()]
    left_out += [*report.card.rejections, *report.card.notes, *report.notes]
    if report.card.not_tried:
        left_out.append(f"assumed without a try: {', '.join(report.card.not_tried)}")
    return left_out + ([f"cut short: {report.cut_short}"] if report.cut_short else [])


def _card(report: ReportEntry) -> Table:
    rows = [[label, text] for label, text in card_fields(report.card)]
    return Table(f"{report.implementation}, {report.operation}", ["", ""], rows)


def policies(document: Document) -> Section:
    """Which of several allowed outcomes was chosen: those in which implementations differ first."""
    chosen: dict[tuple[str, str], dict[str, str]] = {}
    for report in document.reports:
        for policy, outcomes in report.policies.items():
            words = ", ".join(sorted(outcomes))
            chosen.setdefault((report.operation, policy), {})[report.implementation] = words
    names = list(dict.fromkeys(report.implementation for report in document.reports))
    different = {key: found for key, found in chosen.items() if len(set(found.values())) > 1}
    same = {key: found for key, found in chosen.items() if key not in different}

    def table(caption: str, part: dict[tuple[str, str], dict[str, str]]) -> Table:
        rows: list[list[Cell | str]] = [
            [f"{operation}: {policy}", *(Cell(found.get(name, "")) for name in names)]
            for (operation, policy), found in sorted(part.items())
        ]
        return Table(caption, ["where the contract leaves a choice", *names], rows)

    return Section(
        "policies",
        "Choices",
        "Where the contract allows several outcomes, what each implementation chose: a choice is no finding.",
        tables=[table("Choices that differ", different)] if different else [],
        folded=[("Choices that all share", [table("The same everywhere", same)])] if same else [],
    )

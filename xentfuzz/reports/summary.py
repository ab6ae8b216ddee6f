"""The summary of one report, made to fit a screen: checks, accuracy, what green covers, findings, verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xentfuzz.reports.check_table import check_lines
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import ErrorEntry, ReportEntry
from xentfuzz.reports.finding import expected_line, finding_lines, short_finding
from xentfuzz.reports.grade_words import grade_words, stricter_words
from xentfuzz.reports.lines import WIDTH, Line, counted, labelled, squeezed, wrapped
from xentfuzz.reports.tally import ulp_words, worst_entry

LABEL = 11
# So many findings are shown whole, then so many by their headline; so many reasons why cases were left out.
WHOLE = 1
HEADLINES = 3
REASONS = 3


def summary_lines(report: ReportEntry) -> list[Line]:
    """Everything about one report; the verdict is last, where a terminal leaves the eye."""
    sections = [check_lines(report), notes_lines(report), findings_lines(report), verdict_lines(report)]
    return [line for section in sections if section for line in (*section, Line())]


def notes_lines(report: ReportEntry) -> list[Line]:
    return [line for label, text in _notes(report) for line in labelled(label, text, LABEL)]


def _notes(report: ReportEntry) -> Iterator[tuple[str, str]]:
    yield "covers", coverage_words(report)
    reasons = list(reasons_left_out(report).items())
    if reasons:
        more = [f"{counted(len(reasons) - REASONS, 'more reason')}"] if len(reasons) > REASONS else []
        yield "left out", "; ".join([f"{reason} ({counted(times, 'case')})" for reason, times in reasons[:REASONS]] + more)
    yield "grade", grade_words(report.grade) + (f"; {stricter_words(report.stricter_grade)}" if report.stricter_grade else "")
    worst = worst_entry(report)
    if worst is not None:
        yield "worst", f"{worst.worst_ratio:.3g} of the allowed error{ulp_words(worst.worst_ulp, ', {}')} ({worst.check}, {worst.dtype})"
    if report.policies:
        yield "policies", "; ".join(f"{policy}: {_outcomes(outcomes)}" for policy, outcomes in report.policies.items())
    if report.cut_short:
        yield "cut short", report.cut_short
    yield from (("note", note) for note in report.notes)


def _outcomes(outcomes: Mapping[str, int]) -> str:
    if len(outcomes) == 1:
        return next(iter(outcomes))
    return ", ".join(f"{outcome} ({times} x)" for outcome, times in outcomes.items())


def findings_lines(report: ReportEntry) -> list[Line]:
    """The first findings whole, the others by their headline; then expected ones and what is wrong with the run itself."""
    unexpected = report.unexpected
    lines = [line for number, failure in enumerate(unexpected[:WHOLE], 1) for line in finding_lines(number, failure, report.place)]
    listed = unexpected[WHOLE : WHOLE + HEADLINES]
    lines += [line for number, failure in enumerate(listed, WHOLE + 1) for line in short_finding(number, failure, report.place)]
    if len(unexpected) > WHOLE + HEADLINES:
        lines.append(Line(f"and {len(unexpected) - WHOLE - HEADLINES} more"))
    expected = [failure for failure in report.failures if failure.expected is not None]
    if expected:
        lines += [Line(f"{counted(len(expected), 'expected finding')}:", "yellow"), *map(expected_line, expected)]
    lines += [line for error in report.errors for line in error_lines(error)]
    return lines + [line for problem in report.problems for line in wrapped(problem, first="problem: ", style="red")]


def error_lines(error: ErrorEntry) -> list[Line]:
    """An error of xentfuzz: what it was doing, what went wrong, where."""
    doing = " ".join(part for part in (error.doing, error.check, error.dtype) if part)
    place = next((line.strip() for line in reversed(error.traceback.splitlines()) if line.lstrip().startswith("File ")), "")
    often = f", {error.times} times" if error.times > 1 else ""
    words = f"{doing}{often}: {error.error}; {place}; the JSON report has the traceback, please report it"
    return wrapped(words, first="error of xentfuzz: ", rest="  ", style="bold magenta")


def verdict_line(report: ReportEntry) -> Line:
    figures = f"{counted(report.cases, 'case')} in {report.seconds:.1f} s"
    word, style = (_passed(report), "bold green") if report.ok else ("FAILED", "bold red")
    if report.errors:
        word, style = "ERROR", "bold magenta"
    if not report.ok:
        figures = f"{_counts(report)}; {figures}"
    cut = "; cut short" if report.cut_short else ""
    rest = f", {report.operation}; {figures}{_features(report)}{cut}"
    return Line(f"{word}: {squeezed(report.implementation, WIDTH - len(word) - 2 - len(rest))}{rest}", style)


def _passed(report: ReportEntry) -> str:
    """What was cut short has not passed as a whole."""
    return "PASSED SO FAR" if report.cut_short else "PASSED"


def verdict_lines(report: ReportEntry) -> list[Line]:
    """The verdict, and what a green one is about."""
    lines = [verdict_line(report)]
    missing = report.extent.get("not_taken", []), report.extent.get("not_compared", [])
    if report.ok and any(missing):
        left = [
            f"{counted(len(names), 'feature')} {words}"
            for names, words in zip(missing, ("not taken, see card", "not compared"), strict=True)
            if names
        ]
        lines += wrapped(f"{report.extent['words']}; {', '.join(left)}", first="  compared: ", rest="    ")
    return lines


def _features(report: ReportEntry) -> str:
    """How many features of the contract a green verdict is about."""
    if not report.ok or not report.extent:
        return ""
    compared = len(report.extent["compared"])
    total = compared + len(report.extent["not_taken"]) + len(report.extent["not_compared"])
    return f"; all {total} features" if compared == total else f"; {compared} of {total} features"


def _counts(report: ReportEntry) -> str:
    found = counted(len(report.unexpected), "finding") if report.unexpected else counted(len(report.problems), "problem")
    errors = [f"{counted(len(report.errors), 'error')} of xentfuzz"] if report.errors else []
    return ", ".join([*([found] if report.unexpected or report.problems else []), *errors])

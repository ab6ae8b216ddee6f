"""The end of a check on one screen: the verdict with its extent, the findings, what to do next; everything else for who asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xentfuzz.reports.check_table import check_lines
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import ErrorEntry, ReportEntry
from xentfuzz.reports.finding import expected_line, finding_lines, short_finding
from xentfuzz.reports.glossary import LAYOUTS, REGIMES
from xentfuzz.reports.grade_words import grade_words, stricter_words
from xentfuzz.reports.lines import Line, columns, counted, first_of, labelled, squeezed, wrapped
from xentfuzz.reports.tally import ulp_words, worst_entry

LABEL = 11
# Lines of a terminal as it opens, less the prompt and the line that says how to repeat the run.
SCREEN = 22
# So many reasons why cases were left out, lines of one of them, and notes.
REASONS = 3
PARAGRAPH = 3
NOTES = 2
# A name keeps so much of itself, even on a narrow terminal.
NAME = 12
MORE = "every check: --verbose, or --html FILE"


def summary_lines(report: ReportEntry, *, verbose: bool = False) -> list[Line]:
    """A screen about one report; with `verbose` the checks and the details before it, and every finding."""
    before, after = verdict_lines(report), next_lines(report, verbose=verbose)
    if verbose:
        sections = [check_lines(report), notes_lines(report), before, findings_lines(report, None), after]
    else:
        room = SCREEN - len(before) - len(after) - 2
        # A finding, and that there are others, matter more than notes.
        before += accuracy_lines(report)[: max(0, room - len(findings_lines(report, 1)))]
        sections = [before, findings_lines(report, SCREEN - len(before) - len(after) - 2), after]
    return [line for section in sections if section for line in (Line(), *section)][1:]


def notes_lines(report: ReportEntry) -> list[Line]:
    return [line for label, text in _notes(report) for line in labelled(label, text, LABEL)]


def _notes(report: ReportEntry) -> Iterator[tuple[str, str]]:
    yield "covers", coverage_words(report)
    reasons = list(reasons_left_out(report).items())
    if reasons:
        more = [f"{counted(len(reasons) - REASONS, 'more reason')}"] if len(reasons) > REASONS else []
        yield "left out", "; ".join([f"{reason} ({counted(times, 'case')})" for reason, times in reasons[:REASONS]] + more)
    yield from _accuracy(report)
    if report.policies:
        chosen = "; ".join(f"{policy}: {_outcomes(outcomes)}" for policy, outcomes in report.policies.items())
        yield "choices", f"where the contract allows several outcomes: {chosen}"
    if report.cut_short:
        yield "cut short", report.cut_short
    yield from (("note", note) for note in report.notes)


def _accuracy(report: ReportEntry) -> Iterator[tuple[str, str]]:
    worst = worst_entry(report)
    if worst is not None:
        ulp = ulp_words(worst.worst_ulp, ", {}")
        yield "worst", f"{worst.worst_ratio:.3g} of the error that is allowed{ulp} ({worst.check}, {worst.dtype})"
    stricter = f"; {stricter_words(report.stricter_grade)}" if report.stricter_grade else ""
    yield "held to", f"accuracy {grade_words(report.grade)}{stricter}"


def accuracy_lines(report: ReportEntry) -> list[Line]:
    """How accurate what passed is, and what a person has to know of how it came about; few lines, whatever there is to tell."""
    told = list(_accuracy(report)) if report.ok else []
    told += [("cut short", report.cut_short)] if report.cut_short else []
    told += [("note", note) for note in report.notes[:NOTES]]
    return [line for label, text in told for line in first_of(labelled(label, text, LABEL), PARAGRAPH)]


def _outcomes(outcomes: Mapping[str, int]) -> str:
    if len(outcomes) == 1:
        return next(iter(outcomes))
    return ", ".join(f"{outcome} ({times} x)" for outcome, times in outcomes.items())


def findings_lines(report: ReportEntry, most: int | None = SCREEN) -> list[Line]:
    """The first finding whole, of the others one line each; then expected ones and what is wrong with the run itself.

    most: lines that they should take, so that the last are a number; None for all findings whole.
    """
    unexpected = report.unexpected
    others = [line for error in report.errors for line in error_lines(error)]
    others += [line for problem in report.problems for line in wrapped(problem, first="problem: ", style="red")]
    if most is None:
        lines = [line for number, failure in enumerate(unexpected, 1) for line in finding_lines(number, failure, report.place)]
        return [*lines, *_expected(report, None), *others]
    lines = finding_lines(1, unexpected[0], report.place) if unexpected else []
    short = [short_finding(number, failure) for number, failure in enumerate(unexpected[1:], 2)]
    lines += _as_many(short, max(1, most - len(lines) - len(others)), "finding")
    return [*lines, *_expected(report, max(2, most - len(lines) - len(others))), *others]


def _expected(report: ReportEntry, most: int | None) -> list[Line]:
    expected = [failure for failure in report.failures if failure.expected is not None]
    if not expected:
        return []
    lines = [expected_line(failure) for failure in expected]
    shown = lines if most is None else _as_many(lines, most - 1, "expected finding")
    return [Line(f"{counted(len(expected), 'expected finding')}:", "yellow"), *shown]


def _as_many(lines: list[Line], most: int, noun: str) -> list[Line]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], Line(f"and {counted(len(lines) - most + 1, f'more {noun}')}")]


def next_lines(report: ReportEntry, *, verbose: bool) -> list[Line]:
    """What a person does next: learn what is demanded and what a word means, see the rest."""
    steps = [f"xentfuzz explain {word}" for word in _words(report)] + ([] if verbose else [MORE])
    return labelled("next", "; ".join(steps), LABEL) if steps else []


def _words(report: ReportEntry) -> Iterator[str]:
    """What a newcomer does not know of what is shown: the grade; of a finding its check, the kinds of numbers and layouts in its input."""
    if report.ok and set(report.grade).isdisjoint(":,"):
        yield report.grade
    for failure in report.unexpected[:1]:
        yield failure.check
        told = {array.get(field) for array in failure.recipe.get("arrays", {}).values() for field in ("regime", "layout")}
        shown = " ".join(failure.input).replace(",", " ").replace(";", " ").split()
        yield from sorted({word for word in shown if word in told} & (REGIMES.keys() - {"ordinary"} | LAYOUTS.keys()))


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
    return Line(f"{word}: {squeezed(report.implementation, max(NAME, columns() - len(word) - 2 - len(rest)))}{rest}", style)


def _passed(report: ReportEntry) -> str:
    """What was cut short has not passed as a whole."""
    return "PASSED SO FAR" if report.cut_short else "PASSED"


def verdict_lines(report: ReportEntry) -> list[Line]:
    """The verdict, and what it is about: in few words where a finding wants the room."""
    text = coverage_words(report)
    if report.extent and not report.extent["compared"]:
        text = report.extent["words"]
    elif report.extent:
        kinds = ("not taken", report.extent["not_taken"]), ("not compared", report.extent["not_compared"])
        text = "; ".join([report.extent["words"], *(f"{words}: {', '.join(names)}" for words, names in kinds if names)])
    return [*verdict_paragraph(report), *first_of(labelled("compared", text, LABEL), PARAGRAPH - (not report.ok))]


def verdict_paragraph(report: ReportEntry) -> list[Line]:
    """The verdict in one line; in some where a terminal is narrower than it."""
    line = verdict_line(report)
    return [line] if len(line.text) <= columns() else wrapped(line.text, rest="  ", style=line.style)


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

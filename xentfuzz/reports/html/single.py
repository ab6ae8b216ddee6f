"""One report, or one finding, of the Python interface as HTML: a page, and the same in a frame for notebooks."""

from __future__ import annotations

from markupsafe import escape

from xentfuzz import __version__
from xentfuzz.failures.failure import Failure
from xentfuzz.reports.document import Document, report_entry
from xentfuzz.reports.environment import environment
from xentfuzz.reports.html.page import finding_page, to_html
from xentfuzz.reports.privacy import scrubbed_report
from xentfuzz.runner.results import CheckReport
from xentfuzz.subjects.capabilities import Capabilities


def report_page(report: CheckReport) -> str:
    """The page of one report."""
    entry = scrubbed_report(report_entry(report))
    return to_html(
        Document(
            kind="check",
            xentfuzz=__version__,
            environment=environment(),
            command=[],
            seed=report.seed,
            seconds=report.seconds,
            reports=[entry],
        )
    )


def report_frame(report: CheckReport) -> str:
    return _frame(report_page(report))


def failure_frame(failure: Failure) -> str:
    """The card of one finding."""
    card = Capabilities(failure.operation, (failure.dtype,))
    entry = report_entry(CheckReport(failure.implementation, failure.operation, "lse/any", card, 0, failures=[failure]))
    return _frame(finding_page(scrubbed_report(entry)))


def _frame(page: str) -> str:
    """In a frame of its own, because the page's style sheet would restyle the notebook."""
    return f'<iframe srcdoc="{escape(page)}" title="xentfuzz" style="width: 100%; height: 42rem; border: 0"></iframe>'

"""The whole page: sections in the order in which a reader asks, one self-contained file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from xentfuzz.errors import UsageError
from xentfuzz.reports.document import Document, ReportEntry

try:
    import jinja2
except ImportError as error:
    raise UsageError(f"an HTML report needs {error.name}: pip install 'xentfuzz[report]'") from error

from xentfuzz.reports.html import accuracy, coverage, findings, matrix, overview, speed
from xentfuzz.reports.html.elements import Section


def to_html(document: Document) -> str:
    """The document as an HTML page that loads nothing else."""
    unexpected, expected = findings.cards(document, expected=False), findings.cards(document, expected=True)
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            overview=overview.overview(document),
            findings=unexpected,
            expected=expected,
            problems=findings.problems(document),
            errors=findings.errors(document),
            sections=[section for section in _sections(document) if not section.empty],
        )
    )


def finding_page(report: ReportEntry) -> str:
    """A page of the report's first finding alone."""
    document = Document(kind="check", xentfuzz="", environment={}, command=[], reports=[report])
    (card, *_) = (*findings.cards(document, expected=False), *findings.cards(document, expected=True))
    return _templates().get_template("finding.html.j2").render(card=card)


def _sections(document: Document) -> Iterator[Section]:
    yield matrix.section(document)
    yield accuracy.section(document)
    yield speed.section(document)
    yield coverage.section(document)
    yield coverage.policies(document)
    yield accuracy.agreement(document)
    yield matrix.evidence(document)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("xentfuzz.reports.html")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)

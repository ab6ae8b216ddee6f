"""Documents with everything that a page has to show, and hostile texts in every place where a user's text may stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from html_documents import HOSTILE, document, finding, report

from xentfuzz.reports.document import AgreementEntry, Document, UnavailableEntry, read_document

SAMPLE = Path(__file__).parents[3] / "reports" / "sample" / "results.json"


@pytest.fixture(scope="session")
def sample() -> Document:
    """The committed sample of a run, with its benchmark."""
    return read_document(SAMPLE)


@pytest.fixture(scope="session")
def faulty() -> Document:
    return document(report(failures=(finding(), finding(check="gradient", expected="known"))))


@pytest.fixture(scope="session")
def hostile() -> Document:
    """Markup in every text that comes from outside."""
    texts = json.loads(json.dumps(finding().shown).replace("0.25", HOSTILE.replace('"', r"\"")))
    wrong = finding(message=f"{HOSTILE}\n{HOSTILE}", script=f"# </code></pre>{HOSTILE}", input=[HOSTILE], shown=texts, kind=HOSTILE)
    known = finding(expected=HOSTILE, check=HOSTILE, dtype=HOSTILE)
    return document(
        report(HOSTILE, (wrong, known), problems=[HOSTILE], notes=[HOSTILE], policies={HOSTILE: {HOSTILE: 1}}, unsupported={HOSTILE: 2}),
        environment={HOSTILE: HOSTILE},
        command=["check", HOSTILE],
        unavailable=[UnavailableEntry(f"{HOSTILE} 2", "cross_entropy", HOSTILE)],
        agreement=[AgreementEntry("cross_entropy", HOSTILE, HOSTILE, 3, 2, 0.5)],
    )

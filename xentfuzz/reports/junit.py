"""The results document as JUnit's XML: a test suite for each implementation and operation, a test case for each check and dtype."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from xentfuzz.reports.document import CheckEntry, Document, ErrorEntry, FailureEntry, ReportEntry

# XML 1.0 has no way to write these, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(document: Document) -> str:
    """The document as XML text."""
    root = ET.Element("testsuites", name=f"xentfuzz {document.kind}", time=f"{document.seconds:.3f}")
    for report in document.reports:
        root.append(_suite(report))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(report: ReportEntry) -> ET.Element:
    name = f"{report.implementation}.{report.operation}"
    cases = [_case(name, entry, _failures(report, entry)) for entry in report.checks]
    cases += [_problem(name, problem) for problem in report.problems]
    cases += [_error(name, error) for error in report.errors]
    suite = ET.Element("testsuite", name=_text(name), time=f"{report.seconds:.3f}", tests=str(len(cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    suite.extend(cases)
    return suite


def _failures(report: ReportEntry, entry: CheckEntry) -> list[FailureEntry]:
    return [failure for failure in report.failures if (failure.check, failure.dtype) == (entry.check, entry.dtype)]


def _case(suite: str, entry: CheckEntry, failures: Sequence[FailureEntry]) -> ET.Element:
    case = ET.Element("testcase", classname=_text(suite), name=f"{entry.check}[{entry.dtype}]")
    unexpected = [failure for failure in failures if failure.expected is None]
    if entry.status == "failed":
        kinds = ", ".join(dict.fromkeys(failure.kind for failure in unexpected))
        headline = unexpected[0].headline if unexpected else "fails on a case that another finding of this suite reports"
        element = ET.SubElement(case, "failure", type=kinds or "related", message=_text(headline))
        element.text = _text("\n\n".join(map(_account, unexpected)))
    elif entry.status == "error":
        pass  # each error is a case of its own
    elif entry.status == "expected":
        ET.SubElement(case, "skipped", message=_text("expected: " + "; ".join(str(failure.expected) for failure in failures)))
    elif entry.status != "passed":
        ET.SubElement(case, "skipped", message=_text(f"{entry.status}: {entry.reason}"))
    return case


def _account(failure: FailureEntry) -> str:
    return "\n".join([failure.message, *failure.input])


def _problem(suite: str, problem: str) -> ET.Element:
    case = ET.Element("testcase", classname=_text(suite), name="run")
    ET.SubElement(case, "failure", type="problem", message=_text(problem))
    return case


def _error(suite: str, error: ErrorEntry) -> ET.Element:
    case = ET.Element("testcase", classname=_text(suite), name=_text(f"xentfuzz, {error.doing} {error.check}[{error.dtype}]"))
    ET.SubElement(case, "error", type="internal", message=_text(error.error)).text = _text(error.traceback)
    return case


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)

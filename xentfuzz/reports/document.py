"""The results document: what a command found out, as JSON that is stored, read again, merged and rendered."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec

from xentfuzz.errors import RecordError
from xentfuzz.runner.results import CheckReport
from xentfuzz.subjects.capabilities import Capabilities

SCHEMA_VERSION = 1


class CheckEntry(msgspec.Struct):
    """One check on one dtype; the fields are those of `xentfuzz.runner.results.CheckResult`."""

    check: str
    dtype: str
    status: str
    cases: int = 0
    unsupported: int = 0
    worst_ratio: float = 0.0
    worst_ulp: float = 0.0
    recipe: dict[str, Any] | None = None
    reason: str = ""
    errors: int = 0


class ErrorEntry(msgspec.Struct):
    """An error of xentfuzz itself; the fields are those of `xentfuzz.subjects.harness_errors.HarnessError`."""

    doing: str
    check: str
    dtype: str
    recipe: dict[str, Any] | None
    error: str
    traceback: str
    times: int = 1


class FailureEntry(msgspec.Struct):
    """A finding. expected: the reason why it is expected, None where it is not. input: the smallest case in words, its numbers where few.

    script: a program that shows the failure alone. record: the stored file that `xentfuzz replay` takes, "" where none was stored.
    alone: False where the case passes in a process that has made no other call, so that neither shows the failure. shown: the case and the
    wrong output as texts (see `xentfuzz.failures.shown_case`).
    """

    check: str
    kind: str
    operation: str
    dtype: str
    message: str
    recipe: dict[str, Any]
    expected: str | None = None
    input: list[str] = []
    script: str = ""
    record: str = ""
    alone: bool = True
    shown: dict[str, Any] = {}

    @property
    def headline(self) -> str:
        return self.message.partition("\n")[0]


class ReportEntry(msgspec.Struct):
    """One implementation of one operation; the fields are those of `xentfuzz.runner.results.CheckReport`."""

    implementation: str
    operation: str
    ok: bool
    grade: str
    checks: list[CheckEntry]
    failures: list[FailureEntry]
    policies: dict[str, dict[str, int]]
    card: Capabilities
    stricter_grade: str | None = None
    measured: dict[str, Any] = {}
    beside_plain: list[dict[str, Any]] = []
    seed: int | None = None
    cases: int = 0
    seconds: float = 0.0
    cut_short: str = ""
    problems: list[str] = []
    notes: list[str] = []
    unsupported: dict[str, int] = {}
    sizes: dict[str, int] = {}
    target: str = ""
    extent: dict[str, Any] = {}
    errors: list[ErrorEntry] = []

    @property
    def place(self) -> str:
        """By what a command finds the implementation."""
        return self.target or self.implementation

    @property
    def unexpected(self) -> list[FailureEntry]:
        return [failure for failure in self.failures if failure.expected is None]


class UnavailableEntry(msgspec.Struct):
    implementation: str
    operation: str
    reason: str


class AgreementEntry(msgspec.Struct):
    """Two implementations on the same cases. identical: with the same numbers; worst_ratio: the largest difference / allowed difference."""

    operation: str
    first: str
    second: str
    cases: int
    identical: int
    worst_ratio: float


class Document(msgspec.Struct, kw_only=True):
    """command: the arguments, without folders. seed: None where several documents were merged. errors: those of no report."""

    schema_version: int = SCHEMA_VERSION
    kind: str
    xentfuzz: str
    environment: dict[str, Any]
    command: list[str]
    seed: int | None = None
    profile: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    reports: list[ReportEntry] = []
    unavailable: list[UnavailableEntry] = []
    agreement: list[AgreementEntry] = []
    benchmark: dict[str, Any] | None = None
    errors: list[ErrorEntry] = []

    @property
    def ok(self) -> bool:
        """Whether nothing was found, every result that was to be timed is right, and nothing kept xentfuzz from looking."""
        rows = self.benchmark["rows"] if self.benchmark else []
        return not self.errors and all(report.ok for report in self.reports) and not any(row["status"] == "failed" for row in rows)


def report_entry(report: CheckReport) -> ReportEntry:
    """A finished report as it stands in the document."""
    # Not strict: in the dict, as in JSON, non-finite numbers are strings.
    return msgspec.convert(report.to_dict(), ReportEntry, strict=False)


def to_json(document: Document) -> str:
    """The document as JSON text, a check or a failure on each line; non-finite numbers are the strings "nan", "inf" and "-inf"."""
    return _text(_finite(msgspec.to_builtins(document)), "\n") + "\n"


def _text(value: Any, line: str, depth: int = 4) -> str:
    """JSON with the entries of the outer `depth` containers on lines of their own; `line`: the line end and indentation in force."""
    inner = f"{line} "
    if isinstance(value, dict) and value and depth:
        entries = [f"{json.dumps(key)}: {_text(item, inner, depth - 1)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(entries)}{line}}}"
    if isinstance(value, list) and value and depth:
        return f"[{inner}{f',{inner}'.join(_text(item, inner, depth - 1) for item in value)}{line}]"
    return json.dumps(value, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def read_document(path: str | Path) -> Document:
    """The document in a results file. Raises RecordError, naming the file, where it cannot be read, is damaged or of another version."""
    name, content = Path(path).name, read_content(path)
    _require_results(name, content)
    try:
        return msgspec.convert(content, Document, strict=False)
    except msgspec.ValidationError as error:
        raise RecordError(f"{name} is damaged: {error}") from None


def read_content(path: str | Path) -> dict[str, Any]:
    """What a file of any kind that a command wrote as JSON holds. Raises RecordError as `read_document` does."""
    name = Path(path).name
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise RecordError(f"{name} is not JSON ({error}): was it cut off?") from None
    return _of_this_version(name, content)


# Kinds of documents that hold something else than results of checks -> what reads them.
ELSEWHERE = {"power": "xentfuzz power --compare FILE --out FOLDER", "failure": "xentfuzz replay FILE"}


def _require_results(name: str, record: dict[str, Any]) -> None:
    kind = record.get("kind")
    if kind in ELSEWHERE:
        raise RecordError(f"{name} holds a document of kind {kind!r}, not results of checks: `{ELSEWHERE[kind]}` reads it")


def _of_this_version(name: str, content: Any) -> dict[str, Any]:
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or version is None:
        raise RecordError(f"{name} has no schema_version: not a results file of xentfuzz")
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"{name} has schema version {version!r}, this xentfuzz reads version {SCHEMA_VERSION}: read it with the xentfuzz that wrote it"
        )
    return content

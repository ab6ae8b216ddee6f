"""A failure as JSON and back: versioned, arrays bit for bit, nothing in it that belongs to a machine or a person.

The file has the shape of every results file (`schema_version`, `kind`, `xentfuzz`, `environment`, `command`, `seed`, `reports`), with one
report of one failure, which carries `implementation`, `options`, `arrays`, `details`, `source` and `needs` besides the usual fields.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from xentfuzz import __version__
from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.environment import environment, reduced_argument, reduced_command, without_paths
from xentfuzz.errors import RecordError
from xentfuzz.failures.failure import KINDS, Failure, failure
from xentfuzz.failures.layout import is_plain
from xentfuzz.failures.source import Source
from xentfuzz.operations.case import Case
from xentfuzz.recipes.expand import case_hashes

SCHEMA_VERSION = 1
# Beyond this many bytes a record holds an array's hash and the recipe that rebuilds it.
LARGEST_STORED = 8 * 2**20


class Layout(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an array lies in memory where it isn't plain: strides and offset in bytes into `storage` (base64)."""

    strides: tuple[int, ...]
    offset: int
    storage: str | None
    writeable: bool = True


class ArrayRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """data: base64 of the little-endian values in C order (bfloat16 as its 16 bits), None where large. sha256: see `case_hashes`."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str
    data: str | None = None
    layout: Layout | None = None


class CallRecord(msgspec.Struct, frozen=True):
    """A call that shows the failure, where it isn't one with the case itself."""

    function: str
    operation: str
    options: dict[str, Any]
    arrays: dict[str, ArrayRecord]


class FailureEntry(msgspec.Struct, frozen=True):
    """One failure. The first seven fields are those of every report; the others let it live on without the run that found it."""

    check: str
    kind: str
    operation: str
    dtype: str
    message: str
    recipe: dict[str, Any]
    expected: str | None
    implementation: str
    options: dict[str, Any]
    arrays: dict[str, ArrayRecord]
    details: dict[str, Any]
    source: Source | None = None
    siblings: dict[str, Source] = {}
    calls: tuple[CallRecord, ...] = ()
    needs: tuple[str, ...] = ()
    region: dict[str, Any] = {}
    alone: bool = True


class ReportEntry(msgspec.Struct, frozen=True):
    """A report, as in every results file, of an implementation of which only one failure is told."""

    implementation: str
    operation: str
    failures: tuple[FailureEntry]
    card: dict[str, Any]
    ok: bool = False
    grade: str = ""
    checks: tuple[Any, ...] = ()
    policies: dict[str, Any] = {}


class FailureFile(msgspec.Struct, frozen=True):
    """The whole file."""

    schema_version: int
    kind: str
    xentfuzz: str
    environment: dict[str, str]
    command: tuple[str, ...]
    seed: int | None
    reports: tuple[ReportEntry]


class _Head(msgspec.Struct, frozen=True):
    schema_version: Any = None
    kind: Any = None


def encode(found: Failure, *, command: Sequence[str] = (), seed: int | None = None) -> bytes:
    """The record of a failure, as indented JSON."""
    card = {"operation": found.operation, "dtypes": [found.dtype]}
    report = ReportEntry(reduced_argument(found.implementation), found.operation, (_entry(found),), card)
    told = tuple(reduced_command(command)) if command else ()
    file = FailureFile(SCHEMA_VERSION, "failure", __version__, environment(), told, seed, (report,))
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def _entry(found: Failure) -> FailureEntry:
    hashes = hashes_of(found)
    return FailureEntry(
        check=found.check,
        kind=found.kind,
        operation=found.operation,
        dtype=found.dtype,
        message=without_paths(found.message),
        recipe=_jsonable(found.recipe),
        expected=None,
        implementation=reduced_argument(found.implementation),
        options=_jsonable(found.options),
        arrays={name: _array_record(array, hashes[name]) for name, array in found.arrays.items()},
        details=_jsonable(found.details),
        source=found.source,
        siblings=dict(found.siblings),
        calls=tuple(_call_record(*call) for call in found.calls),
        needs=tuple(found.needs),
        region=dict(found.region),
        alone=found.alone,
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return without_paths(value)
    return value if value is None or isinstance(value, bool | int | float) else repr(value)


def _from_jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _from_jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_from_jsonable(item) for item in value)
    return float(value) if value in ("nan", "inf", "-inf") else value


def _call_record(function: str, case: Case) -> CallRecord:
    hashes = case_hashes(case)
    arrays = {name: _array_record(array, hashes[name]) for name, array in case.arrays.items()}
    return CallRecord(function, case.operation, _jsonable(dict(case.options)), arrays)


def _call(record: CallRecord, dtype: str) -> tuple[str, Case]:
    arrays = {name: _array(name, array) for name, array in record.arrays.items()}
    return record.function, Case(record.operation, dtype, arrays, _from_jsonable(record.options))


def hashes_of(found: Failure) -> dict[str, str]:
    """argument name -> SHA-256 of the array, as `case_hashes` computes it."""
    return case_hashes(Case(found.operation, found.dtype, found.arrays, found.options))


def _array_record(array: StridedArray, sha256: str) -> ArrayRecord:
    values = array.view()
    small = max(values.nbytes, array.storage.nbytes) <= LARGEST_STORED
    return ArrayRecord(
        dtype=array.dtype,
        shape=array.shape,
        sha256=sha256,
        data=_base64(values.tobytes()) if small else None,
        layout=_layout(array) if small and not is_plain(array) else None,
    )


def _layout(array: StridedArray) -> Layout:
    return Layout(array.strides, array.offset, _base64(array.storage.tobytes()), array.writeable)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def read(path: str | Path) -> Failure:
    """The failure in a record. Raises RecordError, naming the file and the reason, for one that is damaged or of another version."""
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from None
    except RecordError as error:
        raise RecordError(f"{path} {error}") from None


def decode(content: bytes) -> Failure:
    """The failure in a record's bytes. Raises RecordError with the reason."""
    entry = decode_as(FailureFile, content).reports[0].failures[0]
    if entry.kind not in KINDS:
        raise RecordError(f"is damaged: unknown kind of failure {entry.kind!r}")
    found = failure(entry.kind, entry.message)
    found.details = _from_jsonable(entry.details)
    found.check, found.operation, found.dtype, found.implementation = entry.check, entry.operation, entry.dtype, entry.implementation
    found.recipe = entry.recipe | {"options": _from_jsonable(entry.recipe.get("options", {}))}
    found.options, found.needs, found.region = _from_jsonable(entry.options), entry.needs, entry.region
    found.source, found.siblings, found.alone = entry.source, entry.siblings, entry.alone
    if all(array.data is not None for call in entry.calls for array in call.arrays.values()):
        found.calls = tuple(_call(call, entry.dtype) for call in entry.calls)
    found.hashes = {name: array.sha256 for name, array in entry.arrays.items()}
    found.arrays = {name: _array(name, array) for name, array in entry.arrays.items() if array.data is not None}
    found.case = {**{name: array.view() for name, array in found.arrays.items()}, **found.options}
    for name, sha256 in hashes_of(found).items():
        if sha256 != found.hashes[name]:
            raise RecordError(f"is damaged: the bytes of {name} do not have the hash that was stored with them")
    return found


FileType = TypeVar("FileType", bound=msgspec.Struct)


def decode_as(file_type: type[FileType], content: bytes) -> FileType:
    """A failure's file, or the part of it that `file_type` names. Raises RecordError with the reason."""
    try:
        _require_version(msgspec.json.decode(content, type=_Head))
        return msgspec.json.decode(content, type=file_type)
    except msgspec.ValidationError as error:
        raise RecordError(f"is damaged: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"is no JSON ({error}): was it cut off?") from None


def _require_version(head: _Head) -> None:
    if head.schema_version is None or head.kind != "failure":
        raise RecordError(f"is no record of a failure (kind {head.kind!r})")
    if head.schema_version != SCHEMA_VERSION:
        raise RecordError(
            f"has schema version {head.schema_version!r}, this xentfuzz reads {SCHEMA_VERSION}: use the xentfuzz that wrote it"
        )


def _array(name: str, record: ArrayRecord) -> StridedArray:
    content = _bytes(name, record.data)
    try:
        if record.layout is None:
            return StridedArray.of(np.frombuffer(content, numpy_dtype(record.dtype)).reshape(record.shape))
        storage = np.frombuffer(_bytes(name, record.layout.storage), np.uint8).copy()
        array = StridedArray(storage, record.dtype, record.shape, record.layout.strides, record.layout.offset, record.layout.writeable)
        array.view()
    except (TypeError, ValueError) as error:
        raise RecordError(f"is damaged: {name} of dtype {record.dtype}, shape {record.shape}: {error}") from None
    return array


def _bytes(name: str, text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except binascii.Error as error:
        raise RecordError(f"is damaged: the data of {name} is no base64 ({error})") from None

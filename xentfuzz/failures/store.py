"""Failures that live on: records under `.xentfuzz/` below the current directory, each with its script, tried first in the next run."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from xentfuzz.environment import reduced_argument
from xentfuzz.errors import RecordError
from xentfuzz.failures import record
from xentfuzz.failures.failure import Failure
from xentfuzz.failures.script.reproducer import large_arrays, reproducer
from xentfuzz.files import write_whole
from xentfuzz.recipes.recipe import Recipe, recipe_from

FOLDER = ".xentfuzz"
FAILURES = "failures"
# Whoever wants these files in a repository says so; by default a checkout stays clean.
IGNORE_ALL = "*\n"


@dataclass(frozen=True)
class Stored:
    """What a run must know of a stored failure."""

    path: Path
    check: str
    kind: str
    dtype: str
    recipe: Recipe


class _Entry(msgspec.Struct, frozen=True):
    check: str
    kind: str
    dtype: str
    operation: str
    implementation: str
    recipe: dict[str, Any]


class _Report(msgspec.Struct, frozen=True):
    failures: tuple[_Entry]


class _File(msgspec.Struct, frozen=True):
    reports: tuple[_Report]


@dataclass(frozen=True)
class Store:
    """The records of one folder. Two runs may use it at once: records are written whole, and the last one stays."""

    folder: Path = Path(FOLDER)

    def save(self, failure: Failure, *, command: Sequence[str] = (), seed: int | None = None) -> Path:
        """Write a failure's record and, beside it, its script; an earlier record of the same finding is replaced. Returns its path.

        The same finding: implementation, operation, check, kind, dtype, and the features that it needs. Raises OSError.
        """
        if not (self.folder / ".gitignore").exists():
            write_whole(self.folder / ".gitignore", IGNORE_ALL)
        folder = place_of(self.folder / FAILURES, failure.implementation, failure.operation)
        return write_failure(folder, failure, command=command, seed=seed)

    def load_all(self, implementation: str, operation: str) -> tuple[list[Stored], list[str]]:
        """The stored failures of an implementation, and a line for each record that is damaged or of another version."""
        stored, problems = [], []
        for path in sorted(place_of(self.folder / FAILURES, implementation, operation).glob("*.json")):
            try:
                found = _heading(path)
            except (RecordError, OSError) as error:
                problems.append(f"{error}; it was left out")
                continue
            if (found[1].implementation, found[1].operation) == (reduced_argument(implementation), operation):
                stored.append(found[0])
        return stored, problems


def place_of(folder: Path, implementation: str, operation: str) -> Path:
    """The folder of one implementation's failures below `folder`; a target's own folder is not told."""
    return folder / file_name(reduced_argument(implementation)) / file_name(operation)


def write_failure(folder: Path, failure: Failure, *, command: Sequence[str] = (), seed: int | None = None) -> Path:
    """Write record, script and, where its arrays are too large for a script, their .npz into `folder`. Returns the record's path."""
    path = folder / f"{file_name(failure.check)}-{file_name(failure.dtype)}-{identity(failure)[:12]}.json"
    saved = large_arrays(failure)
    if saved:
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **saved)
        write_whole(path.with_suffix(".npz"), content.getvalue())
    write_whole(path.with_suffix(".py"), reproducer(failure, path.with_suffix(".npz").name if saved else None))
    return write_whole(path, record.encode(failure, command=command, seed=seed))


def identity(failure: Failure) -> str:
    """A hash that is the same for the same finding: what it is about, its kind, and the features that it needs."""
    about = (failure.implementation, failure.operation, failure.check, failure.kind, failure.dtype)
    return hashlib.sha256(json.dumps([*about, sorted(failure.region.items(), key=str), sorted(failure.needs)]).encode()).hexdigest()


def file_name(name: str) -> str:
    """A name that any file system takes; names that differ only in other characters share it, and records tell them apart."""
    return re.sub(r"[^\w.=-]+", "-", name).strip("-.")[:80] or "unnamed"


def _heading(path: Path) -> tuple[Stored, _Entry]:
    try:
        # Arrays are skipped: a run needs recipes only, and replay reads the rest.
        entry = record.decode_as(_File, path.read_bytes()).reports[0].failures[0]
        return Stored(path, entry.check, entry.kind, entry.dtype, recipe_from(entry.recipe)), entry
    except RecordError as error:
        raise RecordError(f"{path.name} {error}") from None

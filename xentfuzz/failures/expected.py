"""Failures that somebody knows and accepts for now, as TOML: what is left out of the search, and whether it still fails."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import RecordError, UnknownName, UsageError, require_known
from xentfuzz.failures.conditions import Condition, parse_condition
from xentfuzz.failures.failure import Failure
from xentfuzz.failures.features import feature_names, features
from xentfuzz.operations import operation_names
from xentfuzz.recipes.recipe import Recipe, recipe_from

# Runs one check on one recipe: the Failure, or None where it passes.
RunCheck = Callable[[str, Recipe], Failure | None]


class _Table(msgspec.Struct, frozen=True):
    """One [[expected]] table, as written."""

    implementation: str
    check: str
    reason: str
    operation: str | None = None
    dtype: str | list[str] | None = None
    when: dict[str, Any] = {}
    recipe: str | dict[str, Any] | None = None


@dataclass(frozen=True)
class Expected:
    """One expectation. place: where it is written, for messages; dtypes: () for all; region: feature -> condition, {} for every case."""

    place: str
    implementation: str
    check: str
    reason: str
    operation: str | None = None
    dtypes: tuple[str, ...] = ()
    when: dict[str, Any] = field(default_factory=dict)
    recipe: Recipe | None = None

    @cached_property
    def region(self) -> dict[str, Condition]:
        return {name: parse_condition(written) for name, written in self.when.items()}

    def covers(self, implementation: str, operation: str, check: str, dtype: str) -> bool:
        """Whether it speaks about this check of this implementation at all."""
        named = (self.implementation, self.operation or operation, self.check) == (implementation, operation, check)
        return named and (not self.dtypes or dtype in self.dtypes)

    def includes(self, recipe: Recipe) -> bool:
        """Whether a case lies in its region."""
        found = features(recipe)
        return all(name in found and condition(found[name]) for name, condition in self.region.items())

    def __str__(self) -> str:
        return f"{self.place} ({self.implementation}, {self.check}: {self.reason})"


@dataclass
class Judgement:
    """reasons: index of a failure that was given -> why it is expected. replayed: failures of the recipes of expectations that met
    none, with their reasons.

    problems: expectations that pass now or match nothing; each fails the run.
    """

    reasons: dict[int, str] = field(default_factory=dict)
    replayed: list[tuple[Failure, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Expectations:
    """All expectations of a run."""

    entries: tuple[Expected, ...] = ()

    def __add__(self, other: Expectations) -> Expectations:
        return Expectations(self.entries + other.entries)

    def matching(self, failure: Failure) -> Expected | None:
        """The first expectation that a failure meets."""
        recipe = recipe_from(failure.recipe)
        about = (failure.implementation, failure.operation, failure.check, failure.dtype)
        return next((entry for entry in self.entries if entry.covers(*about) and entry.includes(recipe)), None)

    def excludes(self, implementation: str, operation: str, check: str, dtype: str, recipe: Recipe) -> bool:
        """Whether the search leaves a case out: it lies in the region of an expectation whose own recipe shows whether it still fails.

        An expectation without a region leaves nothing out: there would be nothing left to search.
        """
        return any(
            bool(entry.when)
            and entry.recipe is not None
            and entry.covers(implementation, operation, check, dtype)
            and entry.includes(recipe)
            for entry in self.entries
        )

    def _explaining(self, failure: Failure, run_check: RunCheck) -> Expected | None:
        """The expectation about another check whose bug this failure is: in its region, and its own recipe fails this check in that way."""
        recipe = recipe_from(failure.recipe)
        for entry in self.entries:
            if entry.recipe is None or entry.check == failure.check:
                continue
            about = (failure.implementation, failure.operation, entry.check, failure.dtype)
            if entry.covers(*about) and entry.includes(recipe) and _kind(run_check, failure.check, entry.recipe) == failure.kind:
                return entry
        return None

    def misspelt(self, implementations: Iterable[str], checks: Iterable[str]) -> list[str]:
        """A problem for each name of an implementation or a check that does not exist.

        One file may serve several targets of which a run has but some: what names a place in code is taken for one of the others.
        """
        places = (entry.implementation for entry in self.entries if ":" in entry.implementation)
        known = {"implementation": sorted({*implementations, *places}), "check": sorted(set(checks))}
        return [
            f"{entry.place}: {UnknownName(what, getattr(entry, what), names)}"
            for entry in self.entries
            for what, names in known.items()
            if getattr(entry, what) not in names
        ]

    def judge(
        self, implementation: str, operation: str, ran: Collection[tuple[str, str]], failures: Sequence[Failure], run_check: RunCheck
    ) -> Judgement:
        """Hold the expectations about one implementation against what a run found.

        ran: (check, dtype) pairs that were run; expectations about others are not judged. run_check replays the recipe of an expectation,
        so that whether it passes now never depends on what a search happened to draw.
        """
        judgement = Judgement()
        matched = {index: entry for index, failure in enumerate(failures) if (entry := self.matching(failure)) is not None}
        judgement.reasons = {index: entry.reason for index, entry in matched.items()}
        for index, failure in enumerate(failures):
            if index not in matched and (entry := self._explaining(failure, run_check)) is not None:
                judgement.reasons[index] = entry.reason
        for entry in self.entries:
            if any(entry.covers(implementation, operation, *pair) for pair in ran):
                _judge_entry(entry, entry in matched.values(), run_check, judgement)
        return judgement


def _kind(run_check: RunCheck, check: str, recipe: Recipe) -> str | None:
    try:
        failure = run_check(check, recipe)
    except UsageError:
        return None
    return None if failure is None else failure.kind


def _judge_entry(entry: Expected, matched: bool, run_check: RunCheck, judgement: Judgement) -> None:
    if entry.recipe is None:
        if not matched:
            judgement.problems.append(f"{entry} matches no failure; remove it, or give it the recipe of a case (--write-expected does)")
        return
    try:
        failure = run_check(entry.check, entry.recipe)
    except UsageError as error:
        judgement.problems.append(f"{entry} cannot be judged: {error}")
        return
    if failure is None:
        judgement.problems.append(f"{entry} passes now; remove it")
    elif not matched:
        judgement.replayed.append((failure, entry.reason))


def load_expectations(given: str | Path | Sequence[dict[str, Any]]) -> Expectations:
    """The expectations in a TOML file, or in a list of its tables. Raises UsageError naming the entry and what is wrong with it."""
    if not isinstance(given, str | Path):
        return _expectations(list(given), "expected_failures")
    try:
        return parse_expectations(Path(given).read_text(encoding="utf-8"), Path(given).name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {given}: {getattr(error, 'strerror', None) or error}") from None


def expectations(given: Expectations | str | Path | Sequence[dict[str, Any]] | None) -> Expectations:
    """Those given, or those of `load_expectations`, none for None, beside those that come with xentfuzz."""
    own = given if isinstance(given, Expectations) else load_expectations(() if given is None else given)
    return own + shipped_expectations()


def shipped_expectations() -> Expectations:
    """What xentfuzz itself knows about libraries of others (`known.toml`, beside this module)."""
    return parse_expectations(resources.files(__package__).joinpath("known.toml").read_text(encoding="utf-8"), "known.toml")


def parse_expectations(text: str, name: str) -> Expectations:
    """The expectations in TOML text; `name` is the file's, for messages."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    for key in tables.keys() - {"expected"}:
        raise UsageError(f"{name}: {UnknownName('table', key, ['expected'])}; write [[expected]] for each")
    return _expectations(tables.get("expected", []), name)


def _expectations(tables: Any, name: str) -> Expectations:
    if not isinstance(tables, list):
        raise UsageError(f"{name}: expected is a {type(tables).__name__}; write [[expected]] for each entry")
    return Expectations(tuple(_entry(table, f"{name}, entry {number}") for number, table in enumerate(tables, 1)))


def _entry(table: Any, place: str) -> Expected:
    try:
        require_known("key", map(str, table), _Table.__struct_fields__)
        read = msgspec.convert(table, _Table)
        entry = Expected(
            place, read.implementation, read.check, read.reason, read.operation, _dtypes(read.dtype), read.when, _recipe(read.recipe)
        )
        require_known("operation", [entry.operation] if entry.operation else [], operation_names())
        require_known("dtype", entry.dtypes, FLOAT_NAMES)
        require_known("feature", entry.when, feature_names(entry.operation))
        assert entry.region is not None
    except (UsageError, RecordError, msgspec.ValidationError) as error:
        raise UsageError(f"{place}: {error}") from None
    return entry


def _dtypes(written: str | list[str] | None) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else tuple(written or ())


def _recipe(written: str | dict[str, Any] | None) -> Recipe | None:
    return None if written is None else recipe_from(written)

"""One recorded failure once more: after the code was mended, at another commit, or on another machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import msgspec

from xentfuzz.errors import RecordError, UsageError, XentfuzzError
from xentfuzz.failures import record
from xentfuzz.failures.failure import Failure
from xentfuzz.failures.variants import written
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.expand import case_hashes, expand
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.registry import get

# A replay makes one call; that it passes says nothing about a bug that takes several.
ONLY_AFTER_OTHERS = "so it did when this was found, only after other calls; run the check again with the seed in the record"

# Runs a check, or all of them for None, on one recipe: the first Failure, or None. Raises UsageError where the case can't be run.
RunCheck = Callable[[Implementation, str | None, Recipe], Failure | None]


class Outcome(IntEnum):
    """How a replay ended; the numbers are exit statuses that `git bisect run` understands."""

    NO_LONGER_FAILS = 0
    STILL_FAILS = 1
    CANNOT_RUN = 125


@dataclass(frozen=True)
class Replayed:
    """message: one or more lines for a person. failure: what was found, where it still fails."""

    outcome: Outcome
    message: str
    failure: Failure | None = None


def replay(given: str, run_check: RunCheck, implementation: Implementation | None = None) -> Replayed:
    """Replay a record's file, or a recipe as one line of JSON, on `implementation`, or on the registered one that the record names.

    Nothing is ever imported because a record names it. Raises RecordError for a damaged record, UsageError for what is neither file nor
    recipe.
    """
    if given.lstrip().startswith("{"):
        return _replay_recipe(recipe_from(given), run_check, implementation)
    if not Path(given).is_file():
        raise UsageError(f"{given!r} is no file, and no recipe: a recipe is the line that begins with {{ in a report")
    return _replay_record(record.read(given), run_check, implementation)


def _replay_recipe(recipe: Recipe, run_check: RunCheck, implementation: Implementation | None) -> Replayed:
    if implementation is None:
        raise UsageError("a recipe alone doesn't say what to run it on; name a TARGET after it")
    return _run(implementation, None, recipe, run_check, ())


def _replay_record(found: Failure, run_check: RunCheck, implementation: Implementation | None) -> Replayed:
    if implementation is None:
        try:
            implementation = get(found.implementation, found.operation)
        except UsageError as error:
            hint = "name the TARGET after the record: code is never imported because a record names it"
            return Replayed(Outcome.CANNOT_RUN, f"{error}; {hint}")
    try:
        recipe, notes = _rebuilt(found)
    except RecordError as error:
        return Replayed(Outcome.CANNOT_RUN, str(error))
    replayed = _run(implementation, found.check, recipe, run_check, notes)
    if replayed.outcome == Outcome.NO_LONGER_FAILS and not found.alone:
        return Replayed(Outcome.CANNOT_RUN, "\n".join([*notes, f"{implementation.name} passes by itself: {ONLY_AFTER_OTHERS}"]))
    return replayed


def _run(implementation: Implementation, check: str | None, recipe: Recipe, run_check: RunCheck, notes: tuple[str, ...]) -> Replayed:
    if implementation.operation != recipe.operation:
        reason = f"{implementation.name} is an implementation of {implementation.operation}, the case is one of {recipe.operation}"
        return Replayed(Outcome.CANNOT_RUN, reason)
    try:
        failure = run_check(implementation, check, recipe)
    except XentfuzzError as error:
        return Replayed(Outcome.CANNOT_RUN, "\n".join([*notes, str(error)]))
    if failure is None:
        return Replayed(Outcome.NO_LONGER_FAILS, "\n".join([*notes, f"{implementation.name} no longer fails"]))
    return Replayed(Outcome.STILL_FAILS, "\n".join([*notes, f"{implementation.name} still fails: {failure.message}"]), failure)


def _rebuilt(found: Failure) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe that gives the recorded arrays, bit for bit, and what a person should know about it.

    Where the recipe gives others by now, it is one with the stored numbers written out. Raises RecordError where none are stored.
    """
    recipe = recipe_from(found.recipe)
    try:
        differing = _differing(recipe, found)
    except XentfuzzError as error:
        differing = [f"all arrays ({error})"]
    if not differing:
        return recipe, ()
    changed = f"the recipe gives other arrays by now ({', '.join(differing)})"
    if set(found.arrays) != set(found.hashes):
        raise RecordError(f"{changed}, and the recorded ones were too large to be stored")
    stored = {name: written(recipe.arrays[name], array.view()) for name, array in found.arrays.items()}
    return msgspec.structs.replace(recipe, arrays=stored), (f"{changed}; replayed with the stored ones",)


def _differing(recipe: Recipe, found: Failure) -> list[str]:
    hashes = case_hashes(expand(recipe))
    return [name for name, sha256 in found.hashes.items() if hashes.get(name) != sha256]

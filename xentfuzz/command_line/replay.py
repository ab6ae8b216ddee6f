"""`xentfuzz replay`: one recorded failure, or one recipe, once more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xentfuzz.command_line import options, status
from xentfuzz.errors import UsageError, XentfuzzError

if TYPE_CHECKING:
    from xentfuzz.failures.failure import Failure
    from xentfuzz.implementation import Implementation
    from xentfuzz.recipes.recipe import Recipe

EPILOG = (
    "Exit status: 0 no longer fails, 1 still fails, 125 cannot run here.\n\n\b\nExamples:\n"
    "  xentfuzz replay 0123456789ab kernel.py:loss\n"
    "  git bisect run xentfuzz replay value-float32.json kernel.py:loss"
)


def replay(
    record: options.Record,
    target: options.ReplayTarget = None,
    *,
    python: options.Python = None,
    rename: options.Renames = None,
    fixed: options.Fixed = None,
    reduction: options.Reduction = None,
    max_classes: options.MaxClasses = None,
    max_rows: options.MaxRows = None,
    max_logit: options.MaxLogit = None,
    supports: options.Supports = None,
) -> int:
    """Run a recorded failure or a recipe again."""
    from xentfuzz.command_line import values  # noqa: PLC0415 - the commands are imported together, for --help too

    try:
        declared = values.told(rename, fixed, reduction, max_classes, max_rows, max_logit, supports, python)
        values.require_target(target, declared)
        return _replayed(record, target, declared)
    except XentfuzzError as error:
        # At this commit, or on this machine: for git bisect that is no verdict.
        typer.echo(f"xentfuzz: {error}", err=True)
        return status.CANNOT_RUN


def _replayed(given: str, target: str | None, declared: Mapping[str, Any]) -> int:
    from xentfuzz.command_line.targets import named  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.failures.replay import replay as run_again  # noqa: PLC0415

    record = _path(given)
    recipe = _recipe(record)
    operation = recipe.operation if recipe else _operation(record)
    implementation = named([target], operation=operation, **declared)[0] if target else None
    replayed = run_again(record, _run_check, implementation)
    typer.echo(replayed.message)
    return int(replayed.outcome)


def _path(given: str) -> str:
    """The stored record whose name ends with `given`, as reports quote it; else what was given."""
    from xentfuzz.failures.store import FOLDER  # noqa: PLC0415

    if not re.fullmatch("[0-9a-f]{6,}", given) or Path(given).exists():
        return given
    found = sorted(Path(FOLDER).rglob(f"*-{given}.json"))
    if not found:
        raise UsageError(f"no record in {FOLDER} has the number {given}; give the path of one")
    return str(found[0])


def _recipe(given: str) -> Recipe | None:
    """The recipe that was given as one line, or None. Raises RecordError for a line that is none."""
    from xentfuzz.recipes.recipe import recipe_from  # noqa: PLC0415

    return recipe_from(given) if given.lstrip().startswith("{") else None


def _operation(given: str) -> str | None:
    """What the record is a case of; None where there is no such file, which `run_again` explains."""
    from xentfuzz.failures.record import read  # noqa: PLC0415

    return read(given).operation if Path(given).is_file() else None


def _run_check(implementation: Implementation, check: str | None, recipe: Recipe) -> Failure | None:
    from xentfuzz.runner.check import run_recipe  # noqa: PLC0415

    return run_recipe(implementation, check, recipe, isolate=True)

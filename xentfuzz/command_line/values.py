"""Values of options, checked before anything runs: each function raises UsageError for what does not exist."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xentfuzz import registry
from xentfuzz.checks.registry import all_checks, find_check
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import UsageError, require_known
from xentfuzz.failures import expected
from xentfuzz.failures.expected import Expectations, load_expectations
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import parse_grade
from xentfuzz.operations.options import REDUCTIONS
from xentfuzz.runner.required import check_features

Names = tuple[str, ...]
# Keys of `supports` whose value is no list of names or numbers.
WHOLE_VALUES = ("weight", "largest_class_count", "largest_row_count", "class_count_divisor", "largest_logit")


def check_names(names: Sequence[str] | None) -> Names | None:
    return tuple(find_check(name).name for name in names) if names else None


def dtypes(names: Sequence[str] | None) -> Names | None:
    """Each once, however often it was named. Raises UnknownName."""
    require_known("dtype", names or (), FLOAT_NAMES)
    return tuple(dict.fromkeys(names)) if names else None


def sizes(option: str, text: str | None) -> tuple[int, ...] | None:
    """The numbers in "16,4096". Raises UsageError for anything else."""
    return None if text is None else _numbers(option, text, ",", "16,4096")


def percent(text: str | None) -> float | None:
    """The number in "10" or "10%". Raises UsageError for anything else."""
    if text is None:
        return None
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UsageError(f"--fail-on-regression {text}: wanted a number of per cent, as in --fail-on-regression 10")
    return number


def shapes(texts: Sequence[str] | None) -> tuple[tuple[int, ...], ...] | None:
    """The sizes in each of "8x21x128x128". Raises UsageError for anything else."""
    return tuple(_numbers("--shape", text.lower(), "x", "8x21x128x128") for text in texts) if texts else None


def _numbers(option: str, text: str, separator: str, example: str) -> tuple[int, ...]:
    parts = [part.strip().replace("_", "") for part in text.split(separator)]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: wanted numbers of at least 1, as in {option} {example}")
    return tuple(map(int, parts))


def with_dtypes(implementation: Implementation, names: Names | None) -> Implementation:
    """What says nothing about its dtypes is held to those that its user names; what declares them is checked on a part of them."""
    return replace(implementation, dtypes=names) if names and implementation.dtypes is None else implementation


def operations(names: Sequence[str] | None) -> Names | None:
    """Each once. Raises UnknownName."""
    return tuple(dict.fromkeys(get_operation(name).name for name in names)) if names else None


def operation(name: str | None) -> str | None:
    return None if name is None else get_operation(name).name


def grade(text: str | None) -> str | None:
    return None if text is None else str(parse_grade(text))


def features(text: str | None) -> Names:
    names = tuple(name for part in text.split(",") if (name := part.strip())) if text else ()
    check_features(names)
    return names


def variables(texts: Sequence[str] | None) -> dict[str, str]:
    """NAME=VALUE texts as a dict."""
    pairs = [text.partition("=") for text in texts or ()]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise UsageError(f"--env {name}: wanted NAME=VALUE")
    return {name: value for name, _, value in pairs}


def renames(texts: Sequence[str] | None) -> dict[str, str]:
    """OURS=THEIRS texts as a declaration has them: the target's own name -> ours."""
    return {theirs: ours for ours, theirs in _pairs("--rename", "OURS=THEIRS", texts)}


def fixed(texts: Sequence[str] | None) -> dict[str, Any]:
    """NAME=VALUE texts, the values as Python reads them; what it can't read is a text."""
    return {name: _literal(value) for name, value in _pairs("--fixed", "NAME=VALUE", texts)}


def told(  # noqa: PLR0917 - as the commands take them
    rename: Sequence[str] | None,
    fixed_values: Sequence[str] | None,
    reduction: str | None,
    max_classes: int | None,
    max_rows: int | None,
    max_logit: float | None,
    said: Sequence[str] | None,
    python: str | None,
) -> dict[str, Any]:
    """What the options say of a target, as `resolve` takes it; nothing where they say nothing."""
    given = {
        "renames": renames(rename),
        "fixed": fixed(fixed_values),
        "supports": _with_options(entries_of_supports(said), supports(reduction, max_classes, max_rows, max_logit)),
        "python": python,
    }
    return {name: value for name, value in given.items() if value}


def require_target(targets: Sequence[str] | str | None, declared: Mapping[str, Any]) -> None:
    """Raises UsageError where options say what a target is, and none is named."""
    if declared and not targets:
        said = {
            "renames": "--rename",
            "fixed": "--fixed",
            "supports": "--reduction, --max-classes, --max-rows, --max-logit or --supports",
            "python": "--python",
        }
        raise UsageError(f"{', '.join(said[name] for name in declared)}: says what a target is; name the TARGET")


def entries_of_supports(texts: Sequence[str] | None) -> dict[str, Any]:
    """KEY=VALUE texts; several values are separated by commas, or written as Python writes them."""
    return {key: _entry(key, text) for key, text in _pairs("--supports", "KEY=VALUE", texts)}


def _entry(key: str, text: str) -> Any:
    value = _literal(text)
    if key in WHOLE_VALUES:
        return value
    if key == "options":
        if not isinstance(value, dict):
            raise UsageError(f"--supports options={text}: wanted a dict, such as options={{'reduction': ('mean', 'sum')}}")
        return value
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _with_options(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    options = {**first.get("options", {}), **second.get("options", {})}
    return {**first, **second, **({"options": options} if options else {})}


def supports(reduction: str | None, max_classes: int | None, max_rows: int | None, max_logit: float | None = None) -> dict[str, Any]:
    """What the options say of what a target takes."""
    require_known("reduction", [] if reduction is None else [reduction], REDUCTIONS)
    said = {"largest_class_count": max_classes, "largest_row_count": max_rows, "largest_logit": max_logit}
    options = {} if reduction is None else {"options": {"reduction": (reduction,)}}
    return {name: value for name, value in said.items() if value is not None} | options


def _pairs(option: str, wanted: str, texts: Sequence[str] | None) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts or ()]
    for name, equals, value in pairs:
        if not (name.isidentifier() and equals and value):
            raise UsageError(f"{option} {name}{equals}{value}: wanted {wanted}")
    return [(name, value) for name, _, value in pairs]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def expectations(path: str | None, implementations: Sequence[Implementation]) -> Expectations:
    """Those in the user's file beside those that come with xentfuzz; names in it must be known."""
    own = load_expectations(path) if path else Expectations()
    names = [implementation.name for implementation in implementations]
    for problem in own.misspelt([*names, *registry.implementations()], all_checks()) if path else ():
        raise UsageError(problem)
    return expected.expectations(own)

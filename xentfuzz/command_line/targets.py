"""From the names on the command line to implementations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xentfuzz import registry
from xentfuzz.errors import Unavailable
from xentfuzz.implementation import DEFAULT_OPERATION, Implementation


def everything() -> list[Implementation]:
    """Every implementation that is known, for each of its operations; those that cannot run here included."""
    return [registry.get(name, operation) for name in registry.implementations() for operation in _operations(name)]


def unnamed() -> list[Implementation]:
    """What a command without targets takes: every implementation but those that must be named."""
    return [implementation for implementation in everything() if not implementation.named_only]


def named(targets: Sequence[str], *, operation: str | None = None, **given: Any) -> list[Implementation]:
    """What `targets` name, with what else was `given` (see `resolve`) in the place of what they declare.

    A registered name stands for all its operations where none is chosen. Raises UsageError for an unknown or unavailable target.
    """
    return list(resolved(targets, operation=operation, **given).values())


def resolved(targets: Sequence[str], *, operation: str | None = None, **given: Any) -> dict[tuple[str, str], Implementation]:
    """The same, by (target, operation) as they were given."""
    found = {(target, each.operation): each for target in targets for each in _named(target, operation, given)}
    for implementation in found.values():
        reason = registry.availability(implementation)
        if reason is not None:
            raise Unavailable(f"{implementation.name} cannot run here: {reason}")
    return found


def timed_targets(targets: Sequence[str] | None, operations: Sequence[str], **given: Any) -> list[Implementation]:
    """What `targets` name, what need not be named where there are none. A target that is not registered is taken as each of `operations`.

    given: as for `named`.
    """
    if not targets:
        return unnamed()
    registered = registry.implementations()
    found: dict[tuple[str, str], Implementation] = {}
    for target in targets:
        for operation in [None] if target in registered else operations:
            found |= {(each.name, each.operation): each for each in named([target], operation=operation, **given)}
    return list(found.values())


def places(found: Mapping[tuple[str, str], Implementation]) -> dict[tuple[str, str], str]:
    """(name, operation) -> what was given, of those of what `resolved` gives that are no registered names."""
    return {(each.name, operation): target for (target, operation), each in found.items() if ":" in target}


def _named(target: str, operation: str | None, given: dict[str, Any]) -> list[Implementation]:
    from xentfuzz.subjects.target import resolve  # noqa: PLC0415 - what is registered needs no worker to be found

    chosen = (operation,) if operation or target not in registry.implementations() else _operations(target)
    return [resolve(target, operation=each, **given) for each in chosen]


def _operations(name: str) -> tuple[str, ...]:
    # One that failed to load has none; it stands for itself, with the reason.
    return registry.operations_of(name) or (DEFAULT_OPERATION,)

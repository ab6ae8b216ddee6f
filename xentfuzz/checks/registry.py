"""All checks, by name and by operation."""

from __future__ import annotations

from functools import cache

from xentfuzz.checks import derivatives, invalid, large, many, memory, repeat, results, shared, surroundings, threads, torch_protocol
from xentfuzz.checks.check import Check
from xentfuzz.checks.identities import identity_checks
from xentfuzz.errors import require_known
from xentfuzz.operations import get_operation, usable_operations


@cache
def checks_for(operation: str) -> tuple[Check, ...]:
    """The checks that an operation has, in the order in which reports list them."""
    stated = get_operation(operation)
    return tuple(check for check in _candidates(operation) if set(check.traits) <= stated.traits and check.family in stated.families)


def _candidates(operation: str) -> tuple[Check, ...]:
    calls = (
        *repeat.CHECKS,
        *memory.CHECKS,
        *shared.CHECKS,
        *threads.CHECKS,
        *surroundings.CHECKS,
        *torch_protocol.CHECKS,
        *derivatives.CHECKS,
        *many.CHECKS,
        *large.CHECKS,
    )
    return (*results.CHECKS, *identity_checks(operation), *calls, *invalid.CHECKS)


def all_checks() -> dict[str, Check]:
    """Every check by name."""
    return {check.name: check for operation in usable_operations() for check in checks_for(operation.name)}


def check_names() -> tuple[str, ...]:
    return tuple(all_checks())


def explain(name: str) -> str:
    """What a check demands and why. Raises UnknownName."""
    return find_check(name).explanation


def find_check(name: str) -> Check:
    checks = all_checks()
    require_known("check", [name], checks)
    return checks[name]

"""Conditions on the features of a case, as a person writes them in TOML: `label_smoothing = ">0"`, `reduction = ["mean", "sum"]`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from xentfuzz.errors import UsageError

Condition = Callable[[Any], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}


def parse_condition(written: Any) -> Condition:
    """The condition written as a value (equal to it), a list (any of them) or a string of comparisons (all of them).

    Comparisons are "> 0", ">=2, <8", and "%8=1" for what leaves 1 when divided by 8.

    A feature that has several values (the layouts of all arrays) meets a condition where one of them does. Raises UsageError for what is
    no comparison, or lacks its number.
    """
    if isinstance(written, list | tuple):
        choices = [parse_condition(choice) for choice in written]
        return lambda feature: any(choice(feature) for choice in choices)
    test = _comparisons(written) if isinstance(written, str) and written.lstrip()[:1] in ("<", ">", "=", "!", "%") else _equal_to(written)
    return lambda feature: any(map(test, feature)) if isinstance(feature, tuple | frozenset) else test(feature)


def _equal_to(wanted: Any) -> Condition:
    # A bool is no number here: `weight = true` and `label_smoothing = 1` are different things to ask for.
    return lambda feature: isinstance(feature, bool) == isinstance(wanted, bool) and bool(feature == wanted)


def _comparisons(written: str) -> Condition:
    parts = [_comparison(part.strip(), written) for part in written.split(",")]
    return lambda feature: all(part(feature) for part in parts)


def _comparison(part: str, written: str) -> Condition:
    remainder = re.fullmatch(r"%\s*([1-9]\d*)\s*==?\s*(\d+)", part)
    if remainder is not None:
        divisor, rest = int(remainder[1]), int(remainder[2])
        return lambda feature: isinstance(feature, int) and feature % divisor == rest
    match = re.fullmatch(r"(>=|<=|!=|==|>|<)\s*(\S+)", part)
    if match is None:
        raise UsageError(f"condition {written!r}: {part!r} is no comparison; write for example '>0', '>=2, <8', '%8=1' or '!=mean'")
    compare, text = _COMPARISONS[match[1]], match[2]
    wanted = _number(text)
    if wanted is None and match[1] not in ("==", "!="):
        raise UsageError(f"condition {written!r}: {text!r} is no number")
    if wanted is None:
        return lambda feature: bool(compare(feature, text))
    return lambda feature: isinstance(feature, int | float) and bool(compare(feature, wanted))


def _number(text: str) -> float | int | None:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return None

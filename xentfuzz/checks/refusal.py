"""Why an implementation doesn't take a case: what it declares, or what a probe found, against what the case needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.roles import has_labels, has_target, ignored_label, never_ignores, target_kind, target_of, weight_name, weight_of
from xentfuzz.subjects.capabilities import Capabilities


def refusal(case: Case, operation: Operation, capabilities: Capabilities, layouts: Iterable[str] = ()) -> str | None:
    """Why the implementation doesn't take the case, or None. layouts: the names of those that the case's arrays have."""
    logits = case.values[operation.arguments[0].name]
    if case.dtype not in capabilities.dtypes:
        return f"{case.dtype} {operation.arguments[0].name}"
    if logits.ndim not in capabilities.ranks:
        return f"{logits.ndim}-d {operation.arguments[0].name}"
    return (
        _target_refusal(case, capabilities)
        or _ignored_refusal(case, capabilities)
        or _option_refusal(case.options, operation, capabilities)
        or _layout_refusal(layouts, capabilities, logits.ndim)
        or _class_count_refusal(logits.shape[0 if logits.ndim == 1 else 1], capabilities)
        or _row_count_refusal(logits, capabilities)
        or _size_refusal(logits, capabilities)
    )


def _target_refusal(case: Case, capabilities: Capabilities) -> str | None:
    if not has_target(case):
        return None
    target, kind = target_of(case), target_kind(case)
    if kind not in capabilities.targets:
        return f"{kind} targets"
    if kind == "index" and target.dtype.name not in capabilities.target_dtypes:
        # A narrow dtype that is not declared is tried all the same: refusing it is fine, a wrong answer is not.
        return "int64 targets" if target.dtype.name == "int64" else None
    if weight_of(case) is not None and not capabilities.weight:
        return weight_name(case.operation)
    return None


def _ignored_refusal(case: Case, capabilities: Capabilities) -> str | None:
    """Ignored rows, where it is declared that none are: -100 is in force even without a parameter for it."""
    if not never_ignores(capabilities.options) or not has_labels(case):
        return None
    return "ignored rows" if (target_of(case) == ignored_label(case)).any() else None


def _option_refusal(options: Mapping[str, Any], operation: Operation, capabilities: Capabilities) -> str | None:
    always = {option.name for option in operation.options if option.always}
    for name, value in options.items():
        known = capabilities.options.get(name, ())
        # Where values are named the default is one of them or is not taken; where none is, it is what happens without the option.
        usual = value == operation.defaults.get(name) and name not in always and not known
        if not usual and known is not None and value not in known:
            return f"{name}={value!r}" if known else name
    return None


def _layout_refusal(layouts: Iterable[str], capabilities: Capabilities, rank: int) -> str | None:
    if not capabilities.layouts:
        return None
    refused = sorted(set(layouts) - set(capabilities.layouts_at(rank)))
    return f"{refused[0]} layout" if refused else None


def _row_count_refusal(logits: np.ndarray[Any, Any], capabilities: Capabilities) -> str | None:
    """A row is what the classes of one position are; an axis of theirs is the second one, or the only one."""
    most = capabilities.largest_row_count
    rows = logits.size // max(1, logits.shape[0 if logits.ndim == 1 else 1])
    return f"more than {most} rows" if most is not None and rows > most else None


def _size_refusal(logits: Any, capabilities: Capabilities) -> str | None:
    """Of finite numbers: infinities are special values of their own."""
    if capabilities.largest_logit is None:
        return None
    sizes = np.abs(logits.astype(np.float64))
    beyond = np.max(sizes, where=np.isfinite(sizes), initial=0.0) > capabilities.largest_logit
    return f"numbers beyond {capabilities.largest_logit:g}" if beyond else None


def _class_count_refusal(classes: int, capabilities: Capabilities) -> str | None:
    if capabilities.most_classes is not None and classes > capabilities.most_classes:
        return f"more than {capabilities.most_classes} classes"
    if classes % capabilities.class_count_divisor:
        return f"class counts that {capabilities.class_count_divisor} doesn't divide"
    return None

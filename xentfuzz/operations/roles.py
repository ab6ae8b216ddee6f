"""What the arrays and options of a case are for, whatever its operation calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import IGNORE_INDEX, REDUCE, REDUCTION, SIZE_AVERAGE
from xentfuzz.operations.targets import holds_probabilities

Array = np.ndarray[Any, Any]


def target_name(operation: str) -> str:
    """What the operation calls its target, "" where it has none."""
    target = get_operation(operation).target
    return "" if target is None else target.name


def weight_name(operation: str) -> str:
    """What the operation calls the weight of its classes, "" where it has none."""
    weight = get_operation(operation).weight
    return "" if weight is None else weight.name


def has_target(case: Case) -> bool:
    return target_name(case.operation) in case.arrays


def target_of(case: Case) -> Array:
    """The target of a case that has one."""
    return case.values[target_name(case.operation)]


def target_kind(case: Case) -> str:
    """What its target holds: "index" or "probabilities"."""
    return "probabilities" if holds_probabilities(next(iter(case.values.values())), target_of(case)) else "index"


def has_labels(case: Case) -> bool:
    """Whether it has a target of class indices."""
    return has_target(case) and target_kind(case) == "index"


def weight_of(case: Case) -> Array | None:
    return case.values.get(weight_name(case.operation))


def ignored_label(case: Case) -> Any:
    """The label whose rows are left out, None where the operation has no such option."""
    return case.options.get(IGNORE_INDEX.name)


def never_ignores(options: Mapping[str, tuple[Any, ...] | None]) -> bool:
    """Whether the values that an implementation takes say that no row is ever left out."""
    return options.get(IGNORE_INDEX.name) == ()


def reductions_taken(options: Mapping[str, tuple[Any, ...] | None]) -> tuple[Any, ...] | None:
    """Of the values that an implementation takes, those of the reduction; None for all."""
    return options.get(REDUCTION.name, ())


def is_overridden(case: Case) -> bool:
    """Whether an older option decides what the reduction is."""
    return any(case.options.get(option.name) is not None for option in (SIZE_AVERAGE, REDUCE))


def with_reduction(case: Case, reduction: str) -> Case:
    return replace(case, options={**case.options, REDUCTION.name: reduction})

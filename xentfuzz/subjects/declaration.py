"""Whether the names that an implementation declares mean something: a misspelt one would only leave cases out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from xentfuzz.dtypes import FLOAT_NAMES, TARGET_NAMES
from xentfuzz.errors import UnknownName, UsageError
from xentfuzz.implementation import RANKS, TARGET_KINDS, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import parse_grade
from xentfuzz.recipes.layouts import LAYOUTS

# Without their numbers. Host arrays may go with any of them: a kernel can move them to its device itself.
DEVICES = ("cpu", "cuda", "gpu", "mps", "rocm", "tpu", "xpu")


def require_known_names(implementation: Implementation) -> None:
    """Raises UsageError, with the nearest name, for one that does not exist."""
    for what, given, known in _names(implementation):
        if isinstance(given, str):
            raise UsageError(f"{implementation.name}: {what} is the text {given!r}; wanted a sequence of {', '.join(map(str, known))}")
        for name in given:
            if name not in known:
                raise UsageError(f"{implementation.name}: {UnknownName(what, str(name), map(str, known))}")
    grades = [implementation.grade] if isinstance(implementation.grade, str) else implementation.grade.values()
    for grade in grades:
        parse_grade(grade)


def _loss_dtype_names(loss_dtype: str | Mapping[str, str] | None) -> tuple[str, ...]:
    if loss_dtype is None or isinstance(loss_dtype, str):
        return () if loss_dtype is None else (loss_dtype,)
    return (*loss_dtype, *loss_dtype.values())


def _names(implementation: Implementation) -> Iterator[tuple[str, Iterable[object], tuple[object, ...]]]:
    """What is named, the names, and those that there are."""
    operation = get_operation(implementation.operation)
    arguments = tuple(argument.name for argument in operation.arguments)
    supports = implementation.supports or {}
    yield "device", (implementation.device.partition(":")[0],), DEVICES
    yield "dtypes", implementation.dtypes or (), FLOAT_NAMES
    yield "loss_dtype", _loss_dtype_names(implementation.loss_dtype), FLOAT_NAMES
    yield "grade's dtype", () if isinstance(implementation.grade, str) else tuple(implementation.grade), FLOAT_NAMES
    yield "mutates", implementation.mutates, (*arguments, "grad_output")
    yield "supports targets", supports.get("targets", ()), operation.target_kinds or TARGET_KINDS
    yield "supports target_dtypes", supports.get("target_dtypes", ()), TARGET_NAMES
    yield "supports ranks", supports.get("ranks", ()), RANKS
    yield "supports layouts", supports.get("layouts", ()), tuple(LAYOUTS)
    for option in operation.options:
        if isinstance(option.default, str) and not callable(option.values):
            yield f"value of {option.name} in supports", supports.get("options", {}).get(option.name) or (), option.values
    yield "supports gradients", supports.get("gradients", ()), arguments
    yield "supports options", tuple(supports.get("options", ())), tuple(option.name for option in operation.options)

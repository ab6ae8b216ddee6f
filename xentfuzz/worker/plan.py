"""What a worker must know to load an implementation and to call it: plain data, sent once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """functions: of "forward", "backward", "value_and_grad", each a callable or a reference (see `reference.py`).

    positional: arrays passed by position, in order, the first one being what gradients are taken of; optional: arrays passed by keyword
    where given; differentiable: those whose gradients autodiff is asked for. defaults: option -> default; always: options passed even then;
    in_force: option -> what a function does that has no parameter for it.
    spelling: ours -> the functions' own; fixed: own spelling -> value that is always passed.
    unavailable: a reference to its test of availability, where that says nothing in any other process.
    """

    name: str
    operation: str
    functions: Mapping[str, Callable[..., Any] | str]
    array: str
    device: str
    positional: tuple[str, ...]
    optional: tuple[str, ...]
    differentiable: tuple[str, ...]
    defaults: Mapping[str, Any]
    always: frozenset[str] = frozenset()
    in_force: Mapping[str, Any] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    unavailable: str | None = None

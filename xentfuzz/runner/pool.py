"""The subjects of a run: each implementation of each operation is opened once, on first use, and closed at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from xentfuzz import registry
from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.metered import Metered
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.subject import Subject


class Pool:
    """Opens subjects lazily; a context manager that closes them. isolate: None lets each implementation's declaration decide.

    seconds: that there are for each of those that are opened next.
    """

    def __init__(self, isolate: bool | None, seconds: float = math.inf) -> None:
        self.isolate = isolate
        self.seconds = seconds
        self.opened: dict[tuple[str, str], Metered] = {}

    def open(self, implementation: Implementation) -> Metered:
        """The subject of an implementation. Raises UsageError or Unavailable where it cannot be loaded."""
        key = (implementation.name, implementation.operation)
        if key not in self.opened:
            self.opened[key] = open_subject(implementation, isolate=self.isolate, seconds=self.seconds)
        return self.opened[key]

    def siblings(self, implementation: Implementation) -> Mapping[str, Subject]:
        """The same implementation's other operations, opened when they are asked for."""
        return Siblings(self, implementation)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for subject in self.opened.values():
            subject.close()


def require_distinct(implementations: Sequence[Implementation]) -> None:
    """Raises UsageError where two share name and operation, by which reports tell them apart."""
    seen: set[tuple[str, str]] = set()
    for implementation in implementations:
        key = (implementation.name, implementation.operation)
        if key in seen:
            twice = f"{implementation.name} is given twice for {implementation.operation}"
            raise UsageError(f"{twice}: give one of the two another name=, or leave it out")
        seen.add(key)


class Siblings(Mapping[str, Subject]):
    """operation -> Subject of the implementations registered under one name; only what is asked for is opened."""

    def __init__(self, pool: Pool, implementation: Implementation) -> None:
        self.pool = pool
        self.name = implementation.name
        registered = implementation.operation in registry.operations_of(self.name)
        same = registered and registry.get(self.name, implementation.operation) == implementation
        self.operations = registry.operations_of(self.name) if same else ()

    def __getitem__(self, operation: str) -> Subject:
        if operation not in self.operations:
            raise KeyError(operation)
        return self.pool.open(registry.get(self.name, operation))

    def __iter__(self) -> Iterator[str]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

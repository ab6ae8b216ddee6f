"""The implementations that are known by name: registered ones, and those of the entry points `xentfuzz.implementations`.

An entry point is `name = "module:attribute"`, the attribute an Implementation or a sequence of them. Nothing is loaded before the first
lookup; an entry point that fails to load is listed as unavailable, with the reason, and takes no other one along. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from xentfuzz.errors import UnknownName
from xentfuzz.implementation import DEFAULT_OPERATION, Implementation

GROUP = "xentfuzz.implementations"
Key = tuple[str, str]


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


@dataclass
class Registry:
    """Implementations by (name, operation). `found` lists the entry points; each is loaded at most once."""

    found: Callable[[], Iterable[EntryPoint]] = _installed
    known: dict[Key, Implementation] = field(default_factory=dict)
    broken: dict[str, Implementation] = field(default_factory=dict)
    references: dict[Key, str] = field(default_factory=dict)
    waiting: list[EntryPoint] | None = None

    def register(self, implementation: Implementation, reference: str | None = None) -> None:
        """Raises ValueError where (name, operation) is taken."""
        key = implementation.name, implementation.operation
        if key in self.known:
            raise ValueError(f"{key[0]!r} is registered for {key[1]} already; give the new implementation another name")
        self.known[key] = implementation
        if reference is not None:
            self.references[key] = reference

    def get(self, name: str, operation: str) -> Implementation:
        """Loads the entry point of that name first, the others only if it is not enough."""
        self._load(lambda entry: entry.name == name)
        if (name, operation) not in self.known and name not in self.broken:
            self._load(lambda _: True)
        if (name, operation) in self.known:
            return self.known[name, operation]
        if name in self.broken:
            return replace(self.broken[name], operation=operation)
        others = [other for known, other in self.known if known == name]
        if others:
            raise UnknownName(f"operation of {name}:", operation, others)
        raise UnknownName("implementation", name, self.names())

    def operations(self, name: str) -> tuple[str, ...]:
        """The operations that are registered under `name`; none for one that failed to load."""
        self._load(lambda _: True)
        return tuple(sorted(operation for known, operation in self.known if known == name))

    def names(self) -> list[str]:
        self._load(lambda _: True)
        return sorted({name for name, _ in self.known} | set(self.broken))

    def reference(self, implementation: Implementation) -> str | None:
        """Where another process finds this very object: "module:attribute", "module:attribute.2" in a sequence; None if unknown."""
        key = implementation.name, implementation.operation
        return self.references.get(key) if self.known.get(key) is implementation else None

    def _load(self, wanted: Callable[[EntryPoint], bool]) -> None:
        if self.waiting is None:
            self.waiting = list(self.found())
        now = [entry for entry in self.waiting if wanted(entry)]
        self.waiting = [entry for entry in self.waiting if not wanted(entry)]
        for entry in now:
            self._load_one(entry)

    def _load_one(self, entry: EntryPoint) -> None:
        try:
            for implementation, reference in _members(entry.load(), entry.value):
                self.register(implementation, reference)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises, the others are still listed
            reason = f"{entry.value} failed to load: {type(error).__name__}: {error}"
            taken = any(name == entry.name for name, _ in self.known)
            name = f"{entry.name} ({entry.value})" if taken else entry.name
            self.broken[name] = Implementation(name, entry.value, unavailable=lambda: reason)


def _members(loaded: Any, reference: str) -> Iterator[tuple[Implementation, str]]:
    if isinstance(loaded, Implementation):
        yield loaded, reference
        return
    if not isinstance(loaded, Sequence) or not all(isinstance(member, Implementation) for member in loaded):
        raise TypeError(f"wanted an Implementation or a sequence of them, got {type(loaded).__name__}")
    for index, member in enumerate(loaded):
        yield member, f"{reference}.{index}"


_REGISTRY = Registry()


def register(implementation: Implementation) -> None:
    """Make an implementation known by name. Raises ValueError where its (name, operation) is taken."""
    _REGISTRY.register(implementation)


def get(name: str, operation: str = DEFAULT_OPERATION) -> Implementation:
    """The implementation of that name, unavailable ones included. Raises UnknownName with the nearest name."""
    return _REGISTRY.get(name, operation)


def implementations() -> list[str]:
    """The sorted names of all implementations, unavailable ones included."""
    return _REGISTRY.names()


def operations_of(name: str) -> tuple[str, ...]:
    """The operations that an implementation is registered for; none where it failed to load."""
    return _REGISTRY.operations(name)


def reference_of(implementation: Implementation) -> str | None:
    """Where another process finds a registered implementation, or None."""
    return _REGISTRY.reference(implementation)


def availability(implementation: Implementation) -> str | None:
    """Why an implementation cannot run here, or None. A check of availability that fails is itself a reason.

    What runs in another interpreter is asked there, when it is loaded.
    """
    test = implementation.unavailable
    if test is None or isinstance(test, str) or implementation.python is not None:
        return None
    try:
        return test()
    except Exception as error:  # noqa: BLE001 - a stranger's function; its failure is the answer
        return f"its test of availability raised {type(error).__name__}: {error}"

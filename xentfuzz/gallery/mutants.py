"""Mutants of the honest implementations, as entries of the gallery; the survivors that are no bugs are listed with the reason."""

from __future__ import annotations

import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

from xentfuzz.gallery.entry import Entry
from xentfuzz.gallery.mutation import Mutation, mutations

SOURCES = ("cross_entropy", "honest_arithmetic")
CATEGORY = "MUTANT"
PREFIX = "M"
# What every kernel can answer: one row, no option.
SECONDS_FOR_AN_ANSWER = 2.0
PLAIN_LOGITS, PLAIN_TARGET = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]], [0, 1]


@cache
def mutants() -> Mapping[str, Entry]:
    """identifier -> Entry, in the order of the sources. An equivalent mutant is an honest entry."""
    reasons = _equivalent()
    return MappingProxyType(
        {f"{PREFIX}{number:03}": _entry(number, source, one, reasons) for number, (source, one) in enumerate(_all(), 1)}
    )


def is_mutant(identifier: str) -> bool:
    """Whether the identifier has the form of a mutant's."""
    return identifier.startswith(PREFIX) and identifier[len(PREFIX) :].isdecimal()


def answers(entry: Entry) -> bool:
    """Whether the mutant answers a plain call; one that cannot even do that proves nothing about who finds it. For the main thread."""
    logits, target = np.array(PLAIN_LOGITS, np.float32), np.array(PLAIN_TARGET)
    try:
        with time_limit(SECONDS_FOR_AN_ANSWER):
            kernel = entry.kernel()
            shapes = np.shape(kernel.forward(logits, target)), np.shape(kernel.backward(np.float32(1), logits, target))
    except Exception:  # noqa: BLE001 - whatever a mutant raises
        return False
    return shapes == ((), logits.shape)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in code that goes on for longer: a slip in the condition of a loop may make it endless."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@cache
def unused_reasons() -> tuple[str, ...]:
    """Names in the list of equivalent mutants that no mutation has (any more)."""
    return tuple(sorted(set(_equivalent()) - {one.name for _, one in _all()}))


def _all() -> Iterator[tuple[str, Mutation]]:
    for source in SOURCES:
        yield from ((source, one) for one in mutations((files("xentfuzz.gallery") / f"{source}.py").read_text()))


def _entry(number: int, source: str, one: Mutation, reasons: Mapping[str, str]) -> Entry:
    return Entry(
        id=f"{PREFIX}{number:03}",
        category=CATEGORY,
        tier=0,
        reference=f"mutation of {source}",
        mechanism=one.name,
        kernel=_kernel(f"{source}_{PREFIX}{number:03}", one),
        honest=reasons.get(one.name),
        declares=_declared(source, one),
        isolated=True,  # it may loop without end
    )


def _kernel(name: str, one: Mutation) -> Callable[[], Any]:
    """Makes the kernel of the class that the mutation is in, or of the first public class that inherits from it."""

    def make() -> Any:
        module = ModuleType(f"xentfuzz.gallery.mutants.{name}")
        sys.modules[module.__name__] = module  # dataclasses look their module up there
        exec(compile(one.tree(), module.__name__, "exec"), module.__dict__)  # noqa: S102 - our own source, with one slip
        return _kernel_with(module, one.owner)

    return make


def _kernel_with(module: ModuleType, name: str) -> Any:
    """A kernel that has the code of the class of this name."""
    owner = module.__dict__.get(name)
    kinds = [kind for kind in module.__dict__.values() if isinstance(kind, type) and not kind.__name__.startswith("_")]
    heirs = [kind for kind in kinds if owner is not None and issubclass(kind, owner) and hasattr(kind, "forward")]
    return (heirs or [module.__dict__["CrossEntropy"]])[0]()


def original(entry: Entry) -> Any:
    """The honest kernel that a mutant was made from."""
    return _original(*next((source, one) for source, one in _all() if (source, one.name) == (entry.reference.split()[-1], entry.mechanism)))


def _original(source: str, one: Mutation) -> Any:
    return _kernel_with(import_module(f"xentfuzz.gallery.{source}"), one.owner)


def _declared(source: str, one: Mutation) -> Mapping[str, Any]:
    """What the original declares: without it a laxer grade, or sums in a random order, would be found, and not the slip."""
    shelf, kind = getattr(import_module(f"xentfuzz.gallery.{source}"), "SHELF", None), type(_original(source, one))
    return next((entry.declares for entry in shelf.entries.values() if entry.kernel is kind), {}) if shelf else {}


@cache
def equivalent(*, same_bits: bool) -> tuple[Entry, ...]:
    """The mutants that are no bugs: those that give the bits of their originals wherever the contract defines a result, or the others."""
    names = {name for group in _groups() if group.get("same_bits", False) is same_bits for name in group["mutants"]}
    return tuple(entry for entry in mutants().values() if entry.mechanism in names)


@cache
def _equivalent() -> Mapping[str, str]:
    """Mutation's name -> why it is no bug."""
    return {name: group["reason"] for group in _groups() for name in group["mutants"]}


@cache
def _groups() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = tomllib.loads((files("xentfuzz.gallery") / "equivalent_mutants.toml").read_text())["group"]
    return groups

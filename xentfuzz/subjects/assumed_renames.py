"""Parameters under other names than ours: taken for ours where a few tiny calls give what they would if they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Operation, Option, Plain
from xentfuzz.operations.options import REDUCTION
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.signature import other_names
from xentfuzz.subjects.subject import Subject

# Far wider than any rounding of so small a loss, and far narrower than what another meaning of the parameter would make.
RELATIVE, ABSOLUTE = 0.02, 2e-3
# Of the logits, for which smoothing, weights and ignored rows make a difference.
SCALE = 8.0


class Renameable(Subject, Protocol):
    """A subject that has been loaded, and whose parameters may still be called by other names."""

    def assume_renames(self, renames: dict[str, str]) -> None:
        """Pass what we call `ours` under its own name: own -> ours."""


def assume_renames(subject: Renameable, description: Mapping[str, Any]) -> tuple[str, ...]:
    """Have the subject's unexplained parameters stand for ours of similar names as far as calls bear that out; a note for each."""
    implementation = subject.implementation
    operation = get_operation(implementation.operation)
    if operation.plain is None or not (implementation.supports is None or implementation.probed):
        return ()
    meaning = _Meaning(subject, operation, operation.plain)
    declared, assumed = dict(implementation.renames), dict[str, str]()
    try:
        for renames in _largest_first(other_names(description, implementation, operation)):
            subject.assume_renames({**declared, **renames})
            if meaning.is_borne_out(renames.values()):
                assumed = renames
            if assumed or meaning.crashed:
                break
    finally:
        if subject.implementation.renames != {**declared, **assumed}:
            subject.assume_renames(declared)
    return tuple(_note(own, ours) for own, ours in assumed.items())


def _largest_first(guesses: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """As many as possible together first: one that is left at a default of its own makes every call look wrong."""
    for count in range(len(guesses), 0, -1):
        for chosen in combinations(guesses.items(), count):
            if len({ours for _, ours in chosen}) == count:
                yield dict(chosen)


def _note(own: str, ours: str) -> str:
    return f"{own!r} is taken for {ours}, which tiny calls bear out; where it is another thing, --fixed {own}=... leaves it alone"


@dataclass
class _Meaning:
    """Whether parameters mean what their names are taken for. crashed: a call did not come back; no other is tried then."""

    subject: Subject
    operation: Operation
    plain: Plain
    crashed: bool = False

    def is_borne_out(self, names: Iterable[str]) -> bool:
        base = next((sample for sample in self._commonest() if self._is_plain(sample)), None)
        return base is not None and all(self._heeds(name, base) for name in names)

    def _commonest(self) -> Iterator[Sample]:
        for kind in self.operation.target_kinds or ("index",):
            yield Sample(self.operation, targets=kind, scale=SCALE)
        yield Sample(self.operation, target_dtype="int32", scale=SCALE)

    def _heeds(self, name: str, base: Sample) -> bool:
        """Whether a call that the parameter decides about gives what it should."""
        option = next((option for option in self.operation.options if option.name == name), None)
        telling = [replace(base, weight=True)] if option is None else _with_other_values(option, base)
        plainly = self._plain(base)
        return any(self._is_plain(sample) for sample in telling if not np.allclose(self._plain(sample), plainly, RELATIVE, ABSOLUTE))

    def _is_plain(self, sample: Sample) -> bool:
        """Whether a call gives about what a plain evaluation gives."""
        if self.crashed:
            return False  # a hang costs a time limit each time
        outcome = self.subject.call(sample.call())
        self.crashed = outcome.crash is not None
        value = (outcome.results or {}).get("value")
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fV":
            return False
        if value.shape == (sample.rows,) and REDUCTION.name in self.operation.defaults:
            sample = replace(sample, options={**sample.options, REDUCTION.name: "none"})
        wanted = self._plain(sample)
        return value.shape == wanted.shape and np.allclose(value.astype(np.float64), wanted, RELATIVE, ABSOLUTE)

    def _plain(self, sample: Sample) -> np.ndarray[Any, Any]:
        call = sample.call()
        return self.plain.value(Case(self.operation.name, sample.dtype, call.arrays, call.options), "float64")


def _with_other_values(option: Option, base: Sample) -> Iterator[Sample]:
    values = option.values(base.shape, base.targets) if callable(option.values) else option.values
    for value in values:
        if value != option.default:
            yield replace(base, options={**base.options, option.name: value})

"""Finds out which layouts are refused: every array of a call lies in the one that is tried, its upstream gradient too.

A layout is what it is called only from some rank on, and targets and losses have fewer axes than logits: what is refused of matrices may be
seen there or at another rank only. What one rank refuses another may take, and get wrong: a refusal counts where it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xentfuzz.operations.options import REDUCTION
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.declared import AUTODIFF
from xentfuzz.subjects.outcome import FUNCTIONS, NOT_TRIED, Outcome
from xentfuzz.subjects.probe_calls import ProbeCalls
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.subject import Subject

# Between them they have every stride that is commonly refused: none of one element, and 0.
SCREEN = ("fortran", "expanded")
# What has to do with memory alone is the same at every rank.
SAME_AT_EVERY_RANK = ("contiguous", "inside_larger_buffer", "unaligned", "read_only")


@dataclass
class LayoutProbe:
    """base: a call that works; found: what is taken besides layouts; upstream: shape and dtype of the base call's value.

    refused: as `refusals` gives it. answered: (function, rank, layout) that were taken, or refused for another reason.
    alike: (function, rank, other rank, axes) -> whether the other rank refuses, of layouts of that many axes, what the first one does.
    not_tried: layouts for which no call was left, at some rank or for some function.
    calls: makes a call, or gives NOT_TRIED when no more may be made; what is likeliest to be refused is tried first.
    confirmed: layout -> whether it was refused elsewhere, too, and on purpose.
    """

    subject: Subject
    base: Sample
    found: Capabilities
    upstream: tuple[tuple[int, ...], str]
    calls: ProbeCalls
    refused: dict[str, dict[int, str]] = field(default_factory=dict)
    answered: set[tuple[str, int, str]] = field(default_factory=set)
    alike: dict[tuple[str, int, int, int], bool] = field(default_factory=dict)
    not_tried: dict[str, None] = field(default_factory=dict)
    confirmed: dict[str, bool] = field(default_factory=dict)
    plain_answers: dict[tuple[str, int], bool] = field(default_factory=dict)

    def refusals(self) -> Mapping[str, Mapping[int, str]]:
        """Layout -> rank of the logits -> why it is refused there, in the words of the implementation."""
        first, *others = self._functions()
        self._try(first, self.base.rank, self._strided())
        self._try(first, max(self.found.ranks), [name for name in self._strided() if LAYOUTS[name].minimum_rank > self.base.rank])
        if self.refused:
            self._try_other_ranks(first)
        for function in others:
            if self._try(function, max(self.found.ranks), SCREEN):
                self._try(function, max(self.found.ranks), self._strided())
        self._try(first, self.base.rank, SAME_AT_EVERY_RANK[1:])
        return self.refused

    def _functions(self) -> list[Sample]:
        """A plain call of each function that answers one; autodiff's backward calls forward too."""
        implementation = self.subject.implementation
        derived = implementation.backward is None and implementation.array in AUTODIFF
        names = [name for name in FUNCTIONS if name in self.found.functions]
        samples = [self._plain(name) for name in names if not (derived and name == "forward" and "backward" in names)]
        return [sample for sample in samples if sample is not None] or [self.base]

    def _plain(self, function: str) -> Sample | None:
        """None where it refuses even that: no layout is to blame then."""
        if function == "forward":
            return replace(self.base, weight=self.found.weight)
        plain = replace(self.base, function=function, weight=self.found.weight)
        if function == "value_and_grad":
            return plain if self.calls.call(plain).accepted else None
        # An upstream gradient of one number has hardly any layout.
        separate = [{REDUCTION.name: "none"}] if self._takes_none() else []
        samples = (self._with_upstream(replace(plain, options={**plain.options, **options})) for options in (*separate, {}))
        return next((sample for sample in samples if self.calls.call(sample).accepted), None)

    def _takes_none(self) -> bool:
        values = self.found.options.get(REDUCTION.name, ())
        return values is None or "none" in values

    def _with_upstream(self, sample: Sample) -> Sample:
        shape, dtype = self.upstream
        if shape == self.base.shape:
            shape = sample.shape
        elif sample.options.get(REDUCTION.name) == "none":
            shape = sample.shape[:1] + sample.shape[2:] if sample.rank > 1 else ()
        return replace(sample, upstream=(shape, dtype))

    def _strided(self) -> list[str]:
        """The layouts of strides that are not refused so far."""
        return [name for name in self.found.layouts if name not in self.refused and name not in SAME_AT_EVERY_RANK]

    def _try(self, plain: Sample, rank: int, layouts: Sequence[str]) -> bool:
        """Whether one was refused that had not been so far."""
        reasons: dict[str, str] = {}
        for name in layouts:
            if name in self.found.layouts and name not in self.refused and rank >= LAYOUTS[name].minimum_rank:
                reason = self._refusal_at(plain, rank, name, self._reason_of_screen())
                if reason is not None:
                    reasons[name] = reason
        for name, reason in reasons.items():
            self.refused[name] = {rank: reason}
        self._try_at_other_ranks(plain, rank, reasons)
        return bool(reasons)

    def _refusal_at(self, plain: Sample, rank: int, layout: str, untried: str | None = None) -> str | None:
        """Why the layout is refused, None where it is not; `untried` where no call is left."""
        outcome = self._call_at(plain, rank, layout)
        if outcome is NOT_TRIED:
            if untried is not None and layout not in SAME_AT_EVERY_RANK:
                return untried
            self.not_tried[layout] = None
            return None
        if outcome.accepted or not self._answers_plain(plain, rank) or not self._is_confirmed(plain, rank, layout, outcome):
            self.answered.add((plain.function, rank, layout))
            return None
        return outcome.refusal

    def _is_confirmed(self, plain: Sample, rank: int, layout: str, outcome: Outcome) -> bool:
        if layout not in self.confirmed:
            self.confirmed[layout] = self.calls.is_missing(self._sample(plain, rank, layout), outcome)
        return self.confirmed[layout]

    def _reason_of_screen(self) -> str | None:
        """What has refused all of the screen is not accused of refusing the rest where no call is left to find out."""
        reasons = [reason for name in SCREEN for reason in self.refused.get(name, {}).values()]
        return reasons[0] if all(name in self.refused for name in SCREEN) else None

    def _try_at_other_ranks(self, plain: Sample, rank: int, reasons: Mapping[str, str]) -> None:
        """Which of the other ranks refuse what this one does: there are not enough calls to try each layout at each rank."""
        for other in self.found.ranks:
            there = [name for name in reasons if other != rank and LAYOUTS[name].minimum_rank <= other]
            for name in self._refused_alike(plain, rank, other, there):
                self.refused[name][other] = reasons[name]

    def _refused_alike(self, plain: Sample, rank: int, other: int, layouts: Sequence[str]) -> list[str]:
        """Those that go by one that stands for them. One of many axes that is refused stands for those of fewer too.

        One that is taken does not: targets and losses have fewer axes than logits.
        """
        named = [name for name in layouts if (plain.function, other, name) not in self.answered]
        for axes in sorted({LAYOUTS[name].minimum_rank for name in named}, reverse=True):
            key = (plain.function, rank, other, axes)
            if key not in self.alike:
                example = next(name for name in named if LAYOUTS[name].minimum_rank == axes)
                self.alike[key] = self._refusal_at(plain, other, example) is not None
            if self.alike[key]:
                return [name for name in named if LAYOUTS[name].minimum_rank <= axes]
        return []

    def _call_at(self, plain: Sample, rank: int, layout: str) -> Outcome:
        return self.calls.call(self._sample(plain, rank, layout))

    def _sample(self, plain: Sample, rank: int, layout: str) -> Sample:
        sample = replace(plain, rank=rank, layout=layout)
        return sample if sample.upstream is None else self._with_upstream(sample)

    def _answers_plain(self, plain: Sample, rank: int) -> bool:
        """Whether the layout is to blame: options and ranks that are taken one by one may be refused together."""
        key = (plain.function, rank)
        if key not in self.plain_answers:
            self.plain_answers[key] = rank == plain.rank or self._call_at(plain, rank, "contiguous").accepted
        return self.plain_answers[key]

    def _try_other_ranks(self, plain: Sample) -> None:
        """The other layouts of strides: of targets and losses that have several axes, and of a single row."""
        for rank in dict.fromkeys((max(self.found.ranks), min(self.found.ranks))):
            if rank != plain.rank:
                self._try(plain, rank, self._strided())


def taken_nowhere(refusals: Mapping[str, Mapping[int, str]], ranks: Sequence[int]) -> set[str]:
    """The layouts that are refused at every rank at which they are layouts of their own."""
    return {name for name, by_rank in refusals.items() if all(rank in by_rank for rank in ranks if rank >= LAYOUTS[name].minimum_rank)}


def refused_at(refusals: Mapping[str, Mapping[int, str]], ranks: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Rank -> the layouts that are refused there, but not at every rank."""
    partly = [name for name in refusals if name not in taken_nowhere(refusals, ranks)]
    found = {rank: tuple(name for name in partly if rank in refusals[name]) for rank in ranks}
    return {rank: names for rank, names in found.items() if names}


def refusal_lines(refusals: Mapping[str, Mapping[int, str]], ranks: Sequence[int], argument: str) -> list[str]:
    """One line for all layouts that are refused in the same words, figures left aside, at the same ranks of the first argument."""
    everywhere = taken_nowhere(refusals, ranks)
    lines: dict[tuple[str, str], list[str]] = {}
    reasons = {name: next(iter(by_rank.values())) for name, by_rank in refusals.items()}
    for name, by_rank in refusals.items():
        where = "" if name in everywhere else f" of {', '.join(f'{rank}-d' for rank in sorted(by_rank))} {argument}"
        lines.setdefault((re.sub(r"[-\d(),\s]+", " ", reasons[name]), where), []).append(name)
    return [f"rejects {', '.join(names)} layouts{where}: {reasons[names[0]]}" for (_, where), names in lines.items()]

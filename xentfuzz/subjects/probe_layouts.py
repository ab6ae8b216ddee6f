"""Finds out which layouts are refused: every array of a call lies in the one that is tried, its upstream gradient too.

A layout is what it is called only from some rank on, and targets and losses have fewer axes than logits: what is refused of matrices may be
seen there or at another rank only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.declared import AUTODIFF
from xentfuzz.subjects.outcome import FUNCTIONS, Outcome
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.subject import Subject

# Between them they have every stride that is commonly refused: none of one element, and 0.
SCREEN = ("fortran", "expanded")
# What has to do with memory alone is the same at every rank.
SAME_AT_EVERY_RANK = ("contiguous", "inside_larger_buffer", "unaligned", "read_only")


@dataclass
class LayoutProbe:
    """base: a call that works; found: what is taken besides layouts; upstream: shape and dtype of the base call's value.

    call: makes a call, or an empty acceptance when no more may be made; what is likeliest to be refused is tried first.
    """

    subject: Subject
    base: Sample
    found: Capabilities
    upstream: tuple[tuple[int, ...], str]
    call: Callable[[Sample], Outcome]
    refused: dict[str, str] = field(default_factory=dict)
    plain_answers: dict[tuple[str, int], bool] = field(default_factory=dict)

    def refusals(self) -> Mapping[str, str]:
        """Layout -> why it is refused, in the words of the implementation."""
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
            return plain if self.call(plain).accepted else None
        # An upstream gradient of one number has hardly any layout.
        separate = [{"reduction": "none"}] if self._takes_none() else []
        samples = (self._with_upstream(replace(plain, options={**plain.options, **options})) for options in (*separate, {}))
        return next((sample for sample in samples if self.call(sample).accepted), None)

    def _takes_none(self) -> bool:
        values = self.found.options.get("reduction", ())
        return values is None or "none" in values

    def _with_upstream(self, sample: Sample) -> Sample:
        shape, dtype = self.upstream
        if shape == self.base.shape:
            shape = sample.shape
        elif sample.options.get("reduction") == "none":
            shape = sample.shape[:1] + sample.shape[2:] if sample.rank > 1 else ()
        return replace(sample, upstream=(shape, dtype))

    def _strided(self) -> list[str]:
        """The layouts of strides that are not refused so far."""
        return [name for name in self.found.layouts if name not in self.refused and name not in SAME_AT_EVERY_RANK]

    def _try(self, plain: Sample, rank: int, layouts: Sequence[str]) -> bool:
        """Whether one was refused that had not been so far."""
        before = len(self.refused)
        for name in layouts:
            if name in self.found.layouts and name not in self.refused and rank >= LAYOUTS[name].minimum_rank:
                outcome = self._call_at(plain, rank, name)
                if not outcome.accepted and self._answers_plain(plain, rank):
                    self.refused[name] = outcome.refusal
        return len(self.refused) > before

    def _call_at(self, plain: Sample, rank: int, layout: str) -> Outcome:
        sample = replace(plain, rank=rank, layout=layout)
        return self.call(sample if sample.upstream is None else self._with_upstream(sample))

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


def refusal_lines(refusals: Mapping[str, str]) -> list[str]:
    """One line for all layouts that are refused in the same words, figures left aside."""
    lines: dict[str, list[str]] = {}
    for name, reason in refusals.items():
        lines.setdefault(re.sub(r"[-\d(),\s]+", " ", reason), []).append(name)
    return [f"rejects {', '.join(names)} layouts: {refusals[names[0]]}" for names in lines.values()]

"""The calls of a probe: how many may be made, and whether what one refuses is a feature that is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.deliberate import is_deliberate
from xentfuzz.subjects.outcome import NOT_TRIED, Outcome
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.subject import Subject

MOST_CALLS = 40
# Beside these, calls by which a refusal has to be confirmed at other shapes and values.
MOST_CONFIRMATIONS = 40
# A hang costs the time of a compilation: after so many the checks may find the rest.
MOST_CRASHES = 2
COSTLY_SECONDS = 0.3


@dataclass
class ProbeCalls:
    """declared: what is known before the probe. base: a call that works, as soon as one is known.
    made, confirmations, crashes: how many there were.
    changed: arguments that were overwritten.
    doubtful: calls that end as no refusal of a feature does, or that are refused while others of their kind are not.
    """

    subject: Subject
    declared: Capabilities
    base: Sample | None = None
    made: int = 0
    confirmations: int = 0
    crashes: int = 0
    compile_seconds: float = 0.0
    changed: set[str] = field(default_factory=set)
    doubtful: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.made = self.subject.implementation.tried_calls

    def call(self, sample: Sample) -> Outcome:
        """One call; NOT_TRIED when no more may be made."""
        if self.made >= MOST_CALLS or self.crashes >= MOST_CRASHES:
            return NOT_TRIED
        self.made += 1
        return self._answer(sample)

    def is_taken(self, sample: Sample) -> bool:
        """Whether a call that confirms a refusal is answered; False when no more may be made."""
        if self.confirmations >= MOST_CONFIRMATIONS or self.crashes >= MOST_CRASHES:
            return False
        self.confirmations += 1
        answer = self._answer(sample)
        return answer.accepted and answer is not NOT_TRIED

    def is_missing(self, sample: Sample, outcome: Outcome) -> bool:
        """Whether a call was refused for a feature that it has: on purpose, and at other shapes and values, too."""
        options = [f"{value!r}" for value in sample.options.values()] + list(sample.options)
        names = (sample.dtype, sample.target_dtype, *options)
        if is_deliberate(outcome, self.declared.array, names) and self._is_refused_elsewhere(sample, names):
            return True
        self.doubtful.append(refused_words(sample, outcome))
        return False

    def _is_refused_elsewhere(self, sample: Sample, names: tuple[str, ...]) -> bool:
        # What compiles for each shape is confirmed at one other.
        others = sample.elsewhere(self.declared.largest_row_count, self.declared.largest_class_count)
        for other in others[: 1 if self.compile_seconds > COSTLY_SECONDS else None]:
            if self.confirmations >= MOST_CONFIRMATIONS or self.crashes >= MOST_CRASHES:
                break
            self.confirmations += 1
            again = self._answer(other)
            if again is NOT_TRIED:
                break
            if again.crash is not None and self._crashes_at(other):
                continue  # so does a plain call of that size: it says nothing of the feature
            if again.accepted or not is_deliberate(again, self.declared.array, names):
                return False
        return True

    def _crashes_at(self, size: Sample) -> bool:
        """Whether the call that works ends so, too, with as many rows and classes."""
        return self.base is not None and self._answer(replace(self.base, rows=size.rows, classes=size.classes)).crash is not None

    def _answer(self, sample: Sample) -> Outcome:
        outcome = self.subject.call(sample.call())
        self.crashes += outcome.crash is not None
        self.changed |= {*outcome.changed}
        return outcome


def refused_words(sample: Sample, outcome: Outcome) -> str:
    """The call, and how it ended."""
    return f"{_words(sample)}: {outcome.refusal}"


def _words(sample: Sample) -> str:
    has_target = sample.operation.target is not None
    kind = sample.target_dtype if sample.targets == "index" else sample.targets
    options = {**sample.operation.defaults, **sample.options}
    always = "".join(f" with {option.name}={options[option.name]}" for option in sample.operation.options if option.always)
    layout = "" if sample.layout == "contiguous" else f" {sample.layout}"
    first = f"{sample.dtype}{layout} {sample.operation.arguments[0].name} of shape {sample.shape}"
    return f"{first}{f' with {kind} targets' if has_target else ''}{always}"

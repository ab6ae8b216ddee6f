"""One implementation on one input: how its result is verified and how a turn of its rounds is timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.checks.protocol import perform
from xentfuzz.checks.results import judge_output
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import Failure
from xentfuzz.subjects.outcome import Outcome
from xentfuzz.subjects.subject import Subject

# Calls are repeated within a turn of about this length, after one that is not counted: the threads of the implementation whose turn it was
# before may still spin, and the processor has to come back to speed.
TURN_SECONDS = 0.03
MOST_REPEATS = 16
# What a turn may take beyond a multiple of the first call before it counts as hanging.
PATIENCE_SECONDS, PATIENCE_CALLS = 10.0, 8


@dataclass
class Contender:
    """status: "timed", or why there is no time: "failed", "unsupported". first_call: seconds, with compiling.

    way: how its name is shown where it is timed in two ways. turns: the seconds of each round, by turn; floor: of rounds that do nothing.
    pools: what its libraries say about their numbers of threads.
    """

    measure: str
    functions: tuple[str, ...]
    trial: Trial
    threads: int
    way: str = ""
    status: str = "timed"
    reason: str = ""
    first_call: float = 0.0
    turns: list[list[float]] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    pools: str = ""

    @property
    def name(self) -> str:
        return f"{self.trial.subject.implementation.name}{self.way}"

    @property
    def active(self) -> bool:
        return self.status == "timed"

    @property
    def seconds(self) -> list[float]:
        """Of every round."""
        return [seconds for turn in self.turns for seconds in turn]

    def verify(self) -> None:
        """Hold the results of one call of each function, the first, against the exact result and its bound."""
        self._guarded(self._verify)
        self.first_call = sum(outcome.seconds for outcome in self.trial.outcomes.values())
        # The results have served; the arrays of a large case are not kept while others are timed.
        self.trial.outcomes.clear()

    def turn(self) -> None:
        """Some rounds in a row, several where a call is short."""
        self._guarded(lambda: self._note(self._perform(results=False)))

    def confirm(self) -> None:
        """Hold the results of a round that was timed, after all others, against the exact result."""
        self._guarded(self._confirm)
        self.trial.outcomes.clear()

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Unsupported as reason:
            self.status, self.reason = "unsupported", str(reason)
        except Failure as failure:
            self.status, self.reason = "failed", failure.message.partition("\n")[0]

    def _verify(self) -> None:
        for function in self.functions:
            evaluation = self.trial.sum_evaluation if function == "value_and_grad" else self.trial.evaluation
            for output in self.trial.results(function):
                judge_output(self.trial, function, output, evaluation)

    def _confirm(self) -> None:
        found = self._perform(results=True)
        for number, function in enumerate(self.functions):
            prefix = f"{number}."
            results = {name.removeprefix(prefix): result for name, result in found.items() if name.startswith(prefix)}
            self.trial.outcomes[function] = Outcome(results)
        self._verify()

    def _perform(self, *, results: bool) -> Mapping[str, Any]:
        implementation = self.trial.subject.implementation
        return perform(
            self.trial,
            "timing",
            [(function, self.trial.case) for function in self.functions],
            seconds=PATIENCE_SECONDS + PATIENCE_CALLS * self.first_call,
            rounds=MOST_REPEATS,
            duration=TURN_SECONDS,
            threads=self.threads,
            overwrites=bool(implementation.mutates or implementation.aliases),
            results=results,
        )

    def _note(self, found: Mapping[str, Any]) -> None:
        self.turns.append([float(seconds) for seconds in found["seconds"]])
        self.floor += [float(seconds) for seconds in found["floor"]]
        self.pools = found["threads"]


def ways_for(measure_is_value: bool, subject: Subject) -> dict[str, tuple[str, ...]]:
    """What is called, in this order, to get the result, or the result with its gradient, by what is added to the implementation's name.

    A gradient may be had in two ways: in one call of value_and_grad, and by forward and backward. Empty where there is none. With autodiff
    the backward call runs the forward pass too, and its time covers both.
    """
    available = subject.capabilities.functions
    if measure_is_value:
        return {"": ("forward",)}
    ways: dict[str, tuple[str, ...]] = {}
    if "value_and_grad" in available:
        ways[""] = ("value_and_grad",)
    if "backward" in available:
        apart = ("backward",) if subject.implementation.backward is None else ("forward", "backward")
        ways[" (2 calls)" if ways else ""] = apart
    return ways

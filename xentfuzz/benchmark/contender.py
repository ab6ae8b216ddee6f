"""One implementation on one input: how its result is verified and how one round of it is timed."""

from __future__ import annotations

from dataclasses import dataclass, field

from xentfuzz.checks.results import judge_output
from xentfuzz.checks.trial import Trial, Unsupported, call, unwrap
from xentfuzz.failures.failure import Failure
from xentfuzz.subjects.subject import Subject

LOSS = "loss"
LOSS_AND_GRADIENT = "loss+gradient"
MEASURES = (LOSS, LOSS_AND_GRADIENT)

# Calls are repeated within a turn of about this length, after one that is not counted: the threads of the implementation whose turn it was
# before may still spin, and the processor has to come back to speed.
TURN_SECONDS = 0.03
MOST_REPEATS = 8


@dataclass
class Contender:
    """status: "timed", or why there is no time: "failed", "unsupported". first_call: seconds, with compiling; seconds: of each round."""

    measure: str
    functions: tuple[str, ...]
    trial: Trial
    status: str = "timed"
    reason: str = ""
    first_call: float = 0.0
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.trial.subject.implementation.name

    @property
    def active(self) -> bool:
        return self.status == "timed"

    def verify(self) -> None:
        """Hold the results of one call of each function, the first, against the exact result and its bound."""
        try:
            for function in self.functions:
                _verify(self.trial, function)
            self.first_call = sum(self.trial.outcome(function).seconds for function in self.functions)
        except Unsupported as reason:
            self.status, self.reason = "unsupported", str(reason)
        except Failure as failure:
            self._fail(failure)
        # The results have served; the arrays of a large case are not kept while others are timed.
        self.trial.outcomes.clear()

    def turn(self) -> None:
        """Some rounds in a row, several where a call is short."""
        try:
            warm = self._round()
            repeats = min(MOST_REPEATS, int(TURN_SECONDS / max(warm, 1e-9)))
            self.seconds += [self._round() for _ in range(repeats)] or [warm]
        except Failure as failure:
            self._fail(failure)

    def _round(self) -> float:
        return sum(self._timed(function) for function in self.functions)

    def _timed(self, function: str) -> float:
        outcome = call(self.trial.subject, function, self.trial.case, self.trial.value_dtype)
        unwrap(outcome, function, layout_refused=False)
        return outcome.seconds

    def _fail(self, failure: Failure) -> None:
        self.status, self.reason = "failed", failure.message.partition("\n")[0]


def functions_for(measure: str, subject: Subject) -> tuple[str, ...]:
    """What is called, in this order, to get the loss or the loss and its gradient; () where the implementation has no gradient.

    With autodiff the backward call runs the forward pass too, and its time covers both.
    """
    available = subject.capabilities.functions
    if measure == LOSS:
        return ("forward",)
    if "value_and_grad" in available:
        return ("value_and_grad",)
    if "backward" not in available:
        return ()
    return ("backward",) if subject.implementation.backward is None else ("forward", "backward")


def _verify(trial: Trial, function: str) -> None:
    """Raises a Failure where an output of `function` is outside its bound, Unsupported where there is nothing to compare."""
    evaluation = trial.sum_evaluation if function == "value_and_grad" else trial.evaluation
    for output in trial.results(function):
        judge_output(trial, function, output, evaluation)

"""An implementation that is called in this process: fastest, and without protection from what it does to the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray, fresh_arrays
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.errors import Terminated, Unavailable
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.clock import CLOCK
from xentfuzz.subjects.comparison import changed_arguments
from xentfuzz.subjects.interrupts import SignalWatch
from xentfuzz.subjects.outcome import Call, Outcome
from xentfuzz.subjects.planning import plan_of, spelling_of, values_in_force
from xentfuzz.subjects.specialisation import Specialisations, specialisation
from xentfuzz.worker.callee import Answer, Callee
from xentfuzz.worker.describe import describe_callee
from xentfuzz.worker.libraries.library import Collected
from xentfuzz.worker.texts import raised_from

FLUSHES = (
    "it sets flush-to-zero for the whole thread, as gcc's -ffast-math does when it links: "
    "what else runs there loses its subnormal numbers; it was judged with them"
)


def results_of(answer: Answer, *, copy: bool) -> dict[str, np.ndarray[Any, Any] | float | int | str] | None:
    """The results as NumPy arrays of their own dtype."""
    if answer.results is None:
        return None
    return {name: _array(result, copy=copy) if isinstance(result, Collected) else result for name, result in answer.results.items()}


def _array(result: Collected, *, copy: bool) -> np.ndarray[Any, Any]:
    bits = np.array(result.bits, copy=True, order="C") if copy else result.bits
    return bits.view(numpy_dtype(result.dtype))


class InProcess:
    """Raises UsageError where the implementation can't be loaded, Unavailable where its array library is missing."""

    capabilities: Capabilities
    isolated = False

    def __init__(self, implementation: Implementation) -> None:
        self.implementation = implementation
        try:
            self.callee = Callee(plan_of(implementation, elsewhere=False))
        except ImportError as error:
            raise Unavailable(f"{implementation.name} needs {implementation.array}: {error}") from error
        self.specialisations = Specialisations()
        self.notices: set[str] = set()

    def describe(self) -> dict[str, Any]:
        """The form and the parameters of each function."""
        return describe_callee(self.callee)

    def differentiate(self, arguments: tuple[str, ...]) -> None:
        """Ask autodiff for the gradients of these arguments only."""
        self.callee.plan = replace(self.callee.plan, differentiable=arguments)

    def assume_renames(self, renames: dict[str, str]) -> None:
        """Pass what we call `ours` under its own name: own -> ours."""
        self.implementation = replace(self.implementation, renames=renames)
        self.callee.plan = replace(self.callee.plan, spelling=spelling_of(self.implementation))

    def assume_options(self, options: dict[str, tuple[Any, ...]]) -> None:
        """Take these values of options as declared, and the rest as not."""
        self.implementation = replace(self.implementation, supports={"options": options}, probed=True)
        self.callee.plan = replace(self.callee.plan, in_force=values_in_force(self.implementation))

    def call(self, call: Call) -> Outcome:
        fresh = fresh_arrays(call.arrays)
        key = specialisation(call)
        delay = CLOCK.delay()
        answer = self._answer(call.function, fresh, call.options)
        answer = replace(answer, seconds=max(0.0, answer.seconds - CLOCK.delay() + delay))
        # Copied before anything else runs: the result may lie in memory that the next call uses again.
        results = results_of(answer, copy=True)
        new = self.specialisations.is_new(key)
        self.specialisations.note(key, call, answer.seconds)
        self.notices.update(notices_of(answer))
        return outcome_of(answer, results, call.arrays, fresh, compiled=new)

    def _answer(self, function: str, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]) -> Answer:
        watch = SignalWatch()
        try:
            with watch:
                return self.callee.call(function, arrays, options)
        except Terminated:
            raise
        except KeyboardInterrupt as error:
            if watch.arrived:
                raise
            return Answer(raised=raised_from(error), seconds=self.callee.seconds)

    def close(self) -> None:
        """Nothing to release."""


def notices_of(answer: Answer) -> tuple[str, ...]:
    """What a user should know of an answer, and what is no finding."""
    return (FLUSHES,) if answer.flushes else ()


def outcome_of(
    answer: Answer,
    results: Mapping[str, Any] | None,
    before: Mapping[str, StridedArray],
    after: Mapping[str, StridedArray],
    *,
    compiled: bool,
    notes: Mapping[str, Any] | None = None,
) -> Outcome:
    """An answer together with what the call did to its arguments."""
    changed, outside = changed_arguments(before, after)
    more = {**(notes or {}), **({"written_outside": outside} if outside else {})}
    return Outcome(results, answer.unsupported, answer.raised, answer.crash, changed, answer.seconds, compiled, more, answer.unusable)

"""One usual way of checking on one entry of the gallery."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from xentfuzz.errors import require_known
from xentfuzz.gallery.catalogue import entry
from xentfuzz.gallery.mutants import time_limit
from xentfuzz.power.parallel import Work, in_processes
from xentfuzz.power.usual.callee import Callee
from xentfuzz.power.usual.case import Array, Case, Close
from xentfuzz.power.usual.methods import METHODS

# Every comparison takes a fraction of a second; a mutant may loop without end.
SECONDS_FOR_A_CASE = 20.0
# The plainest of the honest implementations.
PLAIN = "two_pass_shift"
# Making a method's cases takes seconds, so that a process keeps them for many entries.
TASKS_PER_PROCESS = 200


@dataclass(frozen=True)
class UsualTask:
    method: str
    entry: str


@dataclass(frozen=True)
class Examination:
    """found: how the implementation gave itself away, "" where it did not. compared: cases, up to that one; 0 where its declaration leaves
    out all of them. seconds: in its calls and the comparisons. dropped: how it gave itself away in the cases that a plain right
    implementation does not pass; they are no part of the other figures, as nobody keeps a test that right code fails. left_out: how many.
    """

    method: str
    entry: str
    found: str = ""
    compared: int = 0
    seconds: float = 0.0
    dropped: str = ""
    left_out: int = 0


def examine_all(tasks: Sequence[UsualTask], jobs: int) -> Iterator[Examination]:
    """In the order in which they are done. Tasks of one method should follow each other."""
    return in_processes(EXAMINING, tasks, jobs)


def examine(task: UsualTask) -> Examination:
    """For the main thread of a process. Raises UnknownName."""
    cases = cases_of(task.method)
    began = time.perf_counter()
    found, compared = _first_difference(task.entry, cases.kept)
    seconds = round(time.perf_counter() - began, 4)
    dropped, _ = _first_difference(task.entry, cases.dropped)
    return Examination(task.method, task.entry, found, compared, seconds, dropped, len(cases.dropped))


@dataclass(frozen=True)
class Cases:
    """kept: those that a plain right implementation passes, dropped: those that it does not."""

    kept: Sequence[Case]
    dropped: Sequence[Case]


@cache
def cases_of(method: str) -> Cases:
    """Raises UnknownName."""
    require_known("usual way of checking", [method], METHODS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = METHODS[method].cases()
    passed = [not _difference(Callee(entry(PLAIN)), case) for case in made]
    return Cases(*([case for case, right in zip(made, passed, strict=True) if right is wanted] for wanted in (True, False)))


def _first_difference(name: str, cases: Sequence[Case]) -> tuple[str, int]:
    """The difference, "" where there is none, and how many cases were compared."""
    callee, compared = Callee(entry(name)), 0
    for case in cases:
        if callee.refuses(case):
            continue
        compared += 1
        difference = _difference(callee, case)
        if difference:
            return difference, compared
    return "", compared


def _difference(callee: Callee, case: Case) -> str:
    try:
        with time_limit(SECONDS_FOR_A_CASE), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            loss, gradient = callee.loss_and_gradient(case)
            return _fault("loss", loss, case.loss, case.loss_close) or _fault("gradient", gradient, case.gradient, case.gradient_close)
    except Exception as error:  # noqa: BLE001 - whatever an implementation raises gives it away
        return f"raised {type(error).__name__}"


def _fault(what: str, actual: Array | None, expected: Array | None, close: Close | None) -> str:
    if actual is None or expected is None or close is None:
        return ""
    if actual.shape != expected.shape:
        return f"{what} of another shape"
    return "" if close(actual, expected) else f"{what} differs"


def _died(task: UsualTask) -> Examination:
    return Examination(task.method, task.entry, found="its process died", compared=1)


EXAMINING = Work(examine, _died, TASKS_PER_PROCESS)

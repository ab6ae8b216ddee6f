"""An implementation of one operation in a run: its subject, the checks that apply, and what was found so far."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.checks.check import Check
from xentfuzz.checks.stricter import StricterGrades
from xentfuzz.checks.trial import UNLIMITED, Affordable
from xentfuzz.failures.failure import Failure
from xentfuzz.operations.grades import parse_grade
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.cells import Cell
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space
from xentfuzz.runner.beside_plain import BesidePlain
from xentfuzz.runner.deadline import (
    BUSY,
    CALLS,
    FINDINGS,
    FINDINGS_WITH_SLOW_CRASHES,
    NEW_SHAPES,
    TRYING,
    TRYING_WITH_FINDINGS,
    TRYING_WITH_SLOW_CRASHES,
)
from xentfuzz.runner.few_shapes import FewShapes
from xentfuzz.runner.measured import Measured
from xentfuzz.runner.results import CheckResult
from xentfuzz.runner.sizing import Sizing
from xentfuzz.subjects.clock import CLOCK
from xentfuzz.subjects.cost import FRESH
from xentfuzz.subjects.harness_errors import ErrorLog
from xentfuzz.subjects.metered import SLOW_CRASHES, Metered
from xentfuzz.subjects.subject import Subject

# A crash costs a new worker, a hang a time limit: after so many of one kind the rest of the corpus is skipped for this implementation.
CRASHES_OF_ONE_KIND = 3


@dataclass(frozen=True)
class Origin:
    """Where a failing recipe was drawn: enough to draw it again and shrink it."""

    space: Space
    seed: int
    count: int


# So many cases of one kind in one check are kept, each with features of its own: another cause may be among them.
KEPT_CASES = 24


@dataclass(frozen=True)
class Seen:
    """A case that failed. origin: None where it was not drawn."""

    recipe: Recipe
    origin: Origin | None


@dataclass
class Found:
    """The first failure of one kind in one check, before shrinking. dtypes: all in which that kind was seen.

    origin: None where it was not drawn. others: later cases of that kind in that check, by what is special about them.
    """

    check: Check
    recipe: Recipe
    failure: Failure
    origin: Origin | None
    dtypes: list[str] = field(default_factory=list)
    times: int = 0
    others: dict[Hashable, Seen] = field(default_factory=dict)

    @property
    def seen(self) -> tuple[Seen, ...]:
        """The first case and the others that were kept."""
        return Seen(self.recipe, self.origin), *self.others.values()


@dataclass(frozen=True)
class JudgedRecording:
    """What became of recorded arrays. cases: how many were compared; left_out: the reasons against the others."""

    name: str
    cases: int
    left_out: tuple[str, ...]


@dataclass
class Contestant:
    """meter: what limits the calls of `subject`, which may be it or call it. siblings: the same implementation's other operations, by
    name. tried: cases of corpora and searches.

    crashes: (kind, whether a hazardous check met it) -> how often.
    first_failure: nothing more is tried once something was found. compared: what the compared cases had (see `coverage.py`); sizes: the
    cells of class counts and rows that they lay in.
    damaged: whether its worker has accepted what it should have refused, and is given up before the next ordinary call.
    wrong_alone: see `Trial`; None once no more cases are drawn. explained_by: findings of earlier runs whose cause was seen again.
    allowed: seconds for all that is done about it, of which `seconds` are gone, on a clock that stands still while other
    processes have the processor (see `CLOCK`); planned: calls that its profile has for it.
    unaffordable: reason -> (check, dtype) -> cases that were left for the time that they would have taken.
    sparing: nothing that a compiler has not seen yet is tried where something else will do.
    """

    operation: Operation
    subject: Subject
    meter: Metered
    siblings: Mapping[str, Subject]
    checks: tuple[Check, ...]
    results: dict[tuple[str, str], CheckResult] = field(default_factory=dict)
    found: dict[tuple[str, str], Found] = field(default_factory=dict)
    policies: dict[str, Counter[str]] = field(default_factory=dict)
    unsupported: Counter[str] = field(default_factory=Counter)
    unaffordable: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    crashes: Counter[tuple[str, bool]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    wall_seconds: float = 0.0
    tried: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    sizes: set[Cell] = field(default_factory=set)
    stricter: dict[str, StricterGrades] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    beside_plain: BesidePlain = field(default_factory=BesidePlain)
    recordings: list[JudgedRecording] = field(default_factory=list)
    wrong_alone: Counter[str] | None = field(default_factory=Counter)
    first_failure: bool = False
    damaged: bool = False
    interrupted: bool = False
    explained_by: list[Failure] = field(default_factory=list)
    errors: ErrorLog = field(default_factory=ErrorLog)
    allowed: float = math.inf
    planned: int = 0
    sparing: bool = False
    few_shapes: FewShapes = field(init=False)

    def __post_init__(self) -> None:
        self.few_shapes = FewShapes(self.operation)

    @property
    def name(self) -> str:
        return self.subject.implementation.name

    def stricter_in(self, dtype: str) -> StricterGrades:
        """The grades stricter than the declared one that everything compared in a dtype has met."""
        if dtype not in self.stricter:
            self.stricter[dtype] = StricterGrades.than(parse_grade(self.subject.implementation.grade_for(dtype)))
        return self.stricter[dtype]

    def result(self, check: Check, dtype: str) -> CheckResult:
        return self.results.setdefault((check.name, dtype), CheckResult(check.name, dtype))

    @property
    def gave_up(self) -> str | None:
        """Why no further ordinary case is tried, or None."""
        return self.gave_up_on(hazardous=False)

    def gave_up_on(self, *, hazardous: bool) -> str | None:
        """The same of the checks that may damage the process, or of the others.

        What invalid input does to the process says nothing of valid input, and is counted by itself.
        """
        if self.first_failure and self.found:
            return "stopped at the first failure"
        if self.meter.given_up("forward"):
            return "skipped after forward did not come back"
        often = (kind for (kind, of), times in self.crashes.items() if of == hazardous and times >= CRASHES_OF_ONE_KIND)
        kind = next(often, None)
        return f"skipped after {CRASHES_OF_ONE_KIND} failures of kind {kind}" if kind else None

    @property
    def is_done(self) -> bool:
        """Whether no case of any check is tried any more."""
        return self.is_over or all(self.gave_up_on(hazardous=hazardous) for hazardous in (False, True))

    @property
    def is_over(self) -> bool:
        """Whether the time for trying cases is used up; whatever else the machine does, it ends in a small multiple of it."""
        return self.seconds >= self._trying or self.wall_seconds >= BUSY * self._trying

    @property
    def _trying(self) -> float:
        if self._crashed_slowly:
            return self.allowed * TRYING_WITH_SLOW_CRASHES
        return self.allowed * (TRYING_WITH_FINDINGS if self.found else TRYING)

    @property
    def until_findings(self) -> float:
        """Seconds that are left until the smallest cases have been found."""
        return self.allowed * (FINDINGS_WITH_SLOW_CRASHES if self._crashed_slowly else FINDINGS) - self.seconds

    @property
    def _crashed_slowly(self) -> bool:
        return any(kind in SLOW_CRASHES for _, kind in self.found)

    @contextmanager
    def timed(self, already: float = 0.0) -> Iterator[None]:
        """Count what is done within, and `already` seconds more, as time of this contestant; its calls end with the time for trying."""
        began, began_wall = CLOCK.now(), time.monotonic()
        self.meter.until = began + self._trying - self.seconds
        try:
            yield
        finally:
            self.seconds += already + CLOCK.now() - began
            self.wall_seconds += already + time.monotonic() - began_wall

    def is_slow(self, space: Space) -> bool:
        """Whether what a profile has of a space takes more than the time that there is: for its sizes, or for a new shape in each case."""
        return self.meter.costs.evident and (self._sizing.fit(space) != space or self._compiles(space.dtype))

    def affordable(self, space: Space, cost: str = "call") -> Space:
        """The part of a space from which the next case of a slow implementation is drawn, for checks of that cost."""
        sized = self._sizing.fit(space, CALLS.get(cost, 1))
        if not self._compiles(space.dtype):
            return sized
        spent = self.meter.costs.spent_fresh
        return self.few_shapes.narrow(sized, new=not self.sparing and spent < NEW_SHAPES * self.seconds)

    def affordable_rows(self, dtype: str) -> Affordable:
        """What a check that makes dozens of calls may give them."""
        return self._sizing.of_many_calls(dtype, CALLS["protocol"]) if self.meter.costs.evident else UNLIMITED

    @property
    def _sizing(self) -> Sizing:
        return Sizing(self.meter.costs, self.allowed)

    def _compiles(self, dtype: str) -> bool:
        return self.meter.costs.rate(dtype, FRESH) * self.planned > NEW_SHAPES * self.allowed


@contextmanager
def errors_kept(contestants: Sequence[Contestant], doing: str, recipe: Recipe | None = None) -> Iterator[None]:
    """A block that is for several contestants: what goes wrong with the harness in it is told of each."""
    case: dict[str, Any] = {} if recipe is None else {"dtype": recipe.dtype, "recipe": recipe.to_dict()}
    with ExitStack() as stack:
        log = ErrorLog()
        stack.callback(lambda: [contestant.errors.add(error) for contestant in contestants for error in log.errors])
        stack.enter_context(log.kept(doing, **case))
        yield

"""Running the corpora of one operation: every exact result is computed once, and the streams of all groups take turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xentfuzz.checks.trial import Trial
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.agreement import Agreement
from xentfuzz.runner.contestant import Contestant, errors_kept
from xentfuzz.runner.corpus import Corpus, Group, Plan, corpora, fewest_compared, groups
from xentfuzz.runner.events import Progress
from xentfuzz.runner.examine import judge_all, note, refused, trial_of
from xentfuzz.runner.schedule import run_streams
from xentfuzz.runner.shared_evaluation import SharedEvaluation
from xentfuzz.subjects.clock import CLOCK


@dataclass
class GroupStream:
    """The cases of a group of checks in a dtype, one at a time; see `schedule.Stream`."""

    plan: Plan
    group: Group
    dtype: str
    contestants: Sequence[Contestant]
    agreement: Agreement
    wanted: int
    done: int = 0
    _cases: Iterator[tuple[Corpus, Recipe]] = field(init=False)

    def __post_init__(self) -> None:
        self._cases = _cases(self.plan, self.group, self.dtype, self.contestants)

    @property
    def name(self) -> str:
        return self.group.names[0]

    @property
    def hazardous(self) -> bool:
        return self.group.hazardous

    @property
    def cheap(self) -> bool:
        return self.group.cost == "call" and not self.group.draws and not self.hazardous

    @property
    def progress(self) -> float:
        return self.done / max(self.wanted, 1)

    @property
    def compared(self) -> bool:
        return all(fewest_compared(self.group, contestant, self.dtype) for contestant in self.contestants)

    def advance(self, *, first: bool) -> bool:
        for contestant in self.contestants:
            contestant.sparing = first
        corpus, recipe = next(self._cases, (None, None))
        if corpus is None or recipe is None:
            return False
        if not self.hazardous:
            give_up_damaged(self.contestants)
        failed = self._failures()
        trials = _run_recipe(self.plan, corpus, recipe)
        self.done += 1
        if self.group.is_of_plain_calls:
            with errors_kept(corpus.contestants, "comparing implementations", recipe):
                self.agreement.note(trials)
        for contestant, before, now in zip(self.contestants, failed, self._failures(), strict=True):
            contestant.damaged |= now > before
        name = corpus.contestants[0].name
        total = max(self.wanted, self.done)
        self.plan.progress(Progress(name, self.plan.operation.name, self.name, self.dtype, "corpus", self.done, total))
        return True

    def _failures(self) -> list[int]:
        return [sum(found.times for found in contestant.found.values()) if self.hazardous else 0 for contestant in self.contestants]


def give_up_damaged(contestants: Sequence[Contestant]) -> None:
    """Workers that accepted what they should have refused, so that nothing later can be blamed on the damage.

    Not after each such case: a new worker costs half a second, and a kernel that refuses nothing would cost one a case.
    """
    for contestant in contestants:
        if contestant.damaged:
            contestant.subject.close()
            contestant.damaged = False


def _cases(plan: Plan, group: Group, dtype: str, contestants: Sequence[Contestant]) -> Iterator[tuple[Corpus, Recipe]]:
    for corpus in corpora(plan, group, dtype, contestants):
        origin = corpus.origin
        for recipe in draw_corpus(origin.space, origin.seed, origin.count)[corpus.skipped :]:
            if all(contestant.gave_up_on(hazardous=group.hazardous) for contestant in corpus.contestants) or _too_slow_for(corpus):
                break
            yield corpus, recipe


def _too_slow_for(corpus: Corpus) -> bool:
    """Whether the only contestant has turned out to be slow; what it lacks is then drawn from what it can afford."""
    alone = len(corpus.contestants) == 1 and not corpus.affordable
    return alone and corpus.contestants[0].is_slow(corpus.origin.space)


def run_corpora(plan: Plan, contestants: Sequence[Contestant], dtypes: Sequence[str], agreement: Agreement) -> None:
    """Every group of checks on every dtype, in turns, until all has been run or the time is over."""
    streams = [
        GroupStream(plan, group, dtype, able, agreement, plan.count(group, all(one.subject.implementation.simulator for one in able)))
        for dtype in dtypes
        for hazardous in (False, True)
        for group in groups(contestants, hazardous=hazardous)
        if (able := [one for one in contestants if dtype in one.subject.capabilities.dtypes and group.checks(one, dtype)])
    ]
    for _ in run_streams(streams):
        if plan.deadline.has_passed() or all(contestant.is_done for contestant in contestants):
            break
    give_up_damaged(contestants)
    for contestant in contestants:
        contestant.sparing = False


def _run_recipe(plan: Plan, corpus: Corpus, recipe: Recipe) -> list[Trial]:
    """The trials of those who take the case; what is done for all of them counts as time of each by equal parts."""
    began = CLOCK.now()
    running = [contestant for contestant in corpus.contestants if not contestant.is_over]
    trials: list[Trial] = []
    with errors_kept(running, "evaluating a case", recipe):
        case = expand(recipe)
        evaluation = SharedEvaluation(plan.operation.evaluate(case))
        shared = (CLOCK.now() - began) / max(len(running), 1)
        for contestant in running:
            with contestant.timed(shared):
                trial = trial_of(contestant, case, evaluation)
                contestant.tried += 1
                contestant.few_shapes.note(recipe)
                if _judge(plan, corpus, recipe, contestant, trial):
                    trials.append(trial)
    return trials


def _judge(plan: Plan, corpus: Corpus, recipe: Recipe, contestant: Contestant, trial: Trial) -> bool:
    """Judge the case by the group's checks; False where the contestant doesn't take it."""
    operation = plan.operation.name
    checks = [
        check
        for check in corpus.group.checks(contestant, recipe.dtype)
        if not plan.excluded(contestant.name, operation, check.name, recipe.dtype, recipe)
    ]
    reason = contestant.gave_up_on(hazardous=corpus.group.hazardous) or refused(contestant, recipe, trial.case)
    if reason is None:
        judge_all(contestant, checks, recipe, trial, corpus.origin)
        if corpus.group.is_of_plain_calls:
            with errors_kept([contestant], "comparing with a plain evaluation", recipe):
                contestant.beside_plain.note(trial, recipe)
        return True
    contestant.unsupported[reason] += 1
    for check in checks:
        note(contestant, check, recipe, None, corpus.origin)
    return False

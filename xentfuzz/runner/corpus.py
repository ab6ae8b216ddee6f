"""The common corpus: the same cases, drawn from the seed alone, on every implementation; each exact result is computed once."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xentfuzz.checks.check import Check
from xentfuzz.checks.trial import Trial
from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space
from xentfuzz.runner.agreement import Agreement
from xentfuzz.runner.contestant import Contestant, Origin, errors_kept
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.events import Progress
from xentfuzz.runner.examine import Excluded, judge_all, note, refused, trial_of
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.shared_evaluation import SharedEvaluation
from xentfuzz.runner.spaces import common_space, opt_in_space, own_space

# Options that only some signatures have are drawn in a share of the cases of their own.
OPT_IN_SHARE = 4

# A check that can compare next to nothing is not worth more than so many times its cases.
LOWEST_RATE = 0.3
ATTEMPTS = 3


@dataclass(frozen=True)
class Plan:
    """What the corpora are drawn from. examples: cases for each (check, dtype) instead of the profile's."""

    operation: Operation
    profile: Profile
    seed: int
    examples: int | None
    deadline: Deadline
    excluded: Excluded
    progress: Callable[[Progress], None]

    def derived_seed(self, *parts: object) -> int:
        """A seed for one corpus: the same on every machine, different for every corpus."""
        return zlib.crc32("/".join(map(str, (self.seed, self.operation.name, *parts))).encode())

    def count(self, group: Group, simulator: bool) -> int:
        wanted = self.examples
        if wanted is None:
            wanted = self.profile.identities if group.draws else self.profile.cases[group.family]
        most = self.profile.most.get(group.cost, wanted)
        simulated = self.profile.simulated_cases if group.cost == "call" else self.profile.simulated_protocols
        return min(wanted, most, simulated) if simulator else min(wanted, most)


@dataclass(frozen=True)
class Group:
    """Checks that look at the same cases."""

    family: str
    draws: dict[str, Any]
    cost: str
    names: tuple[str, ...]

    @property
    def is_of_plain_calls(self) -> bool:
        """Whether its cases are ordinary ones, drawn for no check in particular."""
        return self.family == "ordinary" and not self.draws and self.cost == "call"

    def checks(self, contestant: Contestant, dtype: str) -> tuple[Check, ...]:
        """Those of a contestant that are tried in a dtype."""
        capabilities = contestant.subject.capabilities
        named = (check for check in contestant.checks if check.name in self.names and check.cost_on(capabilities.device) == self.cost)
        return tuple(check for check in named if check.passes_over(dtype, capabilities) is None)


def groups(contestants: Sequence[Contestant], *, hazardous: bool) -> list[Group]:
    """The hazardous or the other checks of all contestants, grouped by what their cases are drawn from."""
    found: dict[tuple[str, str, str], Group] = {}
    pairs = ((check, contestant.subject.capabilities.device) for contestant in contestants for check in contestant.checks)
    for check, device in ((check, device) for check, device in pairs if check.hazardous == hazardous):
        cost = check.cost_on(device)
        key = (check.family, cost, repr(sorted(check.draws.items())))
        group = found.get(key, Group(check.family, dict(check.draws), cost, ()))
        if check.name not in group.names:
            found[key] = replace(group, names=(*group.names, check.name))
    return list(found.values())


@dataclass(frozen=True)
class Corpus:
    """Cases of one dtype, as drawn from `origin`, for the checks of a group on some contestants."""

    group: Group
    origin: Origin
    contestants: tuple[Contestant, ...]


def run_corpora(plan: Plan, contestants: Sequence[Contestant], dtypes: Sequence[str], agreement: Agreement) -> None:
    """Every group of checks on every dtype: the common corpus, then what each implementation still lacks from its own part of the space.

    Checks whose calls may damage the process come last in each dtype. A worker that accepted what it should have refused is given up, so
    that nothing later can be blamed on the damage.
    """
    for dtype in dtypes:
        for hazardous in (False, True):
            for group in groups(contestants, hazardous=hazardous):
                for corpus in _corpora(plan, group, dtype, contestants):
                    _run_corpus(plan, corpus, agreement)
        for contestant in contestants:
            if any(check.hazardous and contestant.result(check, dtype).status == "failed" for check in contestant.checks):
                contestant.subject.close()


def _corpora(plan: Plan, group: Group, dtype: str, contestants: Sequence[Contestant]) -> Iterator[Corpus]:
    common = replace(common_space(plan.operation, dtype, group.family), **group.draws)
    able = [contestant for contestant in contestants if dtype in contestant.subject.capabilities.dtypes and group.checks(contestant, dtype)]
    real = tuple(contestant for contestant in able if not contestant.subject.implementation.simulator)
    seed = plan.derived_seed(dtype, group.family, group.cost, sorted(group.draws.items()))
    if real:
        sized = plan.profile.size(common, simulator=False)
        yield Corpus(group, Origin(sized, seed, plan.count(group, simulator=False)), real)
    for contestant in able:
        for origin in _own_origins(plan, group, common, contestant, seed):
            yield Corpus(group, origin, (contestant,))


def _own_origins(plan: Plan, group: Group, common: Space, contestant: Contestant, seed: int) -> Iterator[Origin]:
    simulator = contestant.subject.implementation.simulator
    capabilities = contestant.subject.capabilities
    count = plan.count(group, simulator)
    limited = own_space(common, plan.operation, capabilities)
    if limited is None:
        return
    own = plan.profile.size(limited, simulator)
    narrower = simulator or own != plan.profile.size(common, simulator)
    for attempt in range(1, ATTEMPTS + 1):
        # The cases of the last attempt have been run by now.
        results = [contestant.result(check, common.dtype) for check in group.checks(contestant, common.dtype)]
        compared = min(result.cases + result.errors for result in results)
        if compared < count:
            yield Origin(own, seed + attempt, _still_to_draw(count, compared, fresh=narrower and attempt == 1))
    opted = opt_in_space(common, plan.operation, capabilities)
    if opted is not None and not group.draws and group.cost == "call":
        yield Origin(plan.profile.size(opted, simulator), seed + ATTEMPTS + 1, max(1, count // OPT_IN_SHARE))


def _still_to_draw(count: int, compared: int, *, fresh: bool) -> int:
    """How many cases to draw so that about `count` are compared, going by how many of the first `count` were."""
    rate = 1.0 if fresh else max(compared / count, LOWEST_RATE)
    return math.ceil((count - compared) / rate)


def _run_corpus(plan: Plan, corpus: Corpus, agreement: Agreement) -> None:
    if _over(plan, corpus):
        return
    origin, group = corpus.origin, corpus.group
    recipes = draw_corpus(origin.space, origin.seed, origin.count)
    for done, recipe in enumerate(recipes, start=1):
        if _over(plan, corpus):
            return
        trials = _run_recipe(plan, corpus, recipe)
        if group.is_of_plain_calls:
            with errors_kept(corpus.contestants, "comparing implementations", recipe):
                agreement.note(trials)
        name = corpus.contestants[0].name
        plan.progress(Progress(name, plan.operation.name, group.names[0], recipe.dtype, "corpus", done, len(recipes)))


def _over(plan: Plan, corpus: Corpus) -> bool:
    return plan.deadline.has_passed() or all(contestant.gave_up for contestant in corpus.contestants)


def _run_recipe(plan: Plan, corpus: Corpus, recipe: Recipe) -> list[Trial]:
    trials: list[Trial] = []
    with errors_kept(corpus.contestants, "evaluating a case", recipe):
        case = expand(recipe)
        _try_case(plan, corpus, recipe, trials, case)
    return trials


def _try_case(plan: Plan, corpus: Corpus, recipe: Recipe, trials: list[Trial], case: Case) -> None:
    """The case on every contestant; `trials` are added to."""
    evaluation = SharedEvaluation(plan.operation.evaluate(case))
    for contestant in corpus.contestants:
        began = time.monotonic()
        trial = trial_of(contestant, case, evaluation)
        contestant.tried += 1
        if _judge(plan, corpus, recipe, contestant, trial):
            trials.append(trial)
        contestant.seconds += time.monotonic() - began


def _judge(plan: Plan, corpus: Corpus, recipe: Recipe, contestant: Contestant, trial: Trial) -> bool:
    """Judge the case by the group's checks; False where the contestant doesn't take it."""
    operation = plan.operation.name
    checks = [
        check
        for check in corpus.group.checks(contestant, recipe.dtype)
        if not plan.excluded(contestant.name, operation, check.name, recipe.dtype, recipe)
    ]
    reason = contestant.gave_up or refused(contestant, recipe, trial.case)
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

"""The directed search: Hypothesis drives one check of one implementation towards a larger error / allowed error."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.checks.check import Check, Measure
from xentfuzz.failures.failure import Failure
from xentfuzz.recipes.draw import search
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.corpus import Plan
from xentfuzz.runner.events import Progress
from xentfuzz.runner.examine import examine, note
from xentfuzz.runner.spaces import common_space, own_space


def directed_search(plan: Plan, contestant: Contestant, dtypes: Sequence[str]) -> None:
    """Search every directed check that has not failed yet, in every dtype."""
    simulator = contestant.subject.implementation.simulator
    count = plan.profile.search if plan.examples is None else plan.examples // 2
    if simulator or not count:
        return
    for dtype in dtypes:
        for check in contestant.checks:
            failed = contestant.result(check, dtype).status == "failed"
            over = plan.deadline.has_passed() or contestant.is_over or contestant.gave_up
            if check.directed and not failed and not over:
                with contestant.errors.kept("searching", check.name, dtype), contestant.timed():
                    _search(plan, contestant, check, dtype, count)


def _search(plan: Plan, contestant: Contestant, check: Check, dtype: str, count: int) -> None:
    common = plan.profile.size(common_space(plan.operation, dtype, check.family), simulator=False)
    own = own_space(common, plan.operation, contestant.subject.capabilities)
    if own is None:
        return
    space = contestant.affordable(own) if contestant.is_slow(own) else own
    shrinking = False
    done = 0

    def score(recipe: Recipe) -> float:
        nonlocal shrinking, done
        if (
            plan.deadline.has_passed()
            or contestant.meter.out_of_time()
            or plan.excluded(contestant.name, plan.operation.name, check.name, dtype, recipe)
        ):
            return 0.0
        verdict = examine(contestant, check, recipe)
        contestant.tried += not shrinking
        if isinstance(verdict, Failure):
            shrinking = True
            raise verdict
        if not shrinking:
            note(contestant, check, recipe, verdict, None)
            done += 1
            plan.progress(Progress(contestant.name, plan.operation.name, check.name, dtype, "search", done, count))
        return verdict.ratio if isinstance(verdict, Measure) else 0.0

    for failure in search(space, plan.derived_seed(dtype, check.name, "search"), count, score):
        if isinstance(failure, Failure) and failure.recipe:
            note(contestant, check, recipe_from(failure.recipe), failure, None)

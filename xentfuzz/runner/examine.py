"""One recipe on one implementation: by one check, or by all of a family at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.errors import XentfuzzError
from xentfuzz.failures.failure import CRASH_KINDS, Failure
from xentfuzz.failures.source import Source, source_of
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.contestant import KEPT_CASES, Contestant, Found, Origin, Seen
from xentfuzz.runner.coverage import kinds_of, size_of
from xentfuzz.runner.region import features_told_apart
from xentfuzz.runner.results import NOTHING_TO_COMPARE, CheckResult
from xentfuzz.subjects.harness_errors import HarnessError
from xentfuzz.subjects.metered import Unaffordable
from xentfuzz.subjects.subject import Subject

# What a check makes of a case; None where the case is unsupported, or can't be rebuilt.
Verdict = Failure | Measure | HarnessError | None
# Decides whether a failure belongs to a region that an expectation leaves out of the search.
Excluded = Callable[[str, str, str, str, Recipe], bool]


def trial_of(contestant: Contestant, case: Case, evaluation: Evaluation | None = None) -> Trial:
    exact = evaluation or contestant.operation.evaluate(case)
    return Trial(
        contestant.operation,
        case,
        exact,
        contestant.subject,
        contestant.siblings,
        stricter=contestant.stricter_in(case.dtype),
        wrong_alone=contestant.wrong_alone,
        affordable=contestant.affordable_rows(case.dtype),
    )


def refused(contestant: Contestant, recipe: Recipe, case: Case) -> str | None:
    """Why the contestant doesn't take the case, or None."""
    layouts = {array.layout for array in recipe.arrays.values()}
    return refusal(case, contestant.operation, contestant.subject.capabilities, layouts)


def examine(contestant: Contestant, check: Check, recipe: Recipe) -> Verdict:
    """The verdict of one check on one recipe."""
    if not recipe.complete:
        return None
    try:
        case = expand(recipe)
        if refused(contestant, recipe, case) is not None:
            return None
        trial = trial_of(contestant, case)
    except XentfuzzError:
        raise
    except Exception as error:  # noqa: BLE001 - the case is lost, not the run
        return contestant.errors.note(error, "evaluating a case", check.name, recipe.dtype, recipe.to_dict())
    return judge(contestant, check, recipe, case, trial)


def judge(contestant: Contestant, check: Check, recipe: Recipe, case: Case, trial: Trial) -> Verdict:
    """The same, on a trial that other checks may have used."""
    try:
        # Infinities of both signs, and whatever else a result holds, are for the check to tell, not for NumPy to warn of.
        with np.errstate(all="ignore"):
            return check.judge(trial)
    except Unsupported as reason:
        contestant.unsupported[str(reason)] += 1
        return None
    except Unaffordable as reason:
        contestant.unaffordable.setdefault(str(reason), Counter())[check.name, recipe.dtype] += 1
        return None
    except Failure as failure:
        found = _located(contestant, failure.about(check.name, contestant.name, recipe, case))
        # A traceback would keep every array of the trial alive.
        return found.with_traceback(None)
    except Exception as error:  # noqa: BLE001 - whatever a check stumbles over costs this case, not the run
        return contestant.errors.note(error, "judging", check.name, recipe.dtype, recipe.to_dict())


def _located(contestant: Contestant, found: Failure) -> Failure:
    """The failure with where a script finds the implementation, and the other operations that were called."""
    found.source = _source(contestant.subject, found.dtype)
    others = {case.operation for _, case in found.calls} & contestant.siblings.keys()
    found.siblings = {operation: _source(contestant.siblings[operation], found.dtype) for operation in others - {found.operation}}
    return found


def _source(subject: Subject, dtype: str) -> Source:
    return source_of(subject.implementation, dtype, subject.describe(), subject.capabilities.loss_dtypes.get(dtype))


def judge_all(contestant: Contestant, checks: Iterable[Check], recipe: Recipe, trial: Trial, origin: Origin | None) -> None:
    """Judge one case by several checks and note what came of it."""
    for check in checks:
        if contestant.gave_up_on(hazardous=check.hazardous):
            return
        note(contestant, check, recipe, judge(contestant, check, recipe, trial.case, trial), origin)


def note(contestant: Contestant, check: Check, recipe: Recipe, verdict: Verdict, origin: Origin | None) -> None:
    """Enter a verdict into the contestant's results."""
    result = contestant.result(check, recipe.dtype)
    if isinstance(verdict, HarnessError):
        result.errors += 1
        return
    if isinstance(verdict, Measure) and not verdict.compared:
        contestant.unsupported[f"{check.name}: {NOTHING_TO_COMPARE}"] += 1
        verdict = None
    if verdict is None:
        result.unsupported += 1
        return
    result.cases += 1
    if not check.hazardous:  # what raises is as good as what answers there
        contestant.compared.update(kinds_of(recipe))
        contestant.sizes.update(filter(None, [size_of(recipe)]))
    ratio, ulp = _error(verdict)
    if not check.hazardous:
        contestant.measured.note(recipe, ratio, ulp)
    _note_error(result, recipe, ratio, ulp)
    if isinstance(verdict, Failure):
        _note_failure(contestant, check, recipe, verdict, origin)
        result.status = "failed"
        return
    for policy, outcome in verdict.policies:
        contestant.policies.setdefault(policy, Counter())[outcome] += 1


def _error(verdict: Failure | Measure) -> tuple[float, float]:
    """error / allowed error, and the error in units in the last place."""
    if isinstance(verdict, Failure):
        return verdict.details.get("ratio", 0.0), verdict.details.get("ulp", 0.0)
    return verdict.ratio, verdict.ulp


def _note_error(result: CheckResult, recipe: Recipe, ratio: float, ulp: float) -> None:
    """Keep the largest error / allowed error, that of a failure too, and where it was seen."""
    if ratio >= result.worst_ratio:
        result.worst_ratio, result.worst_ulp, result.recipe = ratio, ulp, recipe.to_dict()


def _note_failure(contestant: Contestant, check: Check, recipe: Recipe, failure: Failure, origin: Origin | None) -> None:
    found = contestant.found.setdefault((check.name, failure.kind), Found(check, recipe, failure, origin))
    if found.failure.details.get("by_earlier_call") and not failure.details.get("by_earlier_call"):
        # A call that does it is worth more than the news that some call did.
        found.recipe, found.failure, found.origin = recipe, failure, origin
    found.times += 1
    if len(found.others) < KEPT_CASES and recipe is not found.recipe:
        found.others.setdefault(features_told_apart(recipe), Seen(recipe, origin))
    if recipe.dtype not in found.dtypes:
        found.dtypes.append(recipe.dtype)
    if failure.kind in CRASH_KINDS:
        contestant.crashes[failure.kind, check.hazardous] += 1

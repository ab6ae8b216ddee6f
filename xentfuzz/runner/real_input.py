"""Recorded arrays of a user's own model, through the same trials and checks as drawn cases; what fails is cut down to a few rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.checks.check import Check
from xentfuzz.checks.trial import Trial
from xentfuzz.failures.failure import Failure
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import LABEL_SMOOTHING, REDUCTION
from xentfuzz.recipes.recipe import RECORDED, ArrayRecipe, Recipe, recipe_from
from xentfuzz.runner.contestant import Contestant, JudgedRecording
from xentfuzz.runner.corpus import Plan
from xentfuzz.runner.examine import judge, note, refused, trial_of
from xentfuzz.runner.recorded import Recorded
from xentfuzz.runner.shared_evaluation import SharedEvaluation

Array = np.ndarray[Any, Any]

# A case with more logits than this is named, not written out, in its recipe: one that passes, and one that fails.
LARGEST_WRITTEN = 256
LARGEST_FAILURE_WRITTEN = 1 << 18

# What a training run varies; options that an operation lacks are left out.
VARIANTS: tuple[dict[str, Any], ...] = ({}, {REDUCTION.name: "sum"}, {REDUCTION.name: "none"}, {LABEL_SMOOTHING.name: 0.1})


def run_recorded(plan: Plan, contestants: Sequence[Contestant], dtypes: Sequence[str], recordings: Sequence[Recorded]) -> None:
    """Judge every recording, under the usual options, by every ordinary check of the profile that needs no limits of its own.

    Without its weights where an implementation takes none. Every contestant's notes say what became of it.
    """
    for recorded in recordings:
        if recorded.dtype not in dtypes:
            for contestant in contestants:
                contestant.recordings.append(JudgedRecording(recorded.name, 0, (f"{recorded.dtype} was not asked for",)))
            continue
        weighted = [contestant for contestant in contestants if contestant.subject.capabilities.weight]
        _run_one(plan, recorded, weighted)
        _run_one(plan, replace(recorded, weight=None), [contestant for contestant in contestants if contestant not in weighted])


def _run_one(plan: Plan, recorded: Recorded, contestants: Sequence[Contestant]) -> None:
    cases = Counter[str]()
    reasons: dict[str, list[str]] = {contestant.name: [] for contestant in contestants}
    for case in variants(recorded, plan) if contestants else ():
        evaluation = SharedEvaluation(plan.operation.evaluate(case))
        for contestant in contestants:
            reason = _refusal(plan, contestant, case)
            if reason is None:
                cases[contestant.name] += 1
                _judge_recording(plan, recorded, trial_of(contestant, case, evaluation), contestant)
            else:
                reasons[contestant.name].append(reason)
    for contestant in contestants:
        left_out = tuple(dict.fromkeys(reasons[contestant.name]))
        contestant.recordings.append(JudgedRecording(recorded.name, cases[contestant.name], left_out))


def variants(recorded: Recorded, plan: Plan) -> Iterator[Case]:
    """The recording as cases of the plan's operation."""
    for options in VARIANTS:
        if set(options) <= set(plan.operation.defaults):
            yield recorded.case(plan.operation, options)


def _refusal(plan: Plan, contestant: Contestant, case: Case) -> str | None:
    """Why the contestant is not given the case, or None."""
    size = next(iter(case.values.values())).size
    if contestant.subject.implementation.simulator and size > plan.profile.simulated_recorded:
        return f"{size} logits are too many for the simulator"
    if case.dtype not in contestant.subject.capabilities.dtypes:
        return f"it does not take {case.dtype}"
    return refused(contestant, written(case, ""), case)


def _judge_recording(plan: Plan, recorded: Recorded, trial: Trial, contestant: Contestant) -> None:
    recipe = written(trial.case, recorded.name)
    for check in contestant.checks:
        if check.family != "ordinary" or check.draws or contestant.gave_up or not _in_profile(plan, contestant, check):
            continue
        verdict = judge(contestant, check, recipe, trial.case, trial)
        if isinstance(verdict, Failure):
            verdict = smallest_batch(recorded, _retry(plan, contestant, check, verdict)) or _written_out(verdict, trial.case, recorded)
            note(contestant, check, recipe_from(verdict.recipe), verdict, None)
        else:
            note(contestant, check, recipe, verdict, None)


def _in_profile(plan: Plan, contestant: Contestant, check: Check) -> bool:
    return plan.profile.most.get(check.cost_on(contestant.subject.capabilities.device), 1) > 0


def _retry(plan: Plan, contestant: Contestant, check: Check, seen: Failure) -> Callable[[Recorded], Failure | None]:
    """Whether a part of the recording fails in the same way, under the same options."""

    def retry(part: Recorded) -> Failure | None:
        case = part.case(plan.operation, seen.options)
        verdict = judge(contestant, check, written(case, part.name), case, trial_of(contestant, case))
        return _written_out(verdict, case, part) if isinstance(verdict, Failure) and verdict.kind == seen.kind else None

    return retry


def _written_out(failure: Failure, case: Case, recorded: Recorded) -> Failure:
    """The failure with a recipe that rebuilds its case: without the recording, only its numbers can."""
    failure.recipe = written(case, recorded.name, LARGEST_FAILURE_WRITTEN).to_dict()
    return failure


def smallest_batch(recorded: Recorded, fails: Callable[[Recorded], Failure | None]) -> Failure | None:
    """The failure of the fewest rows found by halving, or None where no half fails by itself."""
    failure = None
    while recorded.logits.ndim > 1 and (rows := recorded.logits.shape[0]) > 1:
        halves = (slice(0, rows // 2), slice(rows // 2, rows))
        smaller = [(part, found) for part in (_part(recorded, half) for half in halves) if (found := fails(part)) is not None]
        if not smaller:
            break
        recorded, failure = smaller[0]
    return failure


def _part(recorded: Recorded, rows: slice) -> Recorded:
    return replace(recorded, logits=recorded.logits[rows], target=recorded.target[rows])


def written(case: Case, name: str, largest: int = LARGEST_WRITTEN) -> Recipe:
    """A recipe with every element written out, or, for a recording of more than `largest` logits, one that only names it."""
    first = case.values[next(iter(case.arrays))]
    small = first.size <= largest
    arrays = {
        argument: ArrayRecipe(f"{RECORDED}{name}", elements=_elements(values) if small else None, dtype=_foreign_dtype(values, case.dtype))
        for argument, values in case.values.items()
    }
    return Recipe(case.operation, case.dtype, first.shape, arrays, dict(case.options))


def _elements(values: Array) -> tuple[str, ...]:
    numbers = values if values.dtype.kind in "iu" else values.astype(np.float64)
    return tuple(repr(number) for number in numbers.ravel().tolist())


def _foreign_dtype(values: Array, dtype: str) -> str | None:
    return None if values.dtype.name == dtype else str(values.dtype.name)

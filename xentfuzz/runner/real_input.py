"""Recorded arrays of a user's own model, through the same trials and checks as drawn cases; what fails is cut down to a few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.failure import Failure
from xentfuzz.operations.case import Case
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.corpus import Plan
from xentfuzz.runner.examine import judge, note, trial_of
from xentfuzz.runner.recorded import Recorded
from xentfuzz.runner.shared_evaluation import SharedEvaluation
from xentfuzz.runner.spaces import refusal

Array = np.ndarray[Any, Any]

# A case with more logits than this is named, not written out, in its recipe.
LARGEST_WRITTEN = 4096

# What a training run varies; options that an operation lacks are left out.
VARIANTS: tuple[dict[str, Any], ...] = ({}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1})


def run_recorded(plan: Plan, contestants: Sequence[Contestant], recordings: Sequence[Recorded]) -> None:
    """Judge every recording, under the usual options, by every ordinary check that needs no limits of its own."""
    for recorded in recordings:
        for case in variants(recorded, plan):
            recipe = written(case, recorded.name)
            evaluation = SharedEvaluation(plan.operation.evaluate(case))
            for contestant in contestants:
                _run(plan, contestant, recorded, recipe, case, evaluation)


def variants(recorded: Recorded, plan: Plan) -> Iterator[Case]:
    """The recording as cases of the plan's operation."""
    plain = recorded.case(plan.operation)
    for options in VARIANTS:
        if set(options) <= set(plan.operation.defaults):
            case = Case(plain.operation, plain.dtype, plain.arrays, {**plain.options, **options})
            yield with_upstream(case, plan.operation.evaluate(case).shape("value"))


def with_upstream(case: Case, shape: tuple[int, ...]) -> Case:
    """The case with an upstream gradient of the loss's shape that is not uniform, and exact in every format."""
    values = np.resize(np.array([1.0, -0.5, 0.25]), shape).astype(case.values[next(iter(case.arrays))].dtype)
    return Case(case.operation, case.dtype, {**case.arrays, "grad_output": StridedArray.of(values)}, case.options)


def _run(plan: Plan, contestant: Contestant, recorded: Recorded, recipe: Recipe, case: Case, evaluation: SharedEvaluation) -> None:
    capabilities = contestant.subject.capabilities
    if case.dtype not in capabilities.dtypes or refusal(recipe, case, plan.operation, capabilities) or _too_large(contestant, plan, recipe):
        return
    trial = trial_of(contestant, case, evaluation)
    for check in contestant.checks:
        if check.family != "ordinary" or check.draws or contestant.gave_up:
            continue
        verdict = judge(contestant, check, recipe, case, trial)
        if isinstance(verdict, Failure):

            def fails(rows: Recorded, check: Any = check, options: Any = case.options, kind: str = verdict.kind) -> Failure | None:
                return _retry(plan, contestant, check, rows, options, kind)

            verdict = smallest_batch(recorded, fails) or verdict
        note(contestant, check, recipe, verdict, None)


def _too_large(contestant: Contestant, plan: Plan, recipe: Recipe) -> bool:
    return contestant.subject.implementation.simulator and int(np.prod(recipe.shape)) > plan.profile.simulated_recorded


def _retry(plan: Plan, contestant: Contestant, check: Any, rows: Recorded, options: Any, kind: str) -> Failure | None:
    plain = rows.case(plan.operation)
    case = Case(plain.operation, plain.dtype, plain.arrays, options)
    case = with_upstream(case, plan.operation.evaluate(case).shape("value"))
    verdict = judge(contestant, check, written(case, rows.name), case, trial_of(contestant, case))
    return verdict if isinstance(verdict, Failure) and verdict.kind == kind else None


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


def written(case: Case, name: str) -> Recipe:
    """A recipe with every element written out, or, for a large recording, one that only names it."""
    first = case.values[next(iter(case.arrays))]
    small = first.size <= LARGEST_WRITTEN
    arrays = {
        argument: ArrayRecipe(regime=f"recorded:{name}", elements=_elements(values) if small else None, dtype=_foreign_dtype(values, case.dtype))
        for argument, values in case.values.items()
    }
    return Recipe(case.operation, case.dtype, first.shape, arrays, dict(case.options))


def _elements(values: Array) -> tuple[str, ...]:
    numbers = values if values.dtype.kind in "iu" else values.astype(np.float64)
    return tuple(repr(number) for number in numbers.ravel().tolist())


def _foreign_dtype(values: Array, dtype: str) -> str | None:
    return None if values.dtype.name == dtype else str(values.dtype.name)

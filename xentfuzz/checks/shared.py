"""Arguments that share memory: an upstream gradient that is the logits or a part of them, probabilities that are the logits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import plain, with_arrays
from xentfuzz.checks.protocol import functions_of, loss_dtype, on_case
from xentfuzz.checks.repeat import JUDGES
from xentfuzz.checks.results import merged
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import CRASH_KINDS, Failure, failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.case import Case
from xentfuzz.operations.roles import has_labels, has_target, target_name, target_of
from xentfuzz.subjects.capabilities import Capabilities

# Logits that are an upstream gradient as well: numbers beyond this would only make the gradient overflow.
LARGEST = 8.0
# Of arrays that lie elsewhere a worker is given copies, and some libraries' arrays are never written to.
IN_PLACE = ("numpy", "torch")


def shared_arguments(trial: Trial) -> Measure:
    measures = [_judged(trial, *shared) for shared in _shared(trial)]
    if not measures:
        raise Unsupported("no argument of this case can share memory with another one")
    return merged(measures)


def _shared(trial: Trial) -> Iterator[tuple[str, str, Case]]:
    """(function, words, case): an array of the case lies in the memory of the first argument."""
    case = plain(trial.case)
    first = next(iter(case.arrays))
    mutated = set(trial.subject.implementation.mutates)
    if first in mutated:
        return
    for function in functions_of(trial):
        if function == "backward" and "grad_output" in case.arrays and "grad_output" not in mutated:
            shared = _with_upstream(trial, case, first)
            if shared is not None:
                words = "is" if shared.arrays["grad_output"].shape == shared.arrays[first].shape else "is a view of"
                yield function, f"grad_output {words} {first}", shared
        target = target_name(case.operation)
        if has_target(case) and not has_labels(case) and target not in mutated:
            yield function, f"{target} is {first}", _with_probabilities(case, first)


def _with_upstream(trial: Trial, case: Case, first: str) -> Case | None:
    """None where the upstream gradient is of another dtype or has more elements."""
    upstream, numbers = case.arrays["grad_output"], case.values[first]
    if loss_dtype(trial, case) != case.dtype or upstream.view().size > numbers.size:
        return None
    limited = np.clip(numbers, -LARGEST, LARGEST).astype(numbers.dtype)
    case = with_arrays(case, **{first: limited})
    whole = case.arrays[first]
    return Case(case.operation, case.dtype, {**case.arrays, "grad_output": _beginning(whole, upstream)}, case.options)


def _beginning(whole: StridedArray, like: StridedArray) -> StridedArray:
    """As many elements of `whole` as `like` has, in its shape."""
    return replace(like, storage=whole.storage, dtype=whole.dtype)


def _with_probabilities(case: Case, first: str) -> Case:
    shared = StridedArray.of(target_of(case))
    return Case(case.operation, case.dtype, {**case.arrays, first: shared, target_name(case.operation): shared}, case.options)


def _judged(trial: Trial, function: str, words: str, case: Case) -> Measure:
    """What is wrong with arguments in memory of their own is another finding."""
    try:
        return JUDGES[function](on_case(trial, case))
    except Failure as found:
        if not _is_right(trial, function, plain(case)):
            return Measure(compared=False)
        kind = found.kind if found.kind in CRASH_KINDS else "shared_arguments"
        raise failure(kind, f"where {words}: {found.message}", calls=((function, case),), **found.details) from None


def _is_right(trial: Trial, function: str, case: Case) -> bool:
    try:
        JUDGES[function](on_case(trial, case))
    except Failure:
        return False
    return True


def in_place(_: Capabilities, implementation: Implementation) -> str | None:
    shares = implementation.array in IN_PLACE and implementation.device == "cpu"
    return None if shares else "its arguments can't be made to share memory"


SHARED = """A result is the same where arguments share memory: an upstream gradient that is the logits or a view of them, probabilities that
are the logits.

Arguments are only read, so it makes no difference to the exact result. A kernel that writes into one of them for a while, and puts it back,
reads what it wrote from the other. Arguments that are declared as overwritten (mutates) share no memory."""

CHECKS = (Check("shared_arguments", "ordinary", shared_arguments, SHARED, applies=in_place, cost="protocol"),)

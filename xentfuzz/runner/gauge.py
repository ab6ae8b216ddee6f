"""What calls of a few sizes take, found out before cases are drawn: each of them only where the smaller ones let it be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import Space
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.deadline import ONE_CASE
from xentfuzz.runner.examine import trial_of
from xentfuzz.runner.few_shapes import is_allowed
from xentfuzz.runner.spaces import common_space, own_space
from xentfuzz.subjects.cost import FRESH
from xentfuzz.subjects.metered import Unaffordable

# Rows and classes, growing by turns, so that what a row takes is told from what an element takes; the last so large that what other
# processes take meanwhile is little beside the time of a kernel that is too slow for a profile's sizes. The first twice: what is slow each
# time is told from what is slow once for each shape.
SIZES = ((4, 4), (4, 4), (16, 4), (4, 64), (64, 4), (4, 512), (1024, 4), (8192, 4), (4, 8192))


def gauge(contestant: Contestant, dtypes: Sequence[str]) -> None:
    """Call every function in every dtype with a few sizes. Whatever comes of it is judged later, on cases of the corpora."""
    operation = contestant.operation
    for dtype in dtypes:
        space = own_space(common_space(operation, dtype, "ordinary"), operation, contestant.subject.capabilities)
        if space is None:
            continue
        rank = 2 if 2 in space.ranks else max(space.ranks)
        plain = replace(space, ranks=(rank,), layouts=("contiguous",), weight=False)
        for rows, classes in SIZES:
            positions = (rows, *(1 for _ in range(rank - 2)))[: rank - 1]
            if is_allowed(classes, space) and _affordable(contestant, dtype):
                _call(contestant, replace(plain, shapes=((positions, classes),)))


def _affordable(contestant: Contestant, dtype: str) -> bool:
    """Neither a compiler's time for one more shape in each function nor that of a call that hangs must be missed later."""
    meter = contestant.meter
    return not meter.lost and not meter.out_of_time() and meter.costs.rate(dtype, FRESH) <= ONE_CASE * contestant.allowed


def _call(contestant: Contestant, space: Space) -> None:
    (recipe,) = draw_corpus(space, 0, 1)
    trial = trial_of(contestant, expand(recipe))
    for function in contestant.subject.capabilities.functions:
        with suppress(Unaffordable):
            trial.outcome(function)

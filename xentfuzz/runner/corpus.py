"""What is drawn for each group of checks in each dtype: the common corpus, the same for every implementation that is fast enough for it,
and what each implementation still lacks from its own part of the space.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xentfuzz.checks.check import Check
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.choices import BLOCK
from xentfuzz.recipes.space import Space
from xentfuzz.runner.contestant import Contestant, Origin
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.events import Progress
from xentfuzz.runner.examine import Excluded
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.spaces import common_space, narrowed, opt_in_space, own_space

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
    """Checks that look at the same cases. hazardous: their calls may damage the process."""

    hazardous: bool
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
        group = found.get(key, Group(hazardous, check.family, dict(check.draws), cost, ()))
        if check.name not in group.names:
            found[key] = replace(group, names=(*group.names, check.name))
    return list(found.values())


@dataclass(frozen=True)
class Corpus:
    """Cases of one dtype, as drawn from `origin` but for the first few, for the checks of a group on some contestants.

    affordable: they are only as large, and of as many shapes, as the time allows.
    """

    group: Group
    origin: Origin
    contestants: tuple[Contestant, ...]
    skipped: int = 0
    affordable: bool = False


def corpora(plan: Plan, group: Group, dtype: str, contestants: Sequence[Contestant]) -> Iterator[Corpus]:
    """The corpora of a group in a dtype, one after the other; what a later one holds depends on what the earlier ones could compare."""
    common = narrowed(common_space(plan.operation, dtype, group.family), group.draws)
    able = [contestant for contestant in contestants if dtype in contestant.subject.capabilities.dtypes and group.checks(contestant, dtype)]
    seed = plan.derived_seed(dtype, group.family, group.cost, sorted(group.draws.items()))
    sized = plan.profile.size(common, simulator=False)
    fast = tuple(contestant for contestant in able if not contestant.subject.implementation.simulator and not contestant.is_slow(sized))
    if fast:
        yield Corpus(group, Origin(sized, seed, plan.count(group, simulator=False)), fast)
    for contestant in able:
        yield from _own_corpora(plan, group, common, contestant, seed)


def _own_corpora(plan: Plan, group: Group, common: Space, contestant: Contestant, seed: int) -> Iterator[Corpus]:
    simulator = contestant.subject.implementation.simulator
    capabilities = contestant.subject.capabilities
    count = plan.count(group, simulator)
    limited = own_space(common, plan.operation, capabilities)
    if limited is None:
        for check in group.checks(contestant, common.dtype):
            contestant.result(check, common.dtype).unsupported += 1
        return
    own = plan.profile.size(limited, simulator)
    narrower = simulator or own != plan.profile.size(common, simulator)
    for attempt in range(1, ATTEMPTS + 1):
        # The cases of the last attempt have been run by now.
        compared = fewest_compared(group, contestant, common.dtype)
        if compared < count:
            drawn = Origin(own, seed + attempt, _still_to_draw(count, compared, fresh=narrower and attempt == 1))
            yield from _affordable(contestant, Corpus(group, drawn, (contestant,)))
    opted = opt_in_space(common, plan.operation, capabilities)
    if opted is not None and not group.draws and group.cost == "call":
        drawn = Origin(plan.profile.size(opted, simulator), seed + ATTEMPTS + 1, max(1, count // OPT_IN_SHARE))
        yield from _affordable(contestant, Corpus(group, drawn, (contestant,)))


def _affordable(contestant: Contestant, corpus: Corpus) -> Iterator[Corpus]:
    """The corpus; one case at a time of an implementation that is slow, each as large and of as many shapes as calls allow by then."""
    origin = corpus.origin
    if not contestant.is_slow(origin.space):
        yield corpus
        return
    for drawn in range(origin.count):
        block, place = divmod(drawn, BLOCK)
        one = Origin(contestant.affordable(origin.space, corpus.group.cost), origin.seed + block, place + 1)
        yield replace(corpus, origin=one, skipped=place, affordable=True)


def fewest_compared(group: Group, contestant: Contestant, dtype: str) -> int:
    """Of the group's checks, the cases of the one that compared the fewest; what the harness failed at will not go better with others."""
    results = [contestant.result(check, dtype) for check in group.checks(contestant, dtype)]
    return min(result.cases + result.errors for result in results)


def _still_to_draw(count: int, compared: int, *, fresh: bool) -> int:
    """How many cases to draw so that about `count` are compared, going by how many of the first `count` were."""
    rate = 1.0 if fresh else max(compared / count, LOWEST_RATE)
    return math.ceil((count - compared) / rate)

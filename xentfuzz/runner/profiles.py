"""How much a run does: cases of each family for every (check, dtype), and their sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xentfuzz.errors import UnknownName
from xentfuzz.recipes.space import Space


@dataclass(frozen=True)
class Profile:
    """seconds: for one implementation of one operation, whatever its calls take.
    cases: family -> cases of the corpus. identities: cases of each identity. search: cases of the directed search of one check.
    most: cost of a check -> its cases at most, whatever was asked for (see `xentfuzz.checks.check.COSTS`).
    largest, long: elements of a case, see Space. simulated_cases, simulated_largest: for a kernel that runs in a simulator, a call of which
    takes milliseconds for each row; simulated_protocols: of each check that costs more than a call; simulated_recorded: elements of a
    recording that it is given.
    shrink_evaluations: calls that shrinking one failure may cost; repeated_evaluations: where one call is a whole protocol.
    """

    name: str
    seconds: float
    cases: Mapping[str, int]
    identities: int
    most: Mapping[str, int]
    search: int
    largest: int
    long: int
    simulated_cases: int
    simulated_protocols: int
    simulated_largest: int = 40
    simulated_recorded: int = 400
    shrink_evaluations: int = 400
    repeated_evaluations: int = 60

    @property
    def calls(self) -> int:
        """About how many calls its cases take in one dtype: two for each, as many again for checks that need more."""
        return 4 * sum(self.cases.values())

    def size(self, space: Space, simulator: bool) -> Space:
        """The space limited to this profile's sizes."""
        if simulator:
            return replace(space, largest=self.simulated_largest, long=0)
        return replace(space, largest=self.largest, long=self.long)


PROFILES = {
    "quick": Profile(
        "quick",
        seconds=90,
        cases={"ordinary": 50, "special": 40, "robust": 12},
        identities=12,
        most={"relation": 4, "protocol": 4, "costly": 1, "compiler": 0, "large": 0, "huge": 0, "device": 0},
        search=20,
        largest=1024,
        long=140_000,
        simulated_cases=3,
        simulated_largest=16,
        simulated_protocols=1,
    ),
    "default": Profile(
        "default",
        seconds=600,
        cases={"ordinary": 250, "special": 160, "robust": 110},
        identities=120,
        most={"relation": 128, "protocol": 100, "costly": 4, "compiler": 1, "large": 2, "huge": 0, "device": 1},
        search=100,
        largest=4096,
        long=300_000,
        simulated_cases=34,
        simulated_protocols=4,
    ),
    "thorough": Profile(
        "thorough",
        seconds=7200,
        cases={"ordinary": 2000, "special": 1000, "robust": 400},
        identities=500,
        most={"relation": 300, "protocol": 120, "costly": 16, "compiler": 2, "large": 6, "huge": 1, "device": 1},
        search=1000,
        largest=65536,
        long=4_000_000,
        simulated_cases=100,
        simulated_protocols=12,
        simulated_largest=64,
        shrink_evaluations=2000,
    ),
}


def get_profile(name: str) -> Profile:
    """Raises UnknownName."""
    if name not in PROFILES:
        raise UnknownName("profile", name, PROFILES)
    return PROFILES[name]


def smallest_profile_with(cost: str) -> str | None:
    """The name of the smallest profile that has cases of checks of this cost, None where none has."""
    return next((name for name, profile in PROFILES.items() if profile.most.get(cost) != 0), None)

"""Features that a run was told to require (`--require`): each is supported, or the run fails."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import require_known
from xentfuzz.implementation import RANKS, TARGET_KINDS
from xentfuzz.operations import usable_operations
from xentfuzz.runner.contestant import Contestant
from xentfuzz.subjects.capabilities import Capabilities

GENERAL = ("gradient", "value_and_grad", "weight", *TARGET_KINDS)


def feature_names() -> tuple[str, ...]:
    """Everything that can be required: GENERAL, every option, every dtype as such and every rank as "rank1" to "rank4"."""
    options = [option.name for operation in usable_operations() for option in operation.options]
    return tuple(dict.fromkeys([*GENERAL, *options, *FLOAT_NAMES, *(f"rank{rank}" for rank in RANKS)]))


def check_features(required: Sequence[str]) -> None:
    """Raises UnknownName for a feature that does not exist."""
    require_known("feature", required, feature_names())


def missing_features(contestant: Contestant, required: Sequence[str]) -> list[str]:
    """A problem for each required feature that the implementation lacks."""
    supported = supported_features(contestant.subject.capabilities)
    return [f"required feature {feature} is not supported" for feature in required if feature not in supported]


def supported_features(capabilities: Capabilities) -> set[str]:
    return {
        *(["gradient"] if capabilities.gradients else []),
        *(["value_and_grad"] if "value_and_grad" in capabilities.functions else []),
        *(["weight"] if capabilities.weight else []),
        *capabilities.targets,
        *(name for name, values in capabilities.options.items() if values != ()),
        *capabilities.dtypes,
        *(f"rank{rank}" for rank in capabilities.ranks),
    }

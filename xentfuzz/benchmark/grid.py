"""What is timed: shapes, dtypes and time for each profile, read from `grid.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec

from xentfuzz.errors import require_known


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """shapes: (rows, classes) of the logits. seconds: for the timed calls of the whole grid, all implementations together."""

    dtypes: tuple[str, ...]
    shapes: tuple[tuple[int, int], ...]
    seconds: float


class Grids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """baseline: the implementation that speed is given relative to."""

    baseline: str
    profiles: dict[str, Grid]


@cache
def stored_grids() -> Grids:
    """The content of `grid.toml`."""
    text = resources.files(__package__).joinpath("grid.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Grids)


def get_grid(profile: str) -> Grid:
    """The grid of a profile. Raises UnknownName."""
    grids = stored_grids().profiles
    require_known("profile", [profile], grids)
    return grids[profile]

"""Which cases have what a finding needs: the region in which its cause can show."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from xentfuzz.failures.conditions import parse_condition
from xentfuzz.failures.failure import Failure
from xentfuzz.failures.features import features, features_of_case
from xentfuzz.operations.case import Case
from xentfuzz.recipes.recipe import Recipe, recipe_from

# How the numbers of one case were made says nothing about another's; nor do a few rows, which any mean over kept rows needs.
OF_THE_CASE_ALONE = ("regime", "target_regime", "weight_regime")
FEW_ROWS = 4
# What tells cases apart that are worth keeping both: each may be beyond the region of what the other one shows.
TOLD_APART = ("target", "ignored", "weight", "reduction", "dtype", "layout")


def features_told_apart(recipe: Recipe) -> Hashable:
    """The same for cases of which one is enough."""
    found = features(recipe)
    coarse = (len(recipe.shape), bool(found.get("label_smoothing")), bool(found["edits"]), found["classes"].bit_length())
    return (*(found.get(name) for name in TOLD_APART), *coarse)


def region_of(failure: Failure) -> dict[str, Any]:
    """The conditions that every case meets in which the failure's cause shows; empty where nothing is known of them."""
    if not failure.alone:
        return {}
    return {name: condition for name, condition in failure.region.items() if not _accidental(name, failure)}


def _accidental(name: str, failure: Failure) -> bool:
    if name in OF_THE_CASE_ALONE:
        return True
    return name == "rows" and int(features_of(failure)["rows"]) <= FEW_ROWS


def features_of(failure: Failure) -> dict[str, Any]:
    """The features of the failure's own case."""
    return features(recipe_from(failure.recipe))


def has(region: Mapping[str, Any], recipe: Recipe) -> bool:
    """Whether a case meets all conditions of a region."""
    return _met(region, features(recipe))


def has_case(region: Mapping[str, Any], case: Case) -> bool:
    """The same of a case without a recipe; what its arrays don't tell is taken to be met."""
    return _met(region, features_of_case(case))


def _met(region: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(name not in found or parse_condition(condition)(found[name]) for name, condition in region.items())

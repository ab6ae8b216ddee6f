"""How much of the contract a result is about: which of its features were compared, which are not taken, which nothing was compared of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import RANKS
from xentfuzz.operations.operation import Operation
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.results import CheckResult
from xentfuzz.subjects.capabilities import Capabilities

SHAPES = {1: "vectors", 2: "matrices", 3: "3-d arrays", 4: "4-d arrays"}
TARGETS = {"index": "class indices", "probabilities": "probabilities"}


def extent_of(contestant: Contestant, results: list[CheckResult]) -> dict[str, Any]:
    """share: of the contract's features; compared, not_taken, not_compared: their names; words: the shapes, dtypes and targets compared."""
    operation, capabilities = contestant.operation, contestant.subject.capabilities
    taken = set(_taken(operation, capabilities))
    seen = set(_seen(contestant, results))
    features = list(features_of(operation))
    compared = [name for name in features if name in seen]
    return {
        "share": round(len(compared) / len(features), 3),
        "compared": compared,
        "not_taken": [name for name in features if name not in taken and name not in seen],
        "not_compared": [name for name in features if name in taken and name not in seen],
        "words": _words(compared),
    }


def merged_extent(extents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was compared in any of several runs of one implementation; taken is what any of them took."""
    known = [extent for extent in extents if extent]
    if not known:
        return {}
    features = list(dict.fromkeys(name for extent in known for kind in ("compared", "not_compared", "not_taken") for name in extent[kind]))
    seen = {name for extent in known for name in extent["compared"]}
    taken = {name for extent in known for name in extent["not_compared"]}
    compared = [name for name in _in_order(known) if name in seen]
    return {
        "share": round(len(compared) / len(features), 3),
        "compared": compared,
        "not_taken": [name for name in features if name not in seen | taken],
        "not_compared": [name for name in features if name in taken - seen],
        "words": _words(compared),
    }


def _in_order(extents: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was compared, as reports list it: dtypes and ranks first, each in the contract's order."""
    names = [*FLOAT_NAMES, *(f"rank {rank}" for rank in RANKS), *(f"{kind} targets" for kind in TARGETS)]
    others = [name for extent in extents for name in extent["compared"] if name not in names]
    return list(dict.fromkeys([*names, *others]))


def features_of(operation: Operation) -> Iterator[str]:
    """The features of an operation's contract; options that only some signatures have are none."""
    yield from FLOAT_NAMES
    yield from (f"rank {rank}" for rank in operation.ranks)
    yield from (f"{kind} targets" for kind in operation.target_kinds)
    if operation.weight is not None:
        yield operation.weight.name
    yield from (option.name for option in operation.options if not option.opt_in)
    yield "gradient"


def _taken(operation: Operation, capabilities: Capabilities) -> Iterator[str]:
    yield from capabilities.dtypes
    yield from (f"rank {rank}" for rank in capabilities.ranks)
    yield from (f"{kind} targets" for kind in capabilities.targets)
    if capabilities.weight:
        yield "weight"
    defaults = operation.defaults
    # One value alone is no choice, and a default nobody passes is none either.
    yield from (name for name, values in capabilities.options.items() if values is None or len(values) > 1 or values == (defaults[name],))
    if capabilities.gradients:
        yield "gradient"


def _seen(contestant: Contestant, results: list[CheckResult]) -> Iterator[str]:
    yield from contestant.compared
    yield from (result.dtype for result in results if result.cases)
    gradients = {check.name for check in contestant.checks if "gradient" in check.name}
    if any(result.cases for result in results if result.check in gradients):
        yield "gradient"


def _words(compared: list[str]) -> str:
    """Such as "matrices of float32 with class indices"."""
    shapes = [words for rank, words in SHAPES.items() if f"rank {rank}" in compared]
    dtypes = [name for name in FLOAT_NAMES if name in compared]
    targets = [words for kind, words in TARGETS.items() if f"{kind} targets" in compared]
    if not shapes or not dtypes:
        return "nothing"
    shape = "arrays of any rank" if len(shapes) == len(SHAPES) else " and ".join(shapes)
    dtype = "every dtype" if len(dtypes) == len(FLOAT_NAMES) else ", ".join(dtypes)
    return f"{shape} of {dtype}" + (f" with {' and '.join(targets)}" if targets else "")

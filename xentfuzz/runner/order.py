"""In which order findings are made, so that causes come before what they cause, and in which order a person reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xentfuzz.checks.registry import check_names, find_check
from xentfuzz.failures.failure import CRASH_KINDS, WRONG_NUMBERS, Failure
from xentfuzz.runner.contestant import Found

# An input that is not handled may be told as an exception, a wrong shape or a call without end, which is the dearest to try again.
LONG_OR_LARGE = ("hang", "out_of_memory")
# What is not finished when it is returned, what was read or written out of bounds, or never written, may show as anything that comes after
# it; what one call leaves to the next as what comes after that. A wrong value explains a wrong gradient, and both a broken identity.
CAUSES_FIRST = (
    "late_result",
    "out_of_bounds_write",
    "out_of_bounds_read",
    "unwritten_output",
    *(kind for kind in CRASH_KINDS if kind not in LONG_OR_LARGE),
    "changed_input",
    "aliased_result",
    "shared_arguments",
    "stale_state",
    "nondeterministic",
    "thread_unsafe",
    "global_state",
    "raised",
    "shape",
    "dtype",
    "value",
    "special",
    "gradient",
    *LONG_OR_LARGE,
    "accuracy",
    "accepted_invalid",
    "relation",
)

# What ordinary calls get wrong first, whoever may still wait for better news: no result, a wrong one, one that can't be relied on. Then
# what only special values show, what rounds too much, and what should have been refused.
READ_FIRST = (
    *CRASH_KINDS,
    "raised",
    "shape",
    "value",
    "gradient",
    "out_of_bounds_write",
    "out_of_bounds_read",
    "unwritten_output",
    "late_result",
    "changed_input",
    "aliased_result",
    "shared_arguments",
    "stale_state",
    "nondeterministic",
    "thread_unsafe",
    "dtype",
    "global_state",
    "relation",
    "special",
    "accuracy",
    "accepted_invalid",
)


def clearness(found: Found) -> tuple[int, int, bool, int]:
    """The key by which findings are made: causes first."""
    kind = found.failure.kind
    order, within, gradient = _place(kind, CAUSES_FIRST), 0, CAUSES_FIRST.index("gradient")
    if found.check.hazardous:
        # What a call that should have been refused leaves behind is clear once ordinary calls leave nothing.
        order = max(order, CAUSES_FIRST.index("accepted_invalid"))
    if found.check.family != "ordinary" and kind in WRONG_NUMBERS and order <= gradient:
        # What is wrong for finite logits too has nothing to do with infinities: the ordinary gradient comes first.
        order, within = gradient, 1 + order
    return order, within, found.check.cost != "call", check_names().index(found.check.name)


def in_reading_order(failures: Sequence[Failure]) -> list[Failure]:
    """What its author should read first comes first; the first of each kind before the second of any."""
    return varied(sorted(failures, key=_urgency))


def _urgency(failure: Failure) -> tuple[bool, bool, int]:
    check = find_check(failure.check)
    # Special values are rarer than anything else that a valid call may hold.
    return check.hazardous, check.family != "ordinary", _place(failure.kind, READ_FIRST)


# A kind that is not placed comes first: whoever adds one learns of it.
def _place(kind: str, order: Sequence[str]) -> int:
    return order.index(kind) if kind in order else -1


def varied(failures: Sequence[Failure]) -> list[Failure]:
    """The first of each kind before the second of any, for a summary shows but the first few."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, Failure]] = []
    for failure in failures:
        ranked.append((seen[failure.kind], failure))
        seen[failure.kind] += 1
    return [failure for _, failure in sorted(ranked, key=lambda pair: pair[0])]

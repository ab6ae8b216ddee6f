"""What a green result covers: the features that were left out, and how many cases were compared."""

from __future__ import annotations

from collections.abc import Iterator

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import RANKS
from xentfuzz.operations import get_operation
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.roles import never_ignores
from xentfuzz.reports.document import ReportEntry
from xentfuzz.reports.lines import counted
from xentfuzz.runner.results import NOTHING_TO_COMPARE
from xentfuzz.subjects.capabilities import Capabilities


def coverage_words(report: ReportEntry) -> str:
    """Such as "index targets only; no weight, no label_smoothing; 412 compared, 188 unsupported"."""
    left_out = "; ".join(_left_out(get_operation(report.operation), report.card)) or "every dtype, rank, target and option"
    compared = sum(check.cases for check in report.checks)
    unsupported = sum(check.unsupported for check in report.checks)
    return f"{left_out}; {compared} compared, {unsupported} unsupported{_sizes(report.sizes)}"


def _sizes(sizes: dict[str, int]) -> str:
    """What share of the cells of class counts and rows was compared (see `xentfuzz.recipes.cells`)."""
    met, cells = sizes.get("met", 0), sizes.get("cells", 0)
    return f"; {met} of {cells} kinds of sizes ({met / cells:.0%})" if met else ""


def reasons_left_out(report: ReportEntry) -> dict[str, int]:
    """Reason -> cases, the most frequent first; what checks had nothing to compare in is one reason, with its number of checks."""
    own = {reason: times for reason, times in report.unsupported.items() if reason.endswith(f": {NOTHING_TO_COMPARE}")}
    reasons = {reason: times for reason, times in report.unsupported.items() if reason not in own}
    if own:
        reasons[f"{NOTHING_TO_COMPARE} for {counted(len(own), 'check')}"] = sum(own.values())
    return dict(sorted(reasons.items(), key=lambda entry: -entry[1]))


def _left_out(operation: Operation, card: Capabilities) -> Iterator[str]:
    if not card.dtypes:
        yield "nothing: every call was refused"
        return
    if set(card.dtypes) != set(FLOAT_NAMES):
        yield f"{', '.join(card.dtypes)} only"
    if len(card.targets) == 1 and len(operation.target_kinds) > 1:
        yield f"{card.targets[0]} targets only"
    missing = [operation.weight.name] if operation.weight is not None and not card.weight else []
    missing += [option.name for option in operation.options if option.name not in card.options and not option.opt_in]
    if missing:
        yield ", ".join(f"no {name}" for name in missing)
    yield from (f"{name} only {_values(values)}" for name, values in card.options.items() if values)
    if never_ignores(card.options):
        yield "no ignored rows"
    if tuple(sorted(card.ranks)) != RANKS:
        yield f"logits of rank {', '.join(map(str, card.ranks))} only"
    yield from _limits(card)
    if not card.gradients:
        yield "no gradient"


def _values(values: tuple[object, ...]) -> str:
    return ", ".join(map(repr, values))


def _limits(card: Capabilities) -> Iterator[str]:
    if card.largest_class_count is not None:
        yield f"at most {card.largest_class_count} classes"
    if card.largest_row_count is not None:
        yield f"at most {card.largest_row_count} rows"
    if card.largest_logit is not None:
        yield f"numbers up to {card.largest_logit:g} only"
    if card.class_count_divisor > 1:
        yield f"class counts that {card.class_count_divisor} divides"
    if card.class_counts is not None:
        yield f"class counts {', '.join(map(str, card.class_counts))} only (compiling is costly)"

"""The capability card: what an implementation takes and gives, declared by its author or assumed after a probe."""

from __future__ import annotations

from collections.abc import Iterator

from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.reports.lines import Line, labelled
from xentfuzz.subjects.capabilities import Capabilities

LABEL = 11
ASSUMED = "what a few tiny calls showed; declare an Implementation to be held to it"
ASSUMED_AND_WRITTEN = "what a few tiny calls showed; --verbose and reports say how to declare it, and be held to it"
DECLARING = ("declare", "or")


def card_lines(card: Capabilities, *, verbose: bool = True) -> list[Line]:
    """The card as a block of labelled lines; how to declare the same is what only who asks for all wants to read."""
    shown = [(label, text) for label, text in card_fields(card) if verbose or label not in DECLARING]
    return [line for label, text in shown for line in labelled(f"  {label}", text, LABEL)]


def card_fields(card: Capabilities) -> Iterator[tuple[str, str]]:
    """(label, text) of each line."""
    yield "card", (ASSUMED_AND_WRITTEN if card.declaration else ASSUMED) if card.assumed else "declared"
    if card.dtypes:
        yield from _abilities(card)
    else:
        yield "takes", "nothing that was tried"
    yield from (("errors", line) for line in card.errors)
    yield from (("note", note) for note in card.notes)
    if card.not_tried:
        yield "untried", f"{', '.join(card.not_tried)}; assumed to be taken, as the probe had no call left"
    yield from (("fails", line) for line in card.doubtful)
    yield from (("rejects", rejection.removeprefix("rejects ")) for rejection in card.rejections)
    if card.declaration:
        yield "declare", card.declaration
        yield "or", card.command


def _abilities(card: Capabilities) -> Iterator[tuple[str, str]]:
    yield "takes", _takes(card)
    if card.options or card.weight:
        yield "options", _options(card)
    yield "gives", _gives(card)
    if card.layouts and set(card.layouts) != set(LAYOUTS):
        yield "layouts", ", ".join(card.layouts)
    if card.compile_seconds >= 1:
        yield "compiling", f"{card.compile_seconds:.1f} s for the first call"
    if card.changed_inputs:
        yield "changes", ", ".join(card.changed_inputs)


def _takes(card: Capabilities) -> str:
    parts = [f"{card.array} arrays on {card.device}", ", ".join(card.dtypes), f"rank {', '.join(map(str, card.ranks))}"]
    if card.targets:
        parts.append(f"{' and '.join(card.targets)} targets")
    if "index" in card.targets:
        parts.append(f"targets in {', '.join(card.target_dtypes)}")
    if card.largest_class_count is not None:
        parts.append(f"at most {card.largest_class_count} classes")
    if card.largest_row_count is not None:
        parts.append(f"at most {card.largest_row_count} rows")
    if card.largest_logit is not None:
        parts.append(f"numbers up to {card.largest_logit:g}")
    if card.class_count_divisor > 1:
        parts.append(f"class counts that {card.class_count_divisor} divides")
    if card.class_counts is not None:
        parts.append(f"tried with {', '.join(map(str, card.class_counts))} classes")
    return "; ".join(parts)


def _options(card: Capabilities) -> str:
    names = ["weight"] if card.weight else []
    for name, values in card.options.items():
        if values == ():
            continue
        names.append(name if values is None else f"{name} ({', '.join(map(str, values))})")
    return ", ".join(names)


def _gives(card: Capabilities) -> str:
    gradients = [f"gradient of {name.removeprefix('grad_')}" for name in card.gradients]
    parts = ["value", *gradients] if gradients else ["value; no gradient is checked"]
    other = {dtype: loss for dtype, loss in card.loss_dtypes.items() if dtype != loss}
    text = ", ".join(parts)
    return text + "".join(f"; {loss} loss for {dtype}" for dtype, loss in other.items())

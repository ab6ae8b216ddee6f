"""What an implementation can be given: declared by its author, or found by a probe (then marked assumed)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.implementation import RANKS
from xentfuzz.subjects.harness_errors import HarnessError

# Of classes: more than any case has.
ANY_COUNT = 1 << 31


@dataclass(frozen=True)
class Capabilities:
    """The card. `assumed` where a probe found it; `rejections`: one line for each feature that the probe saw refused;
    not_tried: features that it had no call left for, assumed to be taken.

    functions: what can be called, of `outcome.FUNCTIONS`. layouts: names of those that arrays may have, () where all are taken.
    refused_layouts: rank of the first argument -> those of `layouts` that are refused at that rank only.
    options: option name -> the values that may be passed, None for all; options that are not in the signature are absent.
        Of ignore_index () means that no row is ever ignored.
    gradients: outputs "grad_<argument>" that can be had, () where gradients are not checked. compile_seconds: of the first call.
    loss_dtypes: dtype of the logits -> that of the loss, where it is another one. class_counts: the only ones that are drawn, where each is
    compiled for at a high cost; None: any. class_count_divisor: of every class count.
    notes: what else a caller should know. changed_inputs: arguments that the probe saw overwritten.
    errors: how large they were in a run, a line for each dtype.
    array: the library whose arrays it takes. refused: options and arguments that forward has a parameter for and that a probe saw refused.
    declaration: what would hold an implementation to what a probe found, as Python writes it; command: as the command line does.
    harness_errors: what xentfuzz itself failed at while it probed; that part of the card is as declared.
    doubtful: calls that the probe saw end with an exception that is no refusal of a feature; the checks have to find them.
    """

    operation: str
    dtypes: tuple[str, ...]
    targets: tuple[str, ...] = ()
    target_dtypes: tuple[str, ...] = ()
    ranks: tuple[int, ...] = RANKS
    layouts: tuple[str, ...] = ()
    refused_layouts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    weight: bool = False
    options: Mapping[str, tuple[Any, ...] | None] = field(default_factory=dict)
    functions: tuple[str, ...] = ("forward",)
    gradients: tuple[str, ...] = ()
    loss_dtypes: Mapping[str, str] = field(default_factory=dict)
    largest_class_count: int | None = None
    largest_row_count: int | None = None
    class_count_divisor: int = 1
    largest_logit: float | None = None
    class_counts: tuple[int, ...] | None = None
    assumed: bool = False
    rejections: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    compile_seconds: float = 0.0
    array: str = "numpy"
    device: str = "cpu"
    doubtful: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    harness_errors: tuple[HarnessError, ...] = ()
    declaration: str = ""
    command: str = ""

    def layouts_at(self, rank: int) -> tuple[str, ...]:
        """The layouts that are taken where the first argument has that rank; () for all."""
        return tuple(name for name in self.layouts if name not in self.refused_layouts.get(rank, ()))

    @property
    def most_classes(self) -> int | None:
        """The largest class count: that of the card, and no more than its class indices can tell apart; None where any will do."""
        told_apart = max(map(classes_told_apart, self.target_dtypes), default=ANY_COUNT) if "index" in self.targets else ANY_COUNT
        limit = min(told_apart, self.largest_class_count or ANY_COUNT)
        return limit if limit < ANY_COUNT else None


def classes_told_apart(dtype: str) -> int:
    """How many classes indices of an integer dtype or of bool can name, ANY_COUNT where that is more than any case has."""
    kind, bits = dtype.rstrip("0123456789"), dtype.lstrip("abcdefghijklmnopqrstuvwxyz")
    return 2 if kind == "bool" else min(1 << (int(bits) - (kind == "int")), ANY_COUNT)

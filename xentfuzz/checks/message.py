"""The words of a finding: what is wrong, where, by how much, and how much of the output."""

from __future__ import annotations

from xentfuzz.checks.compare import Comparison, Mismatch
from xentfuzz.checks.exceeded import Exceeded
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import Grade


def output_words(operation: str, output: str) -> str:
    """How a person calls an output: "loss", "gradient of the logits", ..."""
    if output == "value":
        return get_operation(operation).result_word or operation
    return f"gradient of {output.removeprefix('grad_')}"


def mismatch_message(comparison: Comparison, operation: str, function: str, laxer: Grade | None, exceeded: Exceeded | None) -> str:
    """Headline, then the share of elements that are outside, what grade would be met, and the step that is exceeded."""
    worst = comparison.worst
    lines = [f"{function}: {output_words(operation, comparison.output)}{place(worst)} is {worst.got!r}, {wanted(worst)}"]
    if comparison.total > 1:
        lines.append(f"{comparison.wrong} of {comparison.total} elements are outside what is allowed")
    if laxer is not None or exceeded is not None:
        met = "no laxer one is" if laxer is None else f"{laxer} ({laxer.words}) is"
        lines.append(f"declared grade {comparison.grade} ({comparison.grade.words}) is not met; {met}")
    if exceeded is not None:
        lines.append(exceeded.words)
    return "\n".join(lines)


def place(mismatch: Mismatch) -> str:
    return str(list(mismatch.index)) if mismatch.index else ""


def wanted(mismatch: Mismatch) -> str:
    if mismatch.special and mismatch.wanted != "the exact value":
        exact = f" (exact: {mismatch.exact!r})" if "exact" in mismatch.wanted else ""
        return f"allowed: {mismatch.wanted}{exact}"
    by = f" ({mismatch.ratio:.3g} times the allowed error)" if mismatch.ratio not in (0.0, float("inf")) else ""
    return f"exact: {mismatch.exact!r}, allowed error {mismatch.allowed:.3g}{by}"

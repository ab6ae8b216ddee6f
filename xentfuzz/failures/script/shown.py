"""One call as a script shows it."""

from __future__ import annotations

from dataclasses import dataclass

from xentfuzz.failures.failure import Failure
from xentfuzz.operations.case import Case


@dataclass(frozen=True)
class Shown:
    """One call in a script: statements that make its arrays, those that make the call, and the variables of its arguments and outputs."""

    function: str
    case: Case
    arrays: list[str]
    statements: list[str]
    arguments: dict[str, str]
    outputs: dict[str, str]

    def output(self, failure: Failure) -> str:
        """The variable of the output that a failure is about; the last one where it doesn't say."""
        return self.outputs.get(str(failure.details.get("output")), list(self.outputs.values())[-1])

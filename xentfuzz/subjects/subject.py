"""An implementation that is ready to be called, in this process or in a worker."""

from __future__ import annotations

from typing import Any, Protocol

from xentfuzz.implementation import Implementation
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import Call, Outcome


class Subject(Protocol):
    """Calls never raise for what the implementation does: every exception, crash or time-out is in the Outcome.

    isolated: it is called in a worker of its own, so that what it does to its process is nobody else's.
    notices: what was seen so far that a user should know, and that is no finding.
    """

    implementation: Implementation
    capabilities: Capabilities
    isolated: bool
    notices: set[str]

    def describe(self) -> dict[str, Any]:
        """The form and the parameters of each function."""

    def call(self, call: Call) -> Outcome:
        """Carry out one call on fresh copies of the arrays."""

    def close(self) -> None:
        """Release the worker, if any."""

"""What a worker may use up before it is ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """call_seconds: for a warm call, beside what such calls are known to take. first_call_seconds: for one that may compile.
    load_seconds: for importing the implementation.

    memory_bytes: of private memory beyond what the worker used when the implementation had been loaded.
    output_bytes: written to the standard streams in one call.
    """

    call_seconds: float = 5.0
    first_call_seconds: float = 120.0
    load_seconds: float = 120.0
    memory_bytes: int = 8 << 30
    output_bytes: int = 1 << 20

    @staticmethod
    def within(seconds: float) -> Limits:
        """Those of a check that has so much time: it shall go on after a first call that never ends, and an honest one may take a while."""
        return Limits(first_call_seconds=min(max(SHARE_OF_FIRST_CALL * seconds, SHORTEST_FIRST_CALL), Limits.first_call_seconds))


SHARE_OF_FIRST_CALL = 2 / 9
SHORTEST_FIRST_CALL = 20.0

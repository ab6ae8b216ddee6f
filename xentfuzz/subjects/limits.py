"""What a worker may use up before it is ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """call_seconds: for a warm call. first_call_seconds: for one that may compile, and for loading the implementation.

    memory_bytes: of private memory beyond what the worker used when the implementation had been loaded.
    output_bytes: written to the standard streams in one call.
    """

    call_seconds: float = 10.0
    first_call_seconds: float = 120.0
    memory_bytes: int = 8 << 30
    output_bytes: int = 1 << 20

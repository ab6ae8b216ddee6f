"""Statistics of rounds, by pytest-benchmark, so that ours mean what its readers know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xentfuzz.errors import Unavailable


def require_pytest_benchmark() -> None:
    """Raises Unavailable, saying what to install, where pytest-benchmark is missing."""
    try:
        import pytest_benchmark.stats  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise Unavailable("no benchmark without pytest-benchmark; install it with: pip install 'xentfuzz[benchmark]'") from None


def summarise(seconds: Sequence[float]) -> dict[str, Any]:
    """pytest-benchmark's fields (median, iqr, min, max, mean, stddev, rounds, ...) in seconds, and the rounds themselves as "data"."""
    from pytest_benchmark.stats import Stats  # noqa: PLC0415 - an extra

    stats = Stats()
    for duration in seconds:
        stats.update(duration)
    return {**stats.as_dict(), "data": list(seconds)}

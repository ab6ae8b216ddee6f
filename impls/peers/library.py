"""Whether a library of others is installed. Standard library only: registration loads this, and no peer."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec


def needs(extra: str, *modules: str) -> Callable[[], str | None]:
    """A test of availability: which of the top-level `modules` are missing, and the extra that brings them; None where all are there."""

    def unavailable() -> str | None:
        missing = [module for module in modules if find_spec(module) is None]
        return f"{', '.join(missing)} not installed; `pip install 'xentfuzz[{extra}]'` brings what is needed" if missing else None

    return unavailable

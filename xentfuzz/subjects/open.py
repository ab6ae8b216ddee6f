"""From an implementation to a subject that can be called and says what it takes."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xentfuzz.errors import Unavailable, UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.registry import availability
from xentfuzz.subjects.declaration import require_known_names
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.probe import capabilities_of
from xentfuzz.subjects.subject import Subject


def open_subject(
    implementation: Implementation,
    *,
    isolate: bool | None = None,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
) -> Subject:
    """Load an implementation and find out what it takes; the caller closes the subject.

    isolate: in a worker; None: where the device isn't the CPU, or it needs another environment or interpreter. limits, environment: of the
    worker.
    Raises Unavailable with the reason, UsageError where it declares a name that doesn't exist, can't be loaded,
    or has a parameter that nothing explains.
    """
    require_known_names(implementation)
    reason = availability(implementation)
    if reason is not None:
        raise Unavailable(f"{implementation.name} is unavailable: {reason}")
    if isolate is False:
        _require_no_other_process(implementation)
    isolated = wants_isolation(implementation, isolate)
    subject = Isolated(implementation, limits, environment) if isolated else InProcess(implementation)
    try:
        subject.capabilities = capabilities_of(subject)
    except BaseException:
        subject.close()
        raise
    return subject


def wants_isolation(implementation: Implementation, isolate: bool | None) -> bool:
    if isolate is not None:
        return isolate
    return implementation.device != "cpu" or bool(implementation.environment) or implementation.python is not None


def _require_no_other_process(implementation: Implementation) -> None:
    lacking = [name for name, value in implementation.environment.items() if os.environ.get(name) != value]
    if lacking or implementation.python:
        given = f"{', '.join(lacking)} for its environment" if lacking else f"python={implementation.python!r}"
        raise UsageError(f"{implementation.name} declares {given}, which only a worker of its own can have; leave isolation on")

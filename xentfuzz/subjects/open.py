"""From an implementation to a subject that can be called and says what it takes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from xentfuzz.errors import Unavailable, UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.registry import availability
from xentfuzz.subjects.clock import CLOCK
from xentfuzz.subjects.declaration import require_known_names
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.metered import Allowance, Metered
from xentfuzz.subjects.probe import capabilities_of

# Of the time of a check, for finding out what is taken; what one call's size may add to it there.
PROBING_SHARE = 0.25
ONE_CALL = 0.02


def open_subject(
    implementation: Implementation,
    *,
    isolate: bool | None = None,
    seconds: float = math.inf,
    environment: Mapping[str, str] | None = None,
) -> Metered:
    """Load an implementation and find out what it takes; the caller closes the subject.

    isolate: in a worker; None: where the device isn't the CPU, or it needs another environment or interpreter. seconds: that there are for
    all that is to be found out about it. environment: of the worker.
    Raises Unavailable with the reason, UsageError where it declares a name that doesn't exist, can't be loaded,
    or has a parameter that nothing explains.
    """
    require_known_names(implementation)
    reason = availability(implementation)
    if reason is not None:
        raise Unavailable(f"{implementation.name} is unavailable: {reason}")
    if isolate is False:
        _require_no_other_process(implementation)
    limits, isolated = Limits.within(seconds), wants_isolation(implementation, isolate)
    subject = Metered(Isolated(implementation, limits, environment) if isolated else InProcess(implementation), limits)
    subject.allow(Allowance(ONE_CALL * seconds, probing=True), CLOCK.now() + PROBING_SHARE * seconds)
    try:
        subject.capabilities = capabilities_of(subject)
    except BaseException:
        subject.close()
        raise
    subject.allow(Allowance())
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

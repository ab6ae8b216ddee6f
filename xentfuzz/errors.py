"""The exceptions that xentfuzz raises on its own behalf.

    XentfuzzError
    ├── UsageError            what the user asked for cannot be done; exit status 2
    │   ├── UnknownName       no such implementation, check, dtype, profile, ...
    │   └── Unavailable       an implementation that cannot run on this machine
    ├── RecordError           a stored file is damaged, half-written or of another version
    └── InternalError         xentfuzz itself failed; exit status 3

Findings about an implementation are not here: they are `xentfuzz.failures.failure.Failure`, an AssertionError.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


class XentfuzzError(Exception):
    """Base class of every error that xentfuzz raises about itself or its use."""


class UsageError(XentfuzzError):
    """The request cannot be carried out; the message says what was given, what is wanted and what to do."""


# More names than these are no help in a message of one line.
LISTED = 60


class UnknownName(UsageError):
    """A name that nothing is registered under; the message suggests the nearest and lists what exists."""

    def __init__(self, what: str, given: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(given, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(names[:LISTED]) or "none"
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        super().__init__(f"unknown {what} {given!r}{hint} (known: {listed}{more})")


def require_known(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raises UnknownName for the first of `names` that is not among `known`."""
    for name in names:
        if name not in known:
            raise UnknownName(what, name, known)


class Unavailable(UsageError):
    """An implementation that exists but cannot run here; the message is the reason and how to mend it."""


class RecordError(XentfuzzError):
    """A stored record cannot be read; the message names the file and the reason."""


class InternalError(XentfuzzError):
    """Something that xentfuzz did not expect of itself; the message is the traceback."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which is often followed by SIGKILL within seconds: an interrupt that leaves time for a report, and for nothing else."""

"""Text about an exception, made so that no exception can spoil it."""

from __future__ import annotations

import re
import traceback
from types import TracebackType

from xentfuzz.subjects.outcome import Raised

# A library may put a whole array into a message.
LONGEST = 4000


def message_of(error: BaseException) -> str:
    """`str(error)` and its notes, shortened; a note instead where that raises."""
    try:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        return shorten(f"{error}{notes}")
    except KeyboardInterrupt:
        raise
    except BaseException as second:  # noqa: BLE001 - even SystemExit in __str__ is only a message that can't be had
        return f"(its message is not available: str() raised {type(second).__name__})"


def shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def one_line(text: str) -> str:
    """The first and the last line: what happened, and what a traceback ends with."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(dict.fromkeys((*lines[:1], *lines[-1:])))


def without_folders(text: str) -> str:
    """Traceback lines with the files' names alone: where a machine keeps them is nobody's business."""
    return re.sub(r'File "(?:[^"]*[/\\])?([^"/\\]+)"', r'File "\1"', text)


def raised_from(error: BaseException) -> Raised:
    """The exception as data, its traceback without the harness's own frames."""
    types = tuple(kind.__name__ for kind in type(error).__mro__ if kind is not object)
    lines = traceback.format_exception(type(error), error, _subject_frames(error))
    return Raised(types, message_of(error), shorten(without_folders("".join(lines))))


def _subject_frames(error: BaseException) -> TracebackType | None:
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_globals.get("__name__", "").startswith("xentfuzz.worker."):
        frame = frame.tb_next
    return frame

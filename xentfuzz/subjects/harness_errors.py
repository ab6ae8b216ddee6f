"""Errors of the harness itself: each costs what was being done and no more, and is kept with its traceback."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from xentfuzz.errors import XentfuzzError
from xentfuzz.worker.texts import message_of, shorten, without_folders

# An array may be part of a message.
LONGEST_LINE = 400


@dataclass(frozen=True)
class HarnessError:
    """doing: what was being done, such as "judging". check, dtype: of the case, "" where there was none; recipe: the case, or None.

    error: type and message on one line; traceback: its text, files by their names alone; times: how often the same line raised it there.
    """

    doing: str
    check: str
    dtype: str
    recipe: dict[str, Any] | None
    error: str
    traceback: str
    times: int = 1

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class ErrorLog:
    """The errors of a run, those of one line while one thing was done for one check and dtype kept once."""

    errors: list[HarnessError] = field(default_factory=list)

    def note(
        self, error: BaseException, doing: str, check: str = "", dtype: str = "", recipe: dict[str, Any] | None = None
    ) -> HarnessError:
        """Keep an error, with what was being done."""
        made = HarnessError(doing, check, dtype, recipe, _line(error), _traceback(error))
        return self.add(made)

    def add(self, made: HarnessError) -> HarnessError:
        """Keep an error that was caught elsewhere."""
        for index, kept in enumerate(self.errors):
            if _place(kept) == _place(made):
                self.errors[index] = replace(kept, times=kept.times + made.times)
                return self.errors[index]
        self.errors.append(made)
        return made

    @contextlib.contextmanager
    def kept(self, doing: str, check: str = "", dtype: str = "", recipe: dict[str, Any] | None = None) -> Iterator[None]:
        """A block that an unexpected exception ends and no more. What xentfuzz raises on purpose, and interrupts, get through."""
        try:
            yield
        except XentfuzzError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the harness is told at the end
            self.note(error, doing, check, dtype, recipe)


def _place(error: HarnessError) -> tuple[str, ...]:
    """What was being done, and the innermost line."""
    frames = [line for line in error.traceback.splitlines() if line.lstrip().startswith('File "')]
    return error.doing, error.check, error.dtype, error.error.partition(":")[0], frames[-1] if frames else ""


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {message_of(error)}".split())[:LONGEST_LINE]


def _traceback(error: BaseException) -> str:
    return shorten(without_folders("".join(traceback.format_exception(error))))

"""The program `xentfuzz`: runs a command and turns whatever happens into an exit status and, where it went wrong, one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from xentfuzz.command_line import status
from xentfuzz.command_line.app import app
from xentfuzz.errors import InternalError, Terminated, XentfuzzError

TRACEBACK_VARIABLE = "XENTFUZZ_TRACEBACK"
# Typer's own errors about arguments; which package the class is from depends on typer's version.
_ArgumentError: Any = typer.BadParameter.__bases__[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments` (None: the program's own) and return its exit status."""
    # Hypothesis keeps notes below the current directory; ours have a place already.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", ".xentfuzz/hypothesis")
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    code = _status_of(given)
    if code == status.INTERRUPTED and arguments is None:
        # A key that is still held down would end Python with a status of its own.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _status_of(given: list[str]) -> int:
    try:
        with _heeding_sigterm():
            return _run(given)
    except _ArgumentError as error:
        return _complain(_argument_message(error), status.USAGE)
    except InternalError as error:
        return _complain(f"internal error: {error}", status.INTERNAL)
    except XentfuzzError as error:
        return _complain(str(error), status.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", status.INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        reason = f"{type(error).__name__}: {error}"
        return _complain(f"internal error: {reason} (set {TRACEBACK_VARIABLE}=1 for the traceback, and please report it)", status.INTERNAL)


@contextlib.contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """SIGTERM, as `timeout` and CI systems send it, ends a run with a report, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: object) -> None:
    raise Terminated


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        answer = command.main(arguments, prog_name="xentfuzz", standalone_mode=False)
    except SystemExit:
        # Typer's answer to a reader that went away, as in `xentfuzz list | head`.
        return status.BROKEN_PIPE
    return answer if isinstance(answer, int) else status.OK


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"xentfuzz: {' '.join(message.split())}\n")
    return code


def _argument_message(error: Any) -> str:
    context = error.ctx
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return f"{error.format_message().rstrip('.')}{hint}"

"""Who listens to a run that was started from the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from xentfuzz.files import STANDARD_OUTPUT
from xentfuzz.reports.document import to_json
from xentfuzz.reports.junit import to_junit
from xentfuzz.reports.markdown.page import to_markdown
from xentfuzz.reports.recorder import Output, Recorder
from xentfuzz.reports.screen import screen_for
from xentfuzz.reports.terminal import Terminal
from xentfuzz.runner.events import Listener


def listeners_for(
    command: Sequence[str],
    *,
    json: str | None = None,
    junit: str | None = None,
    markdown: str | None = None,
    outputs: Sequence[Output] = (),
) -> list[Listener]:
    """The files that were asked for, and the terminal; text for people goes to standard error where a file goes to standard output."""
    asked = [(json, to_json), (junit, to_junit), (markdown, to_markdown)]
    files = [*outputs, *(Output(path, render) for path, render in asked if path is not None)]
    taken = any(output.path == STANDARD_OUTPUT for output in files)
    return [Recorder(command, files), Terminal(screen_for(sys.stderr if taken else sys.stdout))]

"""Who listens to a run that was started from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from xentfuzz.files import STANDARD_OUTPUT
from xentfuzz.reports.document import Document, to_json
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
    html: str | None = None,
    summary: str | None = None,
    verbose: bool = False,
    outputs: Sequence[Output] = (),
) -> list[Listener]:
    """The files that were asked for, and the terminal; text for people goes to standard error where a file goes to standard output."""
    asked: list[tuple[str | None, Callable[[Document], str]]] = [(json, to_json), (junit, to_junit), (markdown, to_markdown)]
    if html is not None:
        asked.append((html, html_renderer()))
    appended = [] if summary is None else [Output(summary, to_markdown, append=True)]
    files = [*outputs, *appended, *(Output(path, render) for path, render in asked if path is not None)]
    taken = any(output.path == STANDARD_OUTPUT for output in files)
    return [Recorder(command, files), Terminal(screen_for(sys.stderr if taken else sys.stdout), verbose=verbose)]


def html_renderer() -> Callable[[Document], str]:
    """What renders the HTML page. Raises UsageError where its template engine is not installed."""
    from xentfuzz.reports.html.page import to_html  # noqa: PLC0415 - most commands write no page

    return to_html

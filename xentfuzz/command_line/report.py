"""`xentfuzz report`: a page from stored results."""

from __future__ import annotations

from xentfuzz.command_line import status
from xentfuzz.command_line.options import Html, Page, Results

EPILOG = (
    "\b\nExamples:\n  xentfuzz report results.json\n  xentfuzz report results.json --html report.html\n"
    "  xentfuzz report shard-*.json --out report.md"
)


def report(results: Results, out: Page = None, html: Html = None) -> int:
    """Render stored results as a Markdown or an HTML page."""
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.command_line.listeners import html_renderer  # noqa: PLC0415
    from xentfuzz.files import STANDARD_OUTPUT  # noqa: PLC0415
    from xentfuzz.reports.document import read_document  # noqa: PLC0415
    from xentfuzz.reports.markdown.page import to_markdown  # noqa: PLC0415
    from xentfuzz.reports.merge import merged  # noqa: PLC0415
    from xentfuzz.reports.recorder import Output  # noqa: PLC0415

    require_writable(out, html)
    outputs = [Output(html, html_renderer())] if html is not None else []
    if out is not None or html is None:
        outputs.append(Output(out or STANDARD_OUTPUT, to_markdown))
    document = merged([read_document(path) for path in results])
    for output in outputs:
        output.write(document)
    return status.OK

"""`xentfuzz report`: a page from stored results."""

from __future__ import annotations

from xentfuzz.command_line import status
from xentfuzz.command_line.options import Page, Results

EPILOG = "\b\nExamples:\n  xentfuzz report results.json\n  xentfuzz report shard-*.json --out report.md"


def report(results: Results, out: Page = "-") -> int:
    """Render stored results as a Markdown page."""
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.reports.document import read_document  # noqa: PLC0415
    from xentfuzz.reports.markdown.page import to_markdown  # noqa: PLC0415
    from xentfuzz.reports.merge import merged  # noqa: PLC0415
    from xentfuzz.reports.recorder import Output  # noqa: PLC0415

    require_writable(out)
    Output(out, to_markdown).write(merged([read_document(path) for path in results]))
    return status.OK

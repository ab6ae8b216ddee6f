"""`xentfuzz list`: implementations, what they declare, why one is unavailable."""

from __future__ import annotations

import typer

from xentfuzz.command_line import status
from xentfuzz.command_line.options import AsJson

EPILOG = "\b\nExamples:\n  xentfuzz list\n  xentfuzz list --json"


def list_implementations(*, json: AsJson = False) -> int:
    """List implementations and why one is unavailable."""
    from xentfuzz.command_line.targets import everything  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.reports.listing import listing_json, listing_lines  # noqa: PLC0415

    implementations = everything()
    typer.echo(listing_json(implementations) if json else "\n".join(listing_lines(implementations)))
    return status.OK

"""`xentfuzz explain`: what a check demands and why."""

from __future__ import annotations

import typer

from xentfuzz.command_line.options import Check

EPILOG = "\b\nExamples:\n  xentfuzz explain\n  xentfuzz explain gradient"


def explain(check: Check = None) -> None:
    """Print what a check demands and why, or list all checks."""
    typer.echo(_one(check) if check else _all())


def _one(name: str) -> str:
    import textwrap  # noqa: PLC0415 - the commands are imported together, for --help too

    from xentfuzz.checks.registry import explain as explanation  # noqa: PLC0415
    from xentfuzz.reports.lines import WIDTH  # noqa: PLC0415

    paragraphs = explanation(name).strip().split("\n\n")
    return f"{name}\n\n" + "\n\n".join(textwrap.fill(" ".join(paragraph.split()), WIDTH) for paragraph in paragraphs)


def _all() -> str:
    from xentfuzz.checks.registry import all_checks  # noqa: PLC0415
    from xentfuzz.reports.lines import WIDTH, in_columns  # noqa: PLC0415

    checks = all_checks().values()
    name_width = max(len(check.name) for check in checks)
    rows = [(check.name, check.explanation.strip().split("\n\n")[0]) for check in checks]
    return "\n".join(in_columns(rows, (name_width, WIDTH - name_width - 2)))

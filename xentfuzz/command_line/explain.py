"""`xentfuzz explain`: what a check demands and why, or what a word of the reports means."""

from __future__ import annotations

import typer

from xentfuzz.command_line.options import Word

EPILOG = "\b\nExamples:\n  xentfuzz explain\n  xentfuzz explain gradient\n  xentfuzz explain lse/any"


def explain(word: Word = None) -> None:
    """Print what a check demands, what a word means, or list all."""
    typer.echo(_one(word) if word else _all())


def _one(word: str) -> str:
    import textwrap  # noqa: PLC0415 - the commands are imported together, for --help too

    from xentfuzz.checks.registry import check_names  # noqa: PLC0415
    from xentfuzz.checks.registry import explain as explanation  # noqa: PLC0415
    from xentfuzz.reports.glossary import meaning  # noqa: PLC0415
    from xentfuzz.reports.lines import WIDTH  # noqa: PLC0415

    text = explanation(word) if word in check_names() else meaning(word)
    paragraphs = text.strip().split("\n\n")
    return f"{word}\n\n" + "\n\n".join(textwrap.fill(" ".join(paragraph.split()), WIDTH) for paragraph in paragraphs)


def _all() -> str:
    from xentfuzz.checks.registry import all_checks  # noqa: PLC0415
    from xentfuzz.reports.glossary import WORDS  # noqa: PLC0415
    from xentfuzz.reports.lines import WIDTH, in_columns, wrapped  # noqa: PLC0415

    checks = all_checks().values()
    name_width = max(len(check.name) for check in checks)
    rows = [(check.name, check.explanation.strip().split("\n\n")[0]) for check in checks]
    words = wrapped(", ".join(WORDS), first="words: ", rest="  ")
    return "\n".join([*in_columns(rows, (name_width, WIDTH - name_width - 2)), "", *(line.text for line in words)])

"""The command that repeats a run."""

from __future__ import annotations

from xentfuzz.reports.document import Document


def repetition(document: Document) -> list[str]:
    """The words of the command, with the seed that was drawn; none where there is no one command."""
    command = list(document.command)
    if not command or document.seed is None:
        return []
    if not any(argument.split("=")[0] == "--seed" for argument in command):
        command += ["--seed", str(document.seed)]
    return command

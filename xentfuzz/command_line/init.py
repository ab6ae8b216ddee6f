"""`xentfuzz init`: the files that a kernel's author begins with."""

from __future__ import annotations

from pathlib import Path

import typer

from xentfuzz.command_line.options import Folder, StarterArray

EPILOG = "\b\nExamples:\n  xentfuzz init\n  xentfuzz init my_kernel --array torch"


def init(folder: Folder = ".", array: StarterArray = "numpy") -> None:
    """Write an adapter for your kernel, a pytest file and a workflow."""
    from xentfuzz.errors import require_known  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.starter import ARRAYS, write_starter  # noqa: PLC0415

    require_known("array library", [array], ARRAYS)
    for path in write_starter(Path(folder), array):
        typer.echo(f"wrote {path}")
    adapter = Path(folder) / "kernel_adapter.py"
    typer.echo(f"next: fill in `loss` in {adapter}, then\n  xentfuzz check {adapter}:KERNEL --profile quick")

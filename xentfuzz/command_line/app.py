"""The commands by name. A new one is a module with a function, its examples as EPILOG, and a line here."""

from __future__ import annotations

from typing import Annotated

import typer

from xentfuzz import __version__
from xentfuzz.command_line import bench, check, compare, explain, init, listing, power, replay, report, run

# Plain help: rich's, with its import, takes longer than all the rest of `--help`.
app = typer.Typer(
    name="xentfuzz",
    help="Check and benchmark softmax cross-entropy kernels against exact results.",
    epilog="Exit status: 0 no unexpected finding, 1 findings, 2 wrong usage, 3 an error of xentfuzz itself, 130 interrupted.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xentfuzz {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.", show_default=False)]


@app.callback()
def _options(version: Version = False) -> None:  # noqa: FBT002 - typer passes options by name
    del version


app.command("run", epilog=run.EPILOG)(run.run)
app.command("list", epilog=listing.EPILOG)(listing.list_implementations)
app.command("check", epilog=check.EPILOG)(check.check)
app.command("replay", epilog=replay.EPILOG)(replay.replay)
app.command("explain", epilog=explain.EPILOG)(explain.explain)
app.command("bench", epilog=bench.EPILOG)(bench.bench)
app.command("compare", epilog=compare.EPILOG)(compare.compare)
app.command("power", epilog=power.EPILOG)(power.power)
app.command("report", epilog=report.EPILOG)(report.report)
app.command("init", epilog=init.EPILOG)(init.init)

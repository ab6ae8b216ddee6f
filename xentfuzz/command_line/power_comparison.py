"""`xentfuzz power --usual` and `--compare`: one table of what ours and the usual ways of checking find."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xentfuzz.command_line import status
from xentfuzz.errors import RecordError, Unavailable

if TYPE_CHECKING:
    from xentfuzz.gallery.entry import Entry
    from xentfuzz.power.comparison.row import Row

PAGE, PLOT, FIGURES = "table.md", "plot.svg", "comparison.json"
# What the usual ways, and the plot, need beside what `pip install xentfuzz` brings.
EXTRA = "pip install 'xentfuzz[comparison]'"


def examined(entries: Sequence[Entry], jobs: int, screen: Any) -> tuple[list[Row], bool]:
    """Rows of the usual ways on the entries, and whether the user interrupted. Raises Unavailable where a library is missing."""
    from xentfuzz.command_line.collected import collected  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.power.comparison.rows import usual_rows  # noqa: PLC0415
    from xentfuzz.power.usual.examination import UsualTask, examine_all  # noqa: PLC0415
    from xentfuzz.power.usual.methods import METHODS  # noqa: PLC0415

    _require("torch", "expecttest", "onnx")
    tasks = [UsualTask(method, entry.id) for method in METHODS for entry in entries]
    done, interrupted = collected(examine_all(tasks, jobs), len(tasks), lambda one: f"{one.method}, {one.entry}", screen)
    return usual_rows(done), interrupted


def stored(paths: Sequence[str]) -> list[Row]:
    """Rows of stored results. Raises RecordError."""
    from xentfuzz.power.comparison.rows import stored_rows  # noqa: PLC0415

    return stored_rows([_read(path) for path in paths])


def files_in(folder: str | None) -> list[str]:
    """What `write_folder` writes. Raises Unavailable where matplotlib is missing."""
    if folder is not None:
        _require("matplotlib")
    return [] if folder is None else [str(Path(folder) / name) for name in (PAGE, PLOT, FIGURES)]


def show(rows: Sequence[Row], screen: Any) -> None:
    from xentfuzz.power.comparison.table import short_figures  # noqa: PLC0415
    from xentfuzz.reports.lines import Line, table, wrapped  # noqa: PLC0415

    header, *lines = table(short_figures(rows), set(range(1, 7)))
    meaning = "bugs and mutants found; honest implementations and mutants equivalent to one accused; cases and seconds of a whole pass"
    screen.show([Line(header, "bold"), *map(Line, lines), Line(), *wrapped(meaning)])


def write_folder(folder: str, document: dict[str, Any], rows: Sequence[Row]) -> None:
    """The page, the plot and the figures."""
    from xentfuzz.files import write_whole  # noqa: PLC0415
    from xentfuzz.power.comparison.page import to_page  # noqa: PLC0415
    from xentfuzz.power.comparison.plot import to_svg  # noqa: PLC0415

    command = f"xentfuzz power --compare {FIGURES} --compare NEW.json --out ."
    contents = {PLOT: to_svg(rows), PAGE: to_page(rows, command), FIGURES: json.dumps(document, indent=1) + "\n"}
    for name, content in contents.items():
        write_whole(Path(folder) / name, content)


def exit_status(*, interrupted: bool) -> int:
    """A bug that a usual way misses is no finding about xentfuzz."""
    return status.INTERRUPTED if interrupted else status.OK


def _require(*libraries: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise Unavailable(f"{', '.join(missing)} cannot be imported, which a comparison needs: {EXTRA}")


def _read(path: str) -> dict[str, Any]:
    from xentfuzz.reports.document import read_content  # noqa: PLC0415

    content = read_content(path)
    if content.get("kind") != "power":
        raise RecordError(f"{Path(path).name} holds no results of `xentfuzz power`: give a file that its --json wrote")
    return content

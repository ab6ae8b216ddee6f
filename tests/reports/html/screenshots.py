"""Pictures of a report for README: `python tests/reports/html/screenshots.py reports/faulty`, which holds report.html and results.json.

The terminal's picture is made of results.json, as a check prints it.
"""

from __future__ import annotations

import html
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from xentfuzz.reports.document import read_document
from xentfuzz.reports.lines import Line
from xentfuzz.reports.summary import summary_lines

# Name -> width, height, colour scheme.
PICTURES = {"report": (1000, 1180, "light"), "report-dark": (1600, 1180, "dark"), "report-phone": (360, 1180, "light")}
COLOURS = {"red": "#ff7b72", "green": "#7ee787", "yellow": "#e3b341"}
PAGE = (
    '<body style="margin:0;background:#0d1117"><pre style="margin:0;padding:16px;width:max-content;font:15px/1.4 monospace;color:#e6edf3">'
    '<span style="color:#7ee787">$</span> {command}\n...\n{lines}</pre></body>'
)


def main(folder: Path) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto((folder / "report.html").resolve().as_uri())
            page.screenshot(path=folder / f"{name}.png")
        _terminal(browser, folder)
        browser.close()


def _terminal(browser: Browser, folder: Path) -> None:
    document = read_document(folder / "results.json")
    lines = [*summary_lines(document.reports[0]), Line(f"repeat with --seed {document.seed}")]
    command = f"{' '.join(word for word in document.command if '.html' not in word and '.json' not in word)}"
    page = browser.new_page(viewport={"width": 820, "height": 200})
    page.set_content(PAGE.format(command=command.replace(" --html", "").replace(" --json", ""), lines="\n".join(map(_styled, lines))))
    page.locator("pre").screenshot(path=folder / "terminal.png")


def _styled(line: Line) -> str:
    words = line.style.split()
    colour = next((COLOURS[word] for word in words if word in COLOURS), "inherit")
    return f'<span style="color:{colour};font-weight:{700 if "bold" in words else 400}">{html.escape(line.text)}</span>'


if __name__ == "__main__":
    main(Path(sys.argv[1]))

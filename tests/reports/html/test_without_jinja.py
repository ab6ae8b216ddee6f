"""Without the extra that renders pages, a person learns what to install before anything is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = "import sys; sys.modules['jinja2'] = None; from xentfuzz.command_line.main import main; sys.exit(main())"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "numpy", "--profile", "quick", "--html", "page.html"),
        ("bench", "numpy", "--quick", "--html", "page.html"),
        ("report", "results.json", "--html", "page.html"),
    ],
)
def test_a_page_without_jinja_is_refused_at_once(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "results.json").write_text("{}")
    ended = subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2, ended.stderr
    assert "pip install 'xentfuzz[report]'" in ended.stderr
    assert ended.stdout == ""

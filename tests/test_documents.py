"""README and docs: their kernels run as they stand, their commands and links are such that there are."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xentfuzz.command_line.main import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST_LINES = 150


def named_blocks() -> dict[str, str]:
    """File name -> code, of the blocks whose first line is a file name."""
    text = "\n".join(page.read_text() for page in PAGES)
    return {name: f"# {name}\n{code}" for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL)}


BLOCKS = named_blocks()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, code in BLOCKS.items():
        (tmp_path / name).write_text(code)
    return tmp_path


def checked(target: str, *options: str) -> dict:
    """The report of a short check of values and gradients."""
    values = ["--profile", "quick", "--seed", "0", "--check", "value", "--check", "gradient", "--max-examples", "25"]
    status = main(["check", target, *values, *options, "--json", "results.json"])
    (report,) = json.loads(Path("results.json").read_text())["reports"]
    assert status == int(not report["ok"])
    assert sum(check["cases"] for check in report["checks"]) > 20
    return report


def first_message(report: dict) -> str:
    return report["failures"][0]["message"]


def test_the_readme_can_be_read_at_once() -> None:
    assert (ROOT / "README.md").read_text().count("\n") <= MOST_LINES


def test_the_numpy_kernel_has_the_bug_that_is_told_of_it(folder) -> None:
    message = first_message(checked("kernel.py:cross_entropy"))
    assert "needs reduction mean, an ignored row and 2 rows" in message
    (sample,) = json.loads((ROOT / "reports" / "faulty" / "results.json").read_text())["reports"]
    assert first_message(sample).splitlines()[0] == message.splitlines()[0]


def test_the_torch_kernel_passes(folder) -> None:
    report = checked("kernel_torch.py:CrossEntropy", "--dtype", "float32", "--no-isolate")
    assert report["ok"], report["failures"]
    assert {"value", "gradient"} <= {check["check"] for check in report["checks"] if check["cases"]}


def test_the_c_kernel_refuses_an_ignored_row(folder) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    source = re.search(r"```c\n(.*?)```", (ROOT / "docs" / "kernels.md").read_text(), re.DOTALL)
    command = re.search("`(cc .*? kernel.c .*?)`", (ROOT / "docs" / "kernels.md").read_text())
    assert source
    assert command
    Path("kernel.c").write_text(source[1])
    subprocess.run(command[1].split(), check=True)
    report = checked("kernel_c.py:cross_entropy", "--dtype", "float32")
    assert "needs an ignored row" in first_message(report)
    assert report["card"]["options"]["reduction"] == ["none"]


def test_the_jax_kernel_does_not_skip_an_ignored_row(folder) -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    assert "an ignored row" in first_message(checked("kernel_jax.py:cross_entropy", "--array", "jax", "--dtype", "float32"))


def test_the_triton_kernel_refuses_an_ignored_row(folder) -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    report = checked("kernel_triton.py:cross_entropy", "--env", "TRITON_INTERPRET=1", "--dtype", "float32")
    assert "needs an ignored row" in first_message(report)


def test_the_pytest_files_run(folder) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--xentfuzz-profile", "quick", "-k", "value-float32 and not special and cross_entropy"]
    command = [sys.executable, "-m", "pytest", *options, "test_kernel.py", "test_registered.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert re.search(r"1 failed, [1-9]\d* passed", done.stdout), done.stdout + done.stderr
    assert "FAILED test_kernel.py::" in done.stdout


def test_the_python_of_the_documents_runs(folder, monkeypatch, capsys) -> None:
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "kernel", raising=False)
    runpy.run_path("in_python.py")
    sys.modules.pop("kernel", None)
    assert capsys.readouterr().out.startswith("False 1\nforward: loss is ")


def commands() -> list[tuple[str, str]]:
    """(page, command) of every xentfuzz command, in lines of their own and within sentences."""
    found = []
    for page in PAGES:
        text = page.read_text()
        lines = re.findall(r"^    (xentfuzz .*)$", text, re.MULTILINE) + re.findall("`(xentfuzz [^`]*)`", text.replace("\n", " "))
        found += [(page.name, command) for command in lines]
    return found


def test_commands_and_their_options_are_those_that_there_are(capsys) -> None:
    known: dict[str, str] = {}
    for page, command in commands():
        _, name, *words = command.split()
        if name not in known:
            assert main([name, "--help"]) == 0, (page, command)
            known[name] = capsys.readouterr().out
        options = [word for word in words if word.startswith("--")]
        assert [option for option in options if option not in known[name]] == [], (page, command)
    assert {"check", "bench", "explain", "init", "power", "replay", "report"} <= set(known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", re.sub("```.*?```", "", page.read_text(), flags=re.DOTALL)) if "://" not in link]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("nav:")[2]
    assert [page.name for page in PAGES[1:] if f"- {page.name}\n" not in navigation] == []

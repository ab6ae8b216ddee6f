"""What `xentfuzz init` writes: it runs once the function is filled in, and nothing is overwritten."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import xentfuzz
from xentfuzz.command_line.main import main
from xentfuzz.errors import UsageError
from xentfuzz.starter import ARRAYS, FILES, write_starter

PLACEHOLDER = 'raise NotImplementedError("call your kernel here")'
FILLED = {
    "numpy": "return xentfuzz.get('numpy').forward(logits, target, weight=weight, ignore_index=ignore_index, reduction=reduction, "
    "label_smoothing=label_smoothing)",
    "torch": "return torch.nn.functional.cross_entropy(logits, target, weight, ignore_index=ignore_index, reduction=reduction, "
    "label_smoothing=label_smoothing)",
}


def filled(folder: Path, array: str) -> Path:
    """The adapter with its function filled in; NumPy's without its gradient, as its text says how."""
    write_starter(folder, array)
    adapter = folder / "kernel_adapter.py"
    text = adapter.read_text().replace(PLACEHOLDER, FILLED[array]).replace("    backward=gradient,\n", "")
    adapter.write_text(text.replace("from xentfuzz import", "import xentfuzz\nfrom xentfuzz import", 1))
    return adapter


@pytest.mark.parametrize("array", ARRAYS)
def test_every_file_is_written_and_is_python_where_it_says_so(tmp_path, array):
    written = write_starter(tmp_path / "new", array)
    assert [path.relative_to(tmp_path / "new").as_posix() for path in written] == list(FILES)
    for path in written:
        assert "@" not in re.sub("actions/[a-z-]+@v[0-9]+|@xentfuzz", "", path.read_text())
        if path.suffix == ".py":
            compile(path.read_text(), str(path), "exec")


@pytest.mark.parametrize("array", FILLED)
def test_a_filled_adapter_passes(tmp_path, array):
    grade = {"torch": "staged/any"}.get(array)
    options = ["--grade", grade] if grade else []
    adapter = filled(tmp_path, array)
    assert (
        main(["check", f"{adapter}:KERNEL", "--profile", "quick", "--seed", "0", "--check", "value", "--max-examples", "8", *options]) == 0
    )


def test_the_pytest_file_runs_on_the_adapter(tmp_path):
    filled(tmp_path, "numpy")
    command = [sys.executable, "-m", "pytest", "-q", "-k", "value-float32 and not special", "--xentfuzz-profile", "quick", "test_kernel.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_workflow_calls_options_that_there_are(tmp_path, capsys):
    write_starter(tmp_path, "numpy")
    workflow = (tmp_path / ".github" / "workflows" / "xentfuzz.yml").read_text()
    assert main(["check", "--help"]) == 0
    known = capsys.readouterr().out
    called = re.findall("--[a-z-]+", next(line for line in workflow.splitlines() if "xentfuzz check" in line))
    assert called
    assert [option for option in called if option not in known] == []


def test_an_unfilled_adapter_is_no_pass(tmp_path):
    write_starter(tmp_path, "numpy")
    assert main(["check", f"{tmp_path / 'kernel_adapter.py'}:KERNEL", "--profile", "quick", "--seed", "0"]) == 1


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "test_kernel.py").write_text("mine")
    with pytest.raises(UsageError, match=r"test_kernel.py in .*: there already, and nothing is overwritten"):
        write_starter(tmp_path, "numpy")
    assert [path.name for path in tmp_path.iterdir()] == ["test_kernel.py"]
    assert (tmp_path / "test_kernel.py").read_text() == "mine"


def test_errors_are_one_line_with_status_2(tmp_path, capsys):
    assert main(["init", str(tmp_path), "--array", "numppy"]) == 2
    assert "did you mean 'numpy'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 2
    assert "is a file: give a folder" in capsys.readouterr().err


def test_the_command_says_what_to_do_next(tmp_path, capsys):
    assert main(["init", str(tmp_path / "new"), "--array", "torch"]) == 0
    out = capsys.readouterr().out
    assert "kernel_adapter.py:KERNEL --profile quick" in out
    assert xentfuzz.__name__ in out

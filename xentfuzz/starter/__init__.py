"""What `xentfuzz init` writes: an adapter, a pytest file and a workflow, for each array library.

The files end in `.template`, because a linter or a test runner should not take them for ours; `@NAME@` stands for what is filled in.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from xentfuzz.errors import UsageError
from xentfuzz.files import write_whole

ARRAYS = ("numpy", "torch", "jax")
# Where a file goes -> the template that it is made of; {array} is the array library.
FILES = {
    "kernel_adapter.py": "adapter_{array}.template",
    "test_kernel.py": "test_kernel.template",
    ".github/workflows/xentfuzz.yml": "workflow.template",
}


def write_starter(folder: Path, array: str) -> list[Path]:
    """The files written. Raises UsageError, and writes none, where one of them exists or the folder is a file."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: give a folder, which need not exist yet")
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise UsageError(f"{' and '.join(there)} in {folder}: there already, and nothing is overwritten; give another folder, or move them")
    written = []
    for name, template in FILES.items():
        written.append(write_whole(folder / name, _filled(template.format(array=array), array)))
    return written


def _filled(template: str, array: str) -> str:
    text = (resources.files("xentfuzz.starter") / template).read_text(encoding="utf-8")
    return text.replace("@PACKAGE@", array)

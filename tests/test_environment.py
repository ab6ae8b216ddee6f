"""Records name versions, never a machine, a user or a path."""

from __future__ import annotations

import getpass
import platform
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.environment import available_cores, environment, reduced_command, without_paths


def test_versions_are_those_of_the_imported_libraries() -> None:
    assert environment()["numpy"] == np.__version__
    assert environment()["python"] == platform.python_version()


def test_cores_that_the_process_may_not_use_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {2}, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert available_cores() == 1
    monkeypatch.delattr("os.sched_getaffinity")
    assert available_cores() == 64


def test_neither_host_nor_user_nor_path_is_named() -> None:
    assert not {platform.node(), getpass.getuser(), str(Path.home())} & set(environment().values())
    assert "/" not in "".join(environment().values())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("{cwd}/kernels/mine.py:3", "kernels/mine.py:3"),
        ('File "{numpy}/_core/numeric.py", line 2', 'File "numpy/_core/numeric.py", line 2'),
        ('File "/home/somebody/my project/kernel.py", line 2, in f', 'File "kernel.py", line 2, in f'),
        ("cannot open /data/secret/logits.bin", "cannot open logits.bin"),
        ("loss is 3/4 of 1/2, see https://example.org/a/b/c", "loss is 3/4 of 1/2, see https://example.org/a/b/c"),
        ("N/A and/or 1 / 2 / 3", "N/A and/or 1 / 2 / 3"),
    ],
)
def test_paths_become_relative(given: str, wanted: str) -> None:
    assert without_paths(given.format(cwd=Path.cwd(), numpy=Path(np.__file__).parent)) == wanted


@pytest.mark.parametrize(
    ("given", "reduced"),
    [
        ("/home/some body/kernel.py:loss", "kernel.py:loss"),
        ("--json=/home/somebody/out.json", "--json=out.json"),
        (r"C:\Users\somebody\kernel.py:loss", "kernel.py:loss"),
        ("kernels/mine.py:loss", "kernels/mine.py:loss"),
        ("--grade=lse/any", "--grade=lse/any"),
        ("--env", "--env"),
        ("-", "-"),
    ],
)
def test_commands_keep_names_and_lose_folders(given, reduced):
    assert reduced_command(["/home/somebody/bin/__main__.py", given]) == ["xentfuzz", reduced]

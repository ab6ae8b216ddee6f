"""What one worker compiled, the next one finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from xentfuzz.implementation import Implementation
from xentfuzz.subjects.compiled_code import FOLDER, kept_for_workers
from xentfuzz.subjects.isolated import Isolated

LEAVES = "arrays_and_results:leaves_a_file_where_code_is_kept"


def test_a_worker_finds_what_the_one_before_it_compiled(monkeypatch, make_call):
    monkeypatch.delenv(FOLDER, raising=False)
    subject = Isolated(Implementation("subject", LEAVES))
    try:
        files = []
        for _ in range(2):
            files.append(subject.call(make_call()).results["value"].item())
            subject.close()
    finally:
        subject.close()
    assert files[1] - files[0] == 1


def test_a_folder_of_the_users_own_is_left_to_the_user(monkeypatch):
    monkeypatch.setenv(FOLDER, "mine")
    assert kept_for_workers({}) == {}
    monkeypatch.delenv(FOLDER)
    assert kept_for_workers({FOLDER: "declared"}) == {}


def test_the_folder_is_gone_when_the_process_ends():
    program = f"import os; os.environ.pop({FOLDER!r}, None); from xentfuzz.subjects.compiled_code import kept_for_workers as kept"
    command = [sys.executable, "-c", f"{program}; folder = kept({{}})[{FOLDER!r}]; os.mkdir(folder); print(folder)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("xentfuzz-compiled-")
    assert not folder.exists()

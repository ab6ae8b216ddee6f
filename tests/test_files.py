"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xentfuzz.files import STANDARD_OUTPUT, write_output, write_whole


def test_text_and_bytes_come_back_as_given(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "new" / "text", "déjà\r\nvu\n").read_bytes() == "déjà\r\nvu\n".encode()
    assert write_whole(str(tmp_path / "bytes"), b"\x00\xff").read_bytes() == b"\x00\xff"


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    write_whole(tmp_path / "report", "old and longer")
    write_whole(tmp_path / "report", "new")
    assert (tmp_path / "report").read_text() == "new"


def test_output_goes_to_a_file_or_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (str(tmp_path / "new" / "text"), STANDARD_OUTPUT):
        write_output(path, "déjà \ud800\n")
    assert (tmp_path / "new" / "text").read_bytes() == "déjà \\ud800\n".encode()
    assert capsys.readouterr().out == "déjà \\ud800\n"


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_write_that_breaks_off_leaves_the_older_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    write_whole(tmp_path / "report", "old")

    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os if step == "fsync" else Path, step, break_off)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "report", "new")
    monkeypatch.undo()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report", "old")]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    assert write_whole(tmp_path / "whole", "").stat().st_mode == (tmp_path / "usual").stat().st_mode

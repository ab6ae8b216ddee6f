"""Texts about exceptions: short, without folders, whatever the exception does."""

from __future__ import annotations

import pytest

from xentfuzz.worker.texts import LONGEST, message_of, one_line, raised_from, shorten, without_folders


class Unspeakable(ValueError):
    def __str__(self):
        raise RuntimeError("no words")


def caught(error):
    with pytest.raises(type(error)) as found:
        raise error
    return found.value


def test_a_message_that_raises_is_replaced():
    assert message_of(Unspeakable()) == "(its message is not available: str() raised RuntimeError)"


def test_long_texts_keep_both_ends():
    text = shorten("a" * LONGEST + "b" * LONGEST)
    assert len(text) < 1.01 * LONGEST
    assert (text[0], text[-1]) == ("a", "b")
    assert shorten("short") == "short"


def test_classes_are_listed_from_the_most_derived_on():
    raised = raised_from(caught(Unspeakable()))
    assert raised.types == ("Unspeakable", "ValueError", "Exception", "BaseException")
    assert "Unspeakable" in raised.traceback


def test_one_line_is_the_first_and_the_last():
    assert one_line("exited with status 1\nTraceback\n  File ...\nImportError: numpy\n") == "exited with status 1; ImportError: numpy"
    assert one_line("alone") == "alone"
    assert one_line("") == ""


def test_folders_are_cut_from_tracebacks():
    assert without_folders('File "/home/me/kernels/fast.py", line 3') == 'File "fast.py", line 3'
    assert without_folders('File "C:\\\\me\\\\fast.py", line 3') == 'File "fast.py", line 3'
    assert without_folders('File "<string>", line 3') == 'File "<string>", line 3'
    assert __file__ not in raised_from(caught(ValueError("x"))).traceback

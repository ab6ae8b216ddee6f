"""Where lines go: plain text for pipes, colour and progress for terminals."""

from __future__ import annotations

import io
import re

import pytest

from xentfuzz.reports.lines import Line
from xentfuzz.reports.rich_screen import RichScreen
from xentfuzz.reports.screen import PLAIN_SECONDS, PlainScreen, left_words, screen_for

ESCAPE = "\x1b"


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_gets_plain_text(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    screen = screen_for(stream)
    screen.progress("corpus: value", 1, 2)
    screen.show([Line("FAILED", "bold red")])
    screen.end_progress()
    assert stream.getvalue() == "FAILED\n"


def test_a_terminal_gets_colour(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Tty()
    screen_for(stream).show([Line("FAILED", "bold red")])
    assert "FAILED" in stream.getvalue()
    assert f"{ESCAPE}[1;31m" in stream.getvalue()


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Tty()
    screen_for(stream).show([Line("FAILED", "red")])
    assert stream.getvalue() == "FAILED\n"


def test_a_dumb_terminal_gets_plain_text(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(screen_for(Tty()), PlainScreen)


def test_brackets_and_long_lines_reach_the_terminal_unchanged(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Tty()
    text = "logits = [[0.5]] [bold]not markup[/bold] :smile: " + "x" * 60
    screen_for(stream).show([Line(text)])
    assert stream.getvalue() == f"{text}\n"


def test_progress_on_a_terminal_is_one_line_that_goes_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Tty()
    screen = RichScreen(stream, force_terminal=True)
    for done in range(1, 4):
        screen.progress("corpus: cross_entropy value float32, and more than fits", done, 3)
    screen.end_progress()
    screen.end_progress()
    shown = stream.getvalue()
    assert "3/3" in shown
    # The last thing is to erase the line.
    assert shown.rstrip().endswith(f"{ESCAPE}[2K")


@pytest.fixture
def clock():
    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


def test_a_log_says_now_and_then_what_is_going_on(clock):
    stream = io.StringIO()
    screen = PlainScreen(stream, clock)
    screen.progress("corpus: value", 1, 10)
    clock.now += PLAIN_SECONDS
    screen.progress("corpus: value", 2, 10)
    screen.progress("corpus: value", 3, 10)
    clock.now += PLAIN_SECONDS
    screen.progress("shrinking: value", 0, 0)
    clock.now += PLAIN_SECONDS
    screen.progress("search: value", 1, 2, left=65.4)
    assert stream.getvalue() == "15 s: corpus: value 2 of 10\n30 s: shrinking: value\n45 s, at most 1:05 left: search: value 1 of 2\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "almost done"), (0.4, "almost done"), (59, "at most 0:59 left"), (7199, "at most 1:59:59 left")]
)
def test_the_time_left_is_minutes_and_hours(seconds, words):
    assert left_words(seconds) == words


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_progress_and_the_time_left_fit_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Tty()
    screen = RichScreen(stream, force_terminal=True)
    screen.progress("checking: cross_entropy value float32, and more than fits in a line of a terminal", 1, 3, left=65)
    screen.end_progress()
    shown = re.sub(f"{ESCAPE}\\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "at most 1:05 left" in shown
    assert max(map(len, re.split("[\r\n]", shown))) <= min(columns, 100)


def test_a_log_that_just_said_something_waits(clock):
    stream = io.StringIO()
    screen = PlainScreen(stream, clock)
    clock.now += PLAIN_SECONDS - 1
    screen.show([Line("result")])
    clock.now += 1
    screen.progress("corpus: value", 2, 10)
    assert stream.getvalue() == "result\n"

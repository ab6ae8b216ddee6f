"""Text for 80 columns."""

from __future__ import annotations

import pytest

from xentfuzz.reports.lines import WIDTH, clipped, counted, in_columns, labelled, squeezed, table, wrapped


def texts(lines):
    return [line.text for line in lines]


def test_paragraphs_hang_below_their_label():
    lines = texts(labelled("note", "word " * 30, 10))
    assert lines[0].startswith("note      word")
    assert lines[1].startswith("          word")
    assert max(map(len, lines)) <= WIDTH


def test_words_longer_than_a_line_are_broken():
    assert texts(wrapped("x" * 100)) == ["x" * 80, "x" * 20]


def test_an_empty_paragraph_keeps_its_label():
    assert texts(labelled("note", "", 10)) == ["note"]


@pytest.mark.parametrize("shorten", [lambda text: texts(wrapped(text))[0], clipped])
def test_escape_sequences_and_line_ends_are_shown_not_sent(shorten):
    assert shorten("a \x1b[31mred\x1b[0m\nword \x07 \ud800 \x9b") == r"a \x1b[31mred\x1b[0m word \x07 \ud800 \x9b"


def test_text_is_clipped_at_its_end_and_names_in_their_middle():
    assert clipped("short") == squeezed("short", 20) == "short"
    assert clipped("a" * 50 + "b" * 50, 20) == "aaaaaaaaaaaaaaaaa..."
    assert squeezed("a" * 50 + "b" * 50, 20) == "aaaaaaaaaaa...bbbbbb"


def test_columns_are_aligned():
    assert table([("name", "n"), ("a", "10"), ("long name", "")], right={1}) == ["name        n", "a          10", "long name"]


def test_long_cells_go_on_in_the_next_line():
    assert in_columns([("one", "two three four")], (4, 9)) == ["one   two three", "      four"]


@pytest.mark.parametrize(("number", "words"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases")])
def test_nouns_agree_with_their_number(number, words):
    assert counted(number, "case") == words

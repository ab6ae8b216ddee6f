"""A name that does not exist is answered with those that do."""

from __future__ import annotations

import pytest

from xentfuzz.errors import UnknownName, require_known


def test_the_first_unknown_name_is_told_with_the_nearest_known_one():
    with pytest.raises(UnknownName, match=r"unknown colour 'bleu'; did you mean 'blue'\? \(known: blue, red\)"):
        require_known("colour", ["red", "bleu", "rde"], {"red": 1, "blue": 2})


def test_known_names_pass():
    require_known("colour", ["red"], ("red", "blue"))
    require_known("colour", [], ())

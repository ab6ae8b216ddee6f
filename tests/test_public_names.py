"""What `import xentfuzz` offers."""

from __future__ import annotations

import pytest

import xentfuzz


def test_every_public_name_is_there():
    assert [name for name in xentfuzz.__all__ if getattr(xentfuzz, name, None) is None] == []
    assert set(xentfuzz.__all__) <= set(dir(xentfuzz))


def test_names_that_others_build_on_are_public():
    fixed = {"Implementation", "check", "get", "implementations", "parametrize", "register"}
    assert fixed <= set(xentfuzz.__all__)


def test_any_other_name_is_missing():
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = xentfuzz.chekc

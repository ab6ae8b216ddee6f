"""Messages arrive whole or not at all."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest

from xentfuzz.worker import messages


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    os.close(read)


def test_a_message_comes_back_equal_with_infinities_and_numpy_scalars(pipe):
    messages.write_all(pipe[1], messages.encode({"x": [1.5, float("inf"), None, np.int64(3), np.float32(0.1)]}))
    os.close(pipe[1])
    assert messages.read_message(pipe[0]) == {"x": [1.5, float("inf"), None, 3, float(np.float32(0.1))]}
    with pytest.raises(EOFError):
        messages.read_message(pipe[0])


def test_a_message_that_breaks_off_is_none(pipe):
    os.write(pipe[1], messages.encode({"x": 1})[:-1])
    os.close(pipe[1])
    with pytest.raises(EOFError):
        messages.read_message(pipe[0])


def test_a_message_is_complete_with_its_last_byte_and_garbage_at_once():
    whole = messages.encode({"x": 1})
    assert [messages.complete_size(whole[:end]) for end in (0, 3, len(whole) - 1)] == [0, 0, 0]
    assert messages.complete_size(whole + b"more") == len(whole)
    assert messages.complete_size(struct.pack("<I", 1 << 31)) > 0


@pytest.mark.parametrize("body", [b"\xff", b"[1]", b"{"])
def test_anything_but_an_object_is_refused(body):
    with pytest.raises(ValueError):
        messages.decode(body)

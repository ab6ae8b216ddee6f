"""Messages over a pipe: a length, then JSON, so that either side may be of another Python, and a reply can do nothing but be read."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

HEADER = struct.Struct("<I")
# Replies describe arrays and texts that have been shortened; a longer one is none.
LARGEST = 1 << 24


def encode(message: dict[str, Any]) -> bytes:
    body = json.dumps(message, default=_plain).encode()
    return HEADER.pack(len(body)) + body


def _plain(value: Any) -> Any:
    """NumPy's scalars as Python's."""
    return value.item()


def decode(body: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but a JSON object."""
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError(f"a {type(message).__name__} is no message")  # noqa: TRY004 - one class for all that is no message
    return message


def complete_size(received: bytes) -> int:
    """The size of the message at the beginning of `received`, 0 while part of it is missing; garbage counts as complete."""
    if len(received) < HEADER.size:
        return 0
    size: int = HEADER.size + HEADER.unpack(received[: HEADER.size])[0]
    return size if len(received) >= size or size > LARGEST else 0


def write_all(descriptor: int, data: bytes) -> None:
    """Raises BrokenPipeError where the other side is gone."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_exactly(descriptor: int, size: int) -> bytes:
    """Raises EOFError where the other side is gone."""
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_message(descriptor: int) -> dict[str, Any]:
    """Blocks until a message is there. Raises EOFError where the other side is gone."""
    (size,) = HEADER.unpack(read_exactly(descriptor, HEADER.size))
    return decode(read_exactly(descriptor, size))

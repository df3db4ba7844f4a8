"""Frames on a pipe between the service and a process that works for it."""

from typing import IO, Final

import msgspec

LENGTH: Final = 4
"""Bytes before each frame, which tell its length."""

_encode: Final = msgspec.msgpack.Encoder().encode


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it."""
    data = _encode(message)
    return len(data).to_bytes(LENGTH) + data


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next message; None where the other side has closed the pipe."""
    length = stream.read(LENGTH)
    if len(length) < LENGTH:
        return None
    return stream.read(int.from_bytes(length))

"""EBML elements as bytes (RFC 8794): as much of it as a WebM file needs."""

from __future__ import annotations

import struct


def element(name: int, body: bytes) -> bytes:
    """An element whose size is written as short as it can be."""
    return identity(name) + size(len(body)) + body


def identity(name: int) -> bytes:
    """An element's ID, which carries its own length."""
    return name.to_bytes((name.bit_length() + 7) // 8, "big")


def size(value: int, width: int = 0) -> bytes:
    """A size of one to eight bytes; ``width`` bytes if it is given."""
    if not width:
        width = 1
        # All ones stand for "unknown".
        while value >= (1 << 7 * width) - 1:
            width += 1
    return (value | 1 << 7 * width).to_bytes(width, "big")


def unsigned(name: int, value: int, width: int = 0) -> bytes:
    """An element that holds an integer; ``width`` bytes if it is given."""
    return element(name, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def real(name: int, value: float) -> bytes:
    return element(name, struct.pack(">d", value))


def text(name: int, value: str) -> bytes:
    return element(name, value.encode())

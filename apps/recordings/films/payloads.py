"""What can be told of a frame without decoding it. People choose what they send: believe nothing.

What is no frame at all is left out of films, because some decoders end a whole film at it. Bytes
that look like a frame and are none may still be in; decoders show or sound nonsense then, as they
did in the call.
"""

from __future__ import annotations

from typing import NamedTuple

#: Larger pictures are left out: what a decoder allocates grows with them.
_MOST_PIXELS_A_SIDE = 8_192
_OPUS_FRAME_MOST_BYTES = 1_275
_OPUS_PACKET_MOST_US = 120_000


class Picture(NamedTuple):
    """A VP8 frame. Width and height are told by key frames only and 0 otherwise."""

    key: bool
    width: int
    height: int


def picture(payload: bytes) -> Picture | None:
    """What a VP8 frame says of itself (RFC 6386 section 9.1); None if it is none."""
    if len(payload) < 3:
        return None
    tag = int.from_bytes(payload[:3], "little")
    version, first_partition = tag >> 1 & 7, tag >> 5
    if version > 3 or first_partition == 0:
        return None
    if tag & 1:
        return Picture(False, 0, 0) if 3 + first_partition <= len(payload) else None
    if payload[3:6] != b"\x9d\x01\x2a" or 10 + first_partition > len(payload):
        return None
    # The upper two bits ask the player to scale.
    width = int.from_bytes(payload[6:8], "little") & 0x3FFF
    height = int.from_bytes(payload[8:10], "little") & 0x3FFF
    if not (0 < width <= _MOST_PIXELS_A_SIDE and 0 < height <= _MOST_PIXELS_A_SIDE):
        return None
    return Picture(True, width, height)


def opus_us(payload: bytes) -> int | None:
    """How long an Opus packet sounds, in µs; None if it is none (RFC 6716 section 3.4)."""
    if not payload:
        return None
    config = payload[0] >> 3
    if config < 12:
        each_us = (10_000, 20_000, 40_000, 60_000)[config & 3]
    elif config < 16:
        each_us = (10_000, 20_000)[config & 1]
    else:
        each_us = (2_500, 5_000, 10_000, 20_000)[config & 3]
    count = _opus_frames(payload)
    if count is None or count * each_us > _OPUS_PACKET_MOST_US:
        return None
    return count * each_us


def _opus_frames(payload: bytes) -> int | None:
    code, rest = payload[0] & 3, len(payload) - 1
    if code == 0:
        return 1 if rest <= _OPUS_FRAME_MOST_BYTES else None
    if code == 1:
        return 2 if rest % 2 == 0 and rest // 2 <= _OPUS_FRAME_MOST_BYTES else None
    if code == 2:
        first, at = _opus_length(payload, 1)
        left = len(payload) - at - first
        return 2 if at <= len(payload) and 0 <= left <= _OPUS_FRAME_MOST_BYTES else None
    return _opus_many(payload)


def _opus_many(payload: bytes) -> int | None:
    """The number of frames in a packet of code 3, if their lengths fit."""
    if len(payload) < 2:
        return None
    count, is_padded, is_variable = payload[1] & 63, payload[1] & 64, payload[1] & 128
    at, padding = 2, 0
    while is_padded:
        if at >= len(payload):
            return None
        more = payload[at]
        at += 1
        padding += 254 if more == 255 else more
        if more != 255:
            break
    left = len(payload) - at - padding
    if count == 0 or left < 0:
        return None
    if not is_variable:
        fits = left % count == 0 and left // count <= _OPUS_FRAME_MOST_BYTES
        return count if fits else None
    end = len(payload) - padding
    told = 0
    for _ in range(count - 1):
        length, at = _opus_length(payload, at)
        told += length
        if at + told > end:
            return None
    return count if end - at - told <= _OPUS_FRAME_MOST_BYTES else None


def _opus_length(payload: bytes, at: int) -> tuple[int, int]:
    """A frame's length of one or two bytes at ``at``, and where it ends; past the end if cut."""
    if at >= len(payload):
        return 0, len(payload) + 1
    first = payload[at]
    if first < 252:
        return first, at + 1
    if at + 1 >= len(payload):
        return 0, len(payload) + 1
    return payload[at + 1] * 4 + first, at + 2

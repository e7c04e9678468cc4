"""A WebM file (RFC 9559) whose bytes are known before they are written.

Blocks go into clusters, and whole clusters come out as bytes. Grouping them once without keeping
them tells where the cues point, how long the film is and how many bytes it has; with that the head
is made, and grouping the same blocks again gives what follows it.

Cues stand in front, so a player needs one range to know where everything is, and one for each seek.
What a cue names begins a cluster.
"""

from __future__ import annotations

import struct
from array import array
from enum import IntEnum
from typing import NamedTuple

from recordings.films.ebml import element, identity, real, size, text, unsigned

#: A player that seeks reads a cluster from its beginning.
CLUSTER_MOST_MS = 2_000
CLUSTER_MOST_BYTES = 1_000_000
#: Key frames closer than this share a cue.
CUE_LEAST_MS = 1_000
#: Where no key frame comes, sound gets a cue this often.
SOUND_CUE_MS = 4_000

#: What an Opus encoder needs before it sounds right (RFC 7845 section 5.1); browsers' encoders all
#: have it. RTP timestamps are those of the encoder's input, so a player takes it off again.
_PRE_SKIP_SAMPLES = 312
_PRE_SKIP_NS = 6_500_000
_OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, _PRE_SKIP_SAMPLES, 48_000, 0, 0)
#: What is decoded unheard after a seek until Opus has converged (RFC 7845 section 4.6).
_SEEK_PRE_ROLL_NS = 80_000_000


class Track(IntEnum):
    """Numbers of the tracks; a film has one of them or both."""

    PICTURE = 1
    SOUND = 2


class Block(NamedTuple):
    """One frame: when it is shown, in milliseconds of its film, and for how long about."""

    at_ms: int
    track: Track
    key: bool
    lasts_ms: int
    payload: bytes


class Clusters:
    """Groups blocks, which come in order of time. Remembers cues and sizes, and one cluster."""

    def __init__(self) -> None:
        self.size = 0
        self.ends_ms = 0
        self.tracks: set[Track] = set()
        #: For each cue: when, in which track, and where its cluster begins after the first one.
        self.cues: tuple[array[int], array[int], array[int]] = (array("Q"), array("B"), array("Q"))
        self._cued_ms: dict[Track, int] = {}
        self._begins_ms = 0
        self._parts: list[bytes] = []
        self._held = 0

    def add(self, block: Block) -> bytes:
        """The cluster that ``block`` did not go into anymore, or nothing."""
        cued = self._is_cued(block)
        full = self._held + len(block.payload) > CLUSTER_MOST_BYTES
        late = block.at_ms - self._begins_ms >= CLUSTER_MOST_MS
        done = self.finish() if cued or full or late else b""
        if not self._parts:
            self._begins_ms = block.at_ms
        if cued:
            self._cued_ms[block.track] = block.at_ms
            for column, value in zip(self.cues, (block.at_ms, block.track, self.size), strict=True):
                column.append(value)
        head = struct.pack(
            ">BhB", 0x80 | block.track, block.at_ms - self._begins_ms, 0x80 if block.key else 0
        )
        length = len(head) + len(block.payload)
        head = b"\xa3" + size(length) + head
        self._parts += (head, block.payload)
        self._held += len(head) + len(block.payload)
        self.tracks.add(block.track)
        self.ends_ms = max(self.ends_ms, block.at_ms + block.lasts_ms)
        return done

    def finish(self) -> bytes:
        """The cluster that is open, or nothing."""
        if not self._parts:
            return b""
        timestamp = unsigned(0xE7, self._begins_ms)
        head = identity(0x1F43B675) + size(len(timestamp) + self._held) + timestamp
        done = b"".join([head, *self._parts])
        self._parts.clear()
        self._held = 0
        self.size += len(done)
        return done

    def _is_cued(self, block: Block) -> bool:
        if block.track is Track.PICTURE:
            last = self._cued_ms.get(Track.PICTURE)
            return block.key and (last is None or block.at_ms - last >= CUE_LEAST_MS)
        last = max(self._cued_ms.values(), default=None)
        return last is None or block.at_ms - last >= SOUND_CUE_MS


def head(clusters: Clusters, width: int, height: int) -> bytes:
    """All that stands before the first cluster. The picture's size is that of its beginning."""
    info = element(
        0x1549A966,
        unsigned(0x2AD7B1, 1_000_000)  # timestamps are milliseconds
        + real(0x4489, float(clusters.ends_ms))
        + text(0x4D80, "Consilium")
        + text(0x5741, "Consilium"),
    )
    entries = {Track.PICTURE: _picture_entry(width, height), Track.SOUND: _sound_entry()}
    tracks = element(0x1654AE6B, b"".join(entries[track] for track in sorted(clusters.tracks)))
    # Positions have a fixed width, so that where things are does not change where they are.
    before = len(_seek_head(0, 0, 0)) + len(info) + len(tracks)
    first_cluster = before + len(_cues(clusters, 0))
    info_at = len(_seek_head(0, 0, 0))
    body = (
        _seek_head(info_at, info_at + len(info), before)
        + info
        + tracks
        + _cues(clusters, first_cluster)
    )
    return _ebml_head() + identity(0x18538067) + size(len(body) + clusters.size, width=8) + body


def _ebml_head() -> bytes:
    return element(
        0x1A45DFA3,
        unsigned(0x4286, 1)
        + unsigned(0x42F7, 1)
        + unsigned(0x42F2, 4)
        + unsigned(0x42F3, 8)
        + text(0x4282, "webm")
        + unsigned(0x4287, 4)
        + unsigned(0x4285, 2),
    )


def _seek_head(info: int, tracks: int, cues: int) -> bytes:
    places = ((0x1549A966, info), (0x1654AE6B, tracks), (0x1C53BB6B, cues))
    seeks = (
        element(0x4DBB, element(0x53AB, identity(name)) + unsigned(0x53AC, at, width=8))
        for name, at in places
    )
    return element(0x114D9B74, b"".join(seeks))


def _picture_entry(width: int, height: int) -> bytes:
    return element(
        0xAE,
        _entry(Track.PICTURE, kind=1, codec="V_VP8")
        + element(0xE0, unsigned(0xB0, width) + unsigned(0xBA, height)),
    )


def _sound_entry() -> bytes:
    return element(
        0xAE,
        _entry(Track.SOUND, kind=2, codec="A_OPUS")
        + element(0x63A2, _OPUS_HEAD)
        + unsigned(0x56AA, _PRE_SKIP_NS)
        + unsigned(0x56BB, _SEEK_PRE_ROLL_NS)
        + element(0xE1, real(0xB5, 48_000.0) + unsigned(0x9F, 2)),
    )


def _entry(track: Track, *, kind: int, codec: str) -> bytes:
    return (
        unsigned(0xD7, track)
        + unsigned(0x73C5, track)
        + unsigned(0x83, kind)
        + unsigned(0x9C, 0)  # no lacing
        + text(0x22B59C, "und")
        + text(0x86, codec)
    )


def _cues(clusters: Clusters, first_cluster: int) -> bytes:
    points = (
        element(
            0xBB,
            unsigned(0xB3, at_ms)
            + element(
                0xB7, unsigned(0xF7, track) + unsigned(0xF1, first_cluster + offset, width=8)
            ),
        )
        for at_ms, track, offset in zip(*clusters.cues, strict=True)
    )
    return element(0x1C53BB6B, b"".join(points))

"""One film's frames, brought into the order of time; and what is left out of it, counted.

Frames come as they arrived, with sound and picture in whatever order. They wait for each other for
a few seconds of the recording and then leave as blocks, whose times never go back and rise within
a track.

Left out are: what is no frame; pictures that begin without a key frame; what comes from a device or
a run that another has replaced; and what could only be shown ``EARLIEST_US`` after it arrived,
because what came before it takes until then. After a picture that was left out comes a key frame.
Pictures after a loss stay in, damaged as people saw them: they are what was recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from foundation.sealing.records import Frame, Kind, Source
from recordings.films.clock import EARLIEST_US, LATEST_US, LONGEST_US
from recordings.films.payloads import opus_us, picture
from recordings.films.webm import Block, Track

#: Who is late by less than a clock allows still finds its place.
_WAITS_MS = (LATEST_US + EARLIEST_US) // 1_000 + 800
_WAITING_MOST_BYTES = 16_000_000
#: Packets of sound may lie this much closer than they last: times are rounded, and clocks drift.
_OVERLAP_MS = 2
#: A picture's length is not told; the last one is shown this long.
_PICTURE_MS = 33


class Shot(NamedTuple):
    """A frame on the recording's clock, and whose it is."""

    source: Source
    #: Rises with each new stream in each run: of two that say the same thing the younger counts.
    age: tuple[int, int]
    #: Nothing says that it goes on from the frame before.
    is_new: bool
    at_us: int
    arrival_us: int
    frame: Frame


class _TrackState:
    def __init__(self) -> None:
        self.age = (-1, -1)
        #: The next frame is not shown earlier.
        self.free_ms = 0
        self.waits_for_key = True


class Reel:
    """Give it a film's shots as they arrived; it gives blocks, on the recording's clock."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        #: Width and height of the first picture.
        self.picture_size = (0, 0)
        self._tracks = {track: _TrackState() for track in Track}
        self._waiting: list[tuple[int, int, Block]] = []
        self._waiting_bytes = 0
        self._taken = 0
        self._given_ms = 0
        self._now_ms = 0

    def add(self, shot: Shot) -> Iterator[Block]:
        """Blocks that nothing can come before anymore."""
        if shot.source.kind is Kind.MICROPHONE:
            self._add_sound(shot)
        else:
            self._add_picture(shot)
        self._now_ms = max(self._now_ms, shot.arrival_us // 1_000)
        while self._waiting and (
            self._waiting[0][0] < self._now_ms - _WAITS_MS
            or self._waiting_bytes > _WAITING_MOST_BYTES
        ):
            yield self._give()

    def finish(self) -> Iterator[Block]:
        """All that waits. Nothing of what was added before is on its way anymore."""
        while self._waiting:
            yield self._give()

    def _give(self) -> Block:
        at_ms, _, block = heappop(self._waiting)
        self._waiting_bytes -= len(block.payload)
        self._given_ms = at_ms
        return block

    def _add_sound(self, shot: Shot) -> None:
        state = self._tracks[Track.SOUND]
        lasts_us = opus_us(shot.frame.payload)
        if lasts_us is None:
            self.left_out["not a frame"] += 1
        elif shot.age < state.age:
            self.left_out["replaced"] += 1
        else:
            state.age = shot.age
            self._take(shot, Track.SOUND, key=True, lasts_ms=-(-lasts_us // 1_000))

    def _add_picture(self, shot: Shot) -> None:
        state = self._tracks[Track.PICTURE]
        seen = picture(shot.frame.payload)
        if shot.age == state.age and shot.is_new:
            state.waits_for_key = True
        if seen is None:
            self.left_out["not a frame"] += 1
        elif shot.age < state.age:
            self.left_out["replaced"] += 1
        elif not seen.key and (state.waits_for_key or shot.age != state.age):
            self.left_out["before a key frame"] += 1
        elif self._take(shot, Track.PICTURE, key=seen.key, lasts_ms=_PICTURE_MS):
            state.age, state.waits_for_key = shot.age, False
            if not any(self.picture_size):
                self.picture_size = (seen.width, seen.height)
        else:
            state.waits_for_key = True

    def _take(self, shot: Shot, track: Track, *, key: bool, lasts_ms: int) -> bool:
        state = self._tracks[track]
        at_ms = max(round(shot.at_us / 1_000), state.free_ms, self._given_ms)
        if at_ms * 1_000 > min(shot.arrival_us + EARLIEST_US + 1_000, LONGEST_US):
            self.left_out["out of time"] += 1
            return False
        least_ms = lasts_ms - _OVERLAP_MS if track is Track.SOUND else 1
        state.free_ms = at_ms + max(1, least_ms)
        self._taken += 1
        block = Block(at_ms, track, key, lasts_ms, shot.frame.payload)
        heappush(self._waiting, (at_ms, self._taken, block))
        self._waiting_bytes += len(block.payload)
        return True

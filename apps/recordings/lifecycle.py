"""The life of a recording. Pure; read it aloud.

Asked for, it waits until everybody in the call has agreed. What was recorded is gathered from the
media worker, sealed into films, read back, and only then stored. In the end its keys are shredded,
and what is left of it is removed when its lock allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RecordingState(StrEnum):
    ASKED = "asked"
    ABANDONED = "abandoned"  # somebody did not agree, or whoever asked left
    RECORDING = "recording"
    PAUSED = "paused"
    GATHERING = "gathering"  # over; the media worker ships what it still holds
    EMPTY = "empty"  # nothing was ever shipped
    SEALING = "sealing"
    STORED = "stored"  # read back from the storage, to its end
    SHREDDED = "shredded"  # opens for nobody; locked bytes may still lie there
    REMOVED = "removed"


class ViewingState(StrEnum):
    """Of a viewing; read off the clock and the recording, not stored."""

    OPEN = "open"
    ENDED = "ended"  # its time is over, or the recording is not what it was


RECORDING: Mapping[tuple[RecordingState, str], RecordingState] = {
    (RecordingState.ASKED, "begin"): RecordingState.RECORDING,
    (RecordingState.ASKED, "abandon"): RecordingState.ABANDONED,
    (RecordingState.RECORDING, "pause"): RecordingState.PAUSED,
    (RecordingState.PAUSED, "resume"): RecordingState.RECORDING,
    (RecordingState.RECORDING, "stop"): RecordingState.GATHERING,
    (RecordingState.PAUSED, "stop"): RecordingState.GATHERING,
    (RecordingState.GATHERING, "seal"): RecordingState.SEALING,
    (RecordingState.GATHERING, "give_up"): RecordingState.EMPTY,
    (RecordingState.SEALING, "store"): RecordingState.STORED,
    (RecordingState.STORED, "shred"): RecordingState.SHREDDED,
    (RecordingState.SHREDDED, "remove"): RecordingState.REMOVED,
}

#: Something of the people in the call is taken, or about to be.
ACTIVE = frozenset({RecordingState.ASKED, RecordingState.RECORDING, RecordingState.PAUSED})

#: The media worker may still ship segments.
TAKES_SEGMENTS = frozenset(
    {RecordingState.RECORDING, RecordingState.PAUSED, RecordingState.GATHERING}
)

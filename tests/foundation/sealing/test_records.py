"""What a segment may hold is refused both when it is written and when it is read."""

from __future__ import annotations

import dataclasses

import pytest

from foundation.sealing import records
from foundation.sealing.errors import SegmentMalformed
from tests.foundation.sealing.words import CLOSING, JOINED, OPENING, PICTURE, PLACE, SOUND, picture

MIB = 1_048_576

#: What can't even be made.
UNMAKEABLE = {
    "eleven seconds": lambda: records.Opening(0, 0, 10_000_001),
    "a clock before its beginning": lambda: records.Opening(-1, 0, 0),
    "a clock beyond 64 bits": lambda: records.Opening(1 << 64, 0, 0),
    "the stream that stands for all": lambda: records.Source(
        65_535, PLACE, records.Kind.CAMERA, records.Codec.VP8
    ),
    "a microphone with pictures": lambda: records.Source(
        0, PLACE, records.Kind.MICROPHONE, records.Codec.VP8
    ),
    "a screen with sound": lambda: records.Source(
        0, PLACE, records.Kind.SCREEN, records.Codec.OPUS
    ),
    "an unknown kind": lambda: records.Source(0, PLACE, 4, records.Codec.VP8),
    "an unknown protection": lambda: records.Source(
        0, PLACE, records.Kind.CAMERA, records.Codec.VP8, 2
    ),
    "an empty frame": lambda: picture(b""),
    "a frame that is too long": lambda: picture(bytes(2 * MIB + 1)),
    "a frame that came in no packet": lambda: picture(b"x", packets=0),
    "a timestamp beyond 32 bits": lambda: picture(b"x", rtp=1 << 32),
    "a sequence number beyond 16 bits": lambda: picture(b"x", sequence=1 << 16),
    "a report from before": lambda: records.Report(0, 0, 0, -1),
    "a gap that ends before it begins": lambda: records.Gap(0, 2, 1, records.GapReason.PAUSED),
    "a gap for an unknown reason": lambda: records.Gap(0, 1, 2, 7),
    "an unknown event": lambda: records.Event(0, 13, PLACE),
    "an unknown closing": lambda: records.Closing(7),
}


@pytest.mark.parametrize("what", UNMAKEABLE)
def test_a_record_that_is_not_allowed_cannot_be_made(what):
    with pytest.raises(ValueError, match=r"."):
        UNMAKEABLE[what]()


SOUND_RECORDS = [
    OPENING,
    PICTURE,
    picture(b"x"),
    records.Report(0, 0, 0, 0),
    records.Gap(0, 0, 1, records.GapReason.PAUSED),
    JOINED,
    CLOSING,
]


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        (record, field.name, value)
        for record in SOUND_RECORDS
        for field in dataclasses.fields(record)
        if isinstance(getattr(record, field.name), int) and field.name != "key"
        for value in (-1, 1 << 64)
    ],
)
def test_a_number_that_does_not_fit_its_field_makes_no_record(record, field, value):
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(record, **{field: value})


def many_sources(count):
    return [records.Source(n, PLACE, records.Kind.SCREEN, records.Codec.VP8) for n in range(count)]


GAP_OF_NOBODY = records.Gap(3, 0, 1, records.GapReason.PAUSED)

#: Records that are right by themselves and wrong together; and whether the segment is the last.
UNWRITABLE = {
    "nothing": ([], False),
    "no opening": ([JOINED], False),
    "two openings": ([OPENING, OPENING], False),
    "a late opening": ([JOINED, OPENING], False),
    "a source twice": ([OPENING, PICTURE, PICTURE], False),
    "65 sources": ([OPENING, *many_sources(65)], False),
    "a frame of nobody": ([OPENING, picture(b"x")], False),
    "a frame before its source": ([OPENING, picture(b"x"), PICTURE], False),
    "sound that needs another frame": (
        [OPENING, SOUND, picture(b"x", stream=0, key=False)],
        False,
    ),
    "a report of nobody": ([OPENING, records.Report(3, 0, 0, 0)], False),
    "a gap of nobody": ([OPENING, GAP_OF_NOBODY], False),
    "a closing that is not the last": ([OPENING, CLOSING], False),
    "no closing in the last": ([OPENING], True),
    "something after the closing": ([OPENING, CLOSING, JOINED], True),
    "too many records": ([OPENING, *[JOINED] * 65_536], False),
    "too much": ([OPENING, PICTURE, *[picture(bytes(2 * MIB))] * 8], False),
}


@pytest.mark.parametrize("what", UNWRITABLE)
def test_records_that_may_not_stand_together_are_neither_written_nor_read(what):
    content, last = UNWRITABLE[what]
    with pytest.raises(ValueError, match=r"."):
        records.write(content, last=last)
    by_hand = b"".join(
        bytes([r.TYPE]) + len(body).to_bytes(4, "big") + body
        for r, body in ((r, r.body()) for r in content)
    )
    with pytest.raises(SegmentMalformed):
        records.read(by_hand, last=last)


def test_as_many_records_as_allowed_are_written_and_read():
    content = (OPENING, *[JOINED] * 65_535)
    assert records.read(records.write(content, last=False), last=False) == content


def test_the_longest_plaintext_is_written_and_read_and_one_byte_more_is_not():
    room = 16 * MIB - len(records.write([OPENING, PICTURE], last=False)) - 8 * 24
    frames = [picture(bytes(2 * MIB))] * 7 + [picture(bytes(room - 14 * MIB))]
    plaintext = records.write([OPENING, PICTURE, *frames], last=False)
    assert len(plaintext) == 16 * MIB
    assert len(records.read(plaintext, last=False)) == 10
    frames[-1] = picture(bytes(room - 14 * MIB + 1))
    with pytest.raises(ValueError, match="too long"):
        records.write([OPENING, PICTURE, *frames], last=False)


def test_a_payload_of_two_mebibytes_is_read_and_one_byte_more_is_not():
    before = records.write([OPENING, PICTURE], last=False)
    for extra in (0, 1):
        body = picture(b"x").body()[:-1] + bytes(2 * MIB + extra)
        made = before + b"\3" + len(body).to_bytes(4, "big") + body
        if extra:
            with pytest.raises(SegmentMalformed):
                records.read(made, last=False)
        else:
            assert len(records.read(made, last=False)[-1].payload) == 2 * MIB


def test_nothing_is_given_out_of_a_segment_whose_end_is_malformed():
    sound = records.write([OPENING, PICTURE, picture(b"somebody")], last=False)
    with pytest.raises(SegmentMalformed) as refused:
        records.read(sound + b"\6", last=False, where={"run": "a run", "sequence": 3})
    assert refused.value.where == {"run": "a run", "sequence": 3}


def test_a_frame_does_not_show_its_payload_when_it_is_printed():
    assert "somebody" not in repr(picture(b"somebody"))

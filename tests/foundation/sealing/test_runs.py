"""What a worker seals, everybody who has the key and the page reads; it cannot read it itself."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.sealing import records
from foundation.sealing.errors import Refused, SegmentMalformed
from foundation.sealing.runs import RunWriter
from foundation.sealing.segment import describe, digest, key_id, seal_segment
from tests.foundation.sealing.words import (
    CLOSING,
    HOSPITAL,
    JOINED,
    OPENING,
    PICTURE,
    PRIVATE,
    PUBLIC,
    RECORDING,
    as_said,
    picture,
)
from tests.vectors.sealing import reader
from tests.vectors.test_sealing import HOSTILE

u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (16, 32, 64))
ids = st.binary(min_size=16, max_size=16).map(lambda raw: UUID(bytes=raw))
codes = {kind: st.sampled_from(kind) for kind in (records.GapReason, records.What, records.Why)}


@st.composite
def segments(draw, *, last):
    """The records of any segment that is allowed."""
    kinds = draw(
        st.dictionaries(
            st.integers(0, 65_534), st.sampled_from(records.Kind), min_size=1, max_size=5
        )
    )
    made = [records.Opening(draw(u64), draw(u64), draw(st.integers(0, 10_000_000)))]
    for stream, kind in kinds.items():
        sounds = kind is records.Kind.MICROPHONE
        codec = records.Codec.OPUS if sounds else records.Codec.VP8
        made.append(records.Source(stream, draw(ids), kind, codec))
    streams = st.sampled_from(list(kinds))
    frames = st.builds(
        records.Frame,
        stream=streams,
        key=st.booleans(),
        rtp=u32,
        arrival_us=u64,
        sequence=u16,
        packets=st.integers(1, 65_535),
        payload=st.binary(min_size=1, max_size=300),
    ).filter(lambda frame: frame.key or kinds[frame.stream] is not records.Kind.MICROPHONE)
    reports = st.builds(records.Report, streams, u64, u32, u64)
    gaps = st.builds(
        lambda stream, moments, reason: records.Gap(stream, *sorted(moments), reason),
        streams | st.just(records.EVERY_STREAM),
        st.tuples(u64, u64),
        codes[records.GapReason],
    )
    events = st.builds(records.Event, u64, codes[records.What], ids)
    made += draw(st.lists(frames | reports | gaps | events, max_size=12))
    if last:
        made.append(records.Closing(draw(codes[records.Why])))
    return made


@settings(max_examples=30, deadline=None)
@given(st.lists(segments(last=False), max_size=3), segments(last=True), st.booleans())
def test_any_run_is_read_by_the_independent_reader(before, end, ends):
    writer = RunWriter(HOSPITAL, RECORDING, PUBLIC)
    contents = [*before, end] if ends else before
    sealed = [writer.seal(one, last=one is end) for one in contents]
    assert writer.sequence == len(contents)
    assert writer.is_over == ends
    run = writer.run.bytes
    read = reader.read_segments(
        reader.Wanted(HOSPITAL.bytes, RECORDING.bytes, 0),
        PRIVATE,
        [(run, [digest(one) for one in sealed])],
        {(run, n): one for n, one in enumerate(sealed)},
    )
    assert read == [
        {
            "run": str(writer.run),
            "finished": ends,
            "segments": [
                {"sequence": n, "records": [as_said(record) for record in content]}
                for n, content in enumerate(contents)
            ],
        }
    ]


def test_what_was_refused_leaves_the_run_as_it_was():
    writer = RunWriter(HOSPITAL, RECORDING, PUBLIC)
    first = writer.seal([OPENING])
    for content, last in (([JOINED], False), ([OPENING], True), ([OPENING, CLOSING], False)):
        with pytest.raises(ValueError, match=r"."):
            writer.seal(content, last=last)
    second = describe(writer.seal([OPENING, CLOSING], last=True))
    assert (second.sequence, second.previous, second.last) == (1, digest(first), True)


def test_nothing_follows_the_last_segment_of_a_run():
    writer = RunWriter(HOSPITAL, RECORDING, PUBLIC)
    writer.seal([OPENING, CLOSING], last=True)
    with pytest.raises(ValueError, match="over"):
        writer.seal([OPENING])


def test_a_run_has_an_end_where_its_numbers_end():
    writer = RunWriter(HOSPITAL, RECORDING, PUBLIC)
    writer.sequence = 0xFFFF_FFFF
    assert describe(writer.seal([OPENING])).sequence == 0xFFFF_FFFF
    with pytest.raises(ValueError, match="no more numbers"):
        writer.seal([OPENING])


@pytest.mark.parametrize("length", [0, 24, 16_777_217])
def test_a_plaintext_of_no_allowed_length_is_not_sealed(length):
    where = {"organisation": HOSPITAL, "recording": RECORDING, "run": RECORDING, "sequence": 0}
    with pytest.raises(ValueError, match="length"):
        seal_segment(bytes(length), PUBLIC, **where, previous=bytes(32), last=False)


def test_two_runs_never_share_an_id_nor_two_segments_a_key():
    one, other = (RunWriter(HOSPITAL, RECORDING, PUBLIC) for _ in range(2))
    assert one.run != other.run
    other.run = one.run
    first, second = one.seal([OPENING]), other.seal([OPENING])
    assert first[:116] == second[:116]
    assert first[116:148] != second[116:148]
    assert first[148:] != second[148:]


def test_the_platform_describes_a_segment_without_a_key():
    writer = RunWriter(HOSPITAL, RECORDING, PUBLIC)
    segment = writer.seal([OPENING, PICTURE, picture(b"somebody")])
    header = describe(segment)
    assert (header.organisation, header.recording) == (HOSPITAL, RECORDING)
    assert (header.run, header.sequence, header.last) == (writer.run, 0, False)
    assert (header.previous, header.key) == (bytes(32), key_id(PUBLIC))
    assert header.sealed_bytes == len(segment) - 116
    assert header.pack() == segment[:116]


#: What can be seen of a segment without a key, a roll, or knowing where it should be.
PLAIN_TO_SEE = {
    "SegmentTruncated",
    "NotASegment",
    "VersionUnsupported",
    "SuiteUnsupported",
    "SegmentTrailingBytes",
}


def segment_of(case):
    """The segment of a vector in which something is wrong, as it is stored."""
    import base64

    for stored in case["storage"]:
        if {"run": stored["run"], "sequence": stored["sequence"]} == case["where"]:
            return base64.b64decode(stored["bytes_base64"])
    raise AssertionError("no such segment")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in HOSTILE.items()
        if case["kind"] == "segments" and case["outcome"] in PLAIN_TO_SEE
    ],
)
def test_the_door_refuses_what_is_plain_to_see(name):
    case = HOSTILE[name]
    with pytest.raises(Refused) as refused:
        describe(segment_of(case), case["where"])
    assert (refused.value.name, refused.value.where) == (case["outcome"], case["where"])


@pytest.mark.parametrize("sealed_bytes", [0, 72, 16_777_265, 0xFFFF_FFFF])
def test_a_length_beyond_the_limits_is_malformed_before_anything_is_measured(sealed_bytes):
    segment = RunWriter(HOSPITAL, RECORDING, PUBLIC).seal([OPENING])
    with pytest.raises(SegmentMalformed):
        describe(segment[:112] + sealed_bytes.to_bytes(4, "big") + segment[116:])


def test_the_largest_segment_is_sealed_and_described():
    room = 16_777_216 - len(records.write([OPENING, PICTURE], last=False)) - 8 * 24
    frames = [picture(bytes(2_097_152))] * 7 + [picture(bytes(room - 7 * 2_097_152))]
    segment = RunWriter(HOSPITAL, RECORDING, PUBLIC).seal([OPENING, PICTURE, *frames])
    assert describe(segment).sealed_bytes == 16_777_264

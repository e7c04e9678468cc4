"""Packets become frames again, whatever the network or somebody hostile does to them."""

from __future__ import annotations

import itertools
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.plane import Packet
from media_worker.recorder import frames
from media_worker.recorder.frames import AudioFrames, Lost, VideoFrames, Whole, descriptor_length

START, MIDDLE = b"\x10", b"\x00"


def video(
    number: int,
    count: int = 2,
    *,
    first: int,
    key: bool = False,
    ssrc: int = 1,
    at: float | None = None,
    marker: bool = True,
) -> list[Packet]:
    """The packets of frame ``number``, from sequence number ``first``."""
    arrival = number / 30 if at is None else at
    made = []
    for index in range(count):
        body = bytes([0 if key else 1]) if index == 0 else b""
        body += f"frame {number} part {index}".encode()
        made.append(
            Packet(
                ssrc=ssrc,
                sequence=(first + index) & 0xFFFF,
                timestamp=(number * 3_000) & 0xFFFFFFFF,
                marker=marker and index == count - 1,
                payload=(START if index == 0 else MIDDLE) + body,
                arrival=arrival,
            )
        )
    return made


def stream(frame_count: int, *, first: int = 0, keys: tuple[int, ...] = (0,)) -> list[list[Packet]]:
    made = []
    for number in range(frame_count):
        made.append(video(number, 1 + number % 3, first=first, key=number in keys))
        first += len(made[-1])
    return made


def payload(packets: list[Packet]) -> bytes:
    return b"".join(packet.payload[1:] for packet in packets)


def run(packets: list[Packet], into: VideoFrames | AudioFrames | None = None) -> list[Whole | Lost]:
    into = into or VideoFrames()
    given = [item for packet in packets for item in into.push(packet)]
    return given + (into.flush(packets[-1].arrival + 10) if packets else [])


def whole(items: list[Whole | Lost]) -> list[Whole]:
    return [item for item in items if isinstance(item, Whole)]


def lost(items: list[Whole | Lost]) -> list[Lost]:
    return [item for item in items if isinstance(item, Lost)]


def flat(made: list[list[Packet]]) -> list[Packet]:
    return [packet for packets in made for packet in packets]


# ---------------------------------------------------------------- friendly


def test_every_frame_comes_out_as_it_was_sent():
    made = stream(10)
    items = run(flat(made))
    assert [item.payload for item in whole(items)] == [payload(packets) for packets in made]
    assert [item.packets for item in whole(items)] == [len(packets) for packets in made]
    assert [item.sequence for item in whole(items)] == [packets[0].sequence for packets in made]
    assert [item.is_key for item in whole(items)] == [True] + 9 * [False]
    assert not lost(items)


def test_a_frame_is_given_with_its_last_packet_and_waits_for_no_other():
    into = VideoFrames()
    first, second = video(0, 2, first=0, key=True)
    assert into.push(first) == []
    assert len(into.push(second)) == 1


def test_video_begins_at_a_key_frame_and_asks_for_one():
    made = stream(8, keys=(5,))
    into = VideoFrames()
    assert into.awaits_key_frame
    items = run(flat(made), into)
    assert [item.payload for item in whole(items)] == [payload(packets) for packets in made[5:]]
    assert not lost(items)
    assert not into.awaits_key_frame


@pytest.mark.parametrize("first", [0, 65_530, 65_535, 32_767])
def test_sequence_numbers_and_timestamps_wrap(first):
    made = stream(40, first=first)
    base = 0xFFFFFFFF - 20 * 3_000
    packets = [
        Packet(
            p.ssrc, p.sequence, (p.timestamp + base) & 0xFFFFFFFF, p.marker, p.payload, p.arrival
        )
        for p in flat(made)
    ]
    items = run(packets)
    assert len(whole(items)) == 40
    assert not lost(items)
    assert any(a.rtp > b.rtp for a, b in zip(whole(items), whole(items)[1:], strict=False))


def test_a_late_retransmission_fills_its_hole():
    made = stream(30)
    packets = flat(made)
    repeated = packets.pop(7)
    late = 20
    packets.insert(
        late,
        Packet(
            repeated.ssrc,
            repeated.sequence,
            repeated.timestamp,
            repeated.marker,
            repeated.payload,
            packets[late].arrival,
        ),
    )
    items = run(packets)
    assert [item.payload for item in whole(items)] == [payload(packets) for packets in made]
    assert not lost(items)


def test_a_frame_without_a_marker_ends_where_the_next_begins():
    made = [
        video(0, 2, first=0, key=True, marker=False),
        video(1, 2, first=2, marker=False),
        video(2, 1, first=4),
    ]
    assert len(whole(run(flat(made)))) == 3


def test_payload_descriptors_are_stripped_whatever_is_in_them():
    for descriptor in (b"\x10", b"\x90\x80\x05", b"\x90\x80\x85\x05", b"\x90\xe0\x85\x05\x01\x20"):
        packet = Packet(1, 5, 9, True, descriptor + b"\x00key frame", 0.0)
        assert whole(run([packet]))[0].payload == b"\x00key frame"


# ---------------------------------------------------------------- loss


def test_after_a_loss_frames_are_left_out_until_a_key_frame_and_the_gap_is_told():
    made = stream(60, keys=(0, 50))
    packets = [p for number, frame in enumerate(made) for p in frame if number != 20]
    into = VideoFrames()
    items = run(packets, into)
    numbers = [item.rtp // 3_000 for item in whole(items)]
    assert numbers == [*range(20), *range(50, 60)]
    gaps = lost(items)
    assert gaps[0].since == pytest.approx(19 / 30)
    assert gaps[-1].until == pytest.approx(50 / 30)
    for gap, following in itertools.pairwise(gaps):
        assert gap.until == following.since


def test_a_half_frame_is_never_given():
    made = stream(10, keys=(0, 6))
    del made[2][1]  # frame 2 has three packets
    items = run(flat(made))
    assert [item.rtp // 3_000 for item in whole(items)] == [0, 1, 6, 7, 8, 9]
    assert lost(items)


def test_a_gap_that_does_not_end_is_told_as_far_as_packets_came():
    made = stream(60)
    packets = [p for number, frame in enumerate(made) for p in frame if number != 20]
    into = VideoFrames()
    items = run(packets, into)
    assert lost(items)[-1].until == pytest.approx(59 / 30)
    assert into.awaits_key_frame
    assert into.flush(100.0) == []  # and not again, while nothing comes


def test_lost_audio_is_a_gap_and_what_follows_is_kept():
    packets = [Packet(1, n, n * 960, False, b"opus %d" % n, n * 0.02) for n in range(100)]
    del packets[40:43]
    items = run(packets, AudioFrames())
    assert len(whole(items)) == 97
    assert lost(items) == [Lost(pytest.approx(39 * 0.02), pytest.approx(43 * 0.02))]
    assert [item.sequence for item in whole(items)] == [p.sequence for p in packets]


def test_silence_that_was_not_sent_is_no_gap():
    packets = [Packet(1, n, n * 960 * (50 if n > 5 else 1), True, b"opus", n) for n in range(10)]
    assert lost(run(packets, AudioFrames())) == []


def test_reordered_audio_is_put_in_order():
    packets = [Packet(1, n, n * 960, False, b"%d" % n, n * 0.02) for n in range(20)]
    packets[4], packets[6] = packets[6], packets[4]
    items = run(packets, AudioFrames())
    assert [item.sequence for item in whole(items)] == list(range(20))
    assert not lost(items)


# ---------------------------------------------------------------- hostile


def test_padding_alone_takes_a_number_and_is_neither_frame_nor_gap():
    packets = video(0, 2, first=0, key=True)
    packets += [Packet(1, 2 + n, 0, False, b"", 0.01) for n in range(3)]
    packets += video(1, 2, first=5)
    items = run(packets)
    assert len(whole(items)) == 2
    assert not lost(items)
    quiet = [Packet(1, n, 0, False, b"" if n % 2 else b"opus", 0.0) for n in range(10)]
    assert len(run(quiet, AudioFrames())) == 5


@pytest.mark.parametrize("bad", [b"\x80", b"\x90\xff", b"\x90\x80\x85", b"\x10", b"\x00", b"\x17"])
def test_a_payload_that_ends_in_its_descriptor_breaks_its_frame_alone(bad):
    made = stream(12, keys=(0, 9))
    packets = [*flat(made[:3]), Packet(1, 6, 9_000, False, bad, 0.1)]
    packets += [
        Packet(p.ssrc, p.sequence + 1, p.timestamp, p.marker, p.payload, p.arrival)
        for p in flat(made[3:])
    ]
    items = run(packets)
    assert [item.rtp // 3_000 for item in whole(items)] == [0, 1, 2, 9, 10, 11]


def test_a_giant_frame_is_dropped_before_it_takes_more_memory_than_a_frame_may():
    into = VideoFrames()
    into.push(Packet(1, 0, 0, False, START + b"\x00" + bytes(1_200), 0.0))
    tracemalloc.start()
    for n in range(1, 6_000):
        assert not whole(into.push(Packet(1, n, 0, False, MIDDLE + random.randbytes(1_200), 0.0)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * frames.MAX_FRAME_BYTES
    assert whole(into.push(Packet(1, 6_000, 1, True, START + b"\x00key", 0.0)))


def test_many_tiny_packets_are_no_frame_either():
    into = VideoFrames()
    into.push(Packet(1, 0, 0, False, START + b"\x00", 0.0))
    for n in range(1, 60_000):
        into.push(Packet(1, n, 0, False, MIDDLE + b"x", 0.0))
    assert len(into._parts) <= frames.MAX_FRAME_PACKETS


@pytest.mark.parametrize("step", [2, 3, 100, 511, 513, 30_000, 65_535])
def test_whatever_is_left_out_what_waits_is_bounded(step):
    for into in (VideoFrames(), AudioFrames()):
        for n in range(5_000):
            into.push(Packet(1, (n * step) & 0xFFFF, n, True, b"\x10\x00" + bytes(1_400), 0.0))
            assert len(into._row._waiting) <= frames.MAX_WAITING_PACKETS
            assert into._row._waiting_bytes <= frames.MAX_WAITING_BYTES
        into.flush(100.0)
        assert into._row._waiting_bytes == 0


def test_a_new_ssrc_begins_anew_at_a_key_frame():
    made = stream(5)
    other = [video(10, 2, first=7_000, ssrc=2), video(11, 2, first=7_002, ssrc=2, key=True)]
    items = run(flat(made) + flat(other))
    assert [item.rtp // 3_000 for item in whole(items)] == [0, 1, 2, 3, 4, 11]
    assert not lost(items)


def test_a_jump_of_the_same_ssrc_does_not_end_the_stream():
    made = stream(5)
    other = [video(10, 2, first=40_000), video(11, 2, first=40_002, key=True)]
    items = run(flat(made) + flat(other))
    assert [item.rtp // 3_000 for item in whole(items)] == [0, 1, 2, 3, 4, 11]
    assert lost(items)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Packet,
            ssrc=st.sampled_from([1, 2]),
            sequence=st.one_of(st.integers(0, 65_535), st.integers(100, 130)),
            timestamp=st.integers(0, 3),
            marker=st.booleans(),
            payload=st.binary(max_size=8),
            arrival=st.floats(0, 3),
        ),
        max_size=80,
    )
)
def test_anything_can_be_pushed(packets):
    for into in (VideoFrames(), AudioFrames()):
        items = run(packets, into)
        for item in items:
            if isinstance(item, Whole):
                assert item.payload
                assert item.packets >= 1
            else:
                assert item.since <= item.until


@settings(max_examples=300, deadline=None)
@given(
    st.data(),
    st.integers(0, 65_535),
    st.sets(st.integers(0, 59), max_size=6),
    st.sets(st.integers(0, 29), max_size=4),
)
def test_what_comes_out_was_sent_in_order_and_can_be_decoded(data, first, dropped, keys):
    made = stream(30, first=first, keys=tuple(keys | {0}))
    packets = [packet for index, packet in enumerate(flat(made)) if index not in dropped]
    # The network overtakes by a few packets, and repeats some.
    order = sorted(
        range(len(packets)), key=lambda index: index + data.draw(st.integers(0, 4), label="late")
    )
    packets = [packets[index] for index in order for _ in range(1 + (index % 7 == 0))]
    if not packets:
        return
    items = run(packets)
    sent = {payload(frame): number for number, frame in enumerate(made)}
    numbers = [sent[item.payload] for item in whole(items)]
    assert numbers == sorted(set(numbers))
    for before, after in zip([-1, *numbers], numbers, strict=False):
        assert after == before + 1 or after in keys | {0}, "a frame whose reference is missing"


@given(st.binary(min_size=1, max_size=8))
def test_a_descriptor_is_never_longer_than_its_payload(data):
    length = descriptor_length(data)
    assert length is None or 1 <= length < len(data)

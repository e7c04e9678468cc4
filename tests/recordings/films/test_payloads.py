"""Frames are known by their own bytes, not by what was said of them."""

from __future__ import annotations

import random

import av
import pytest

from recordings.films.payloads import opus_us, picture
from tests.recordings.films import studio


def test_a_real_encoders_pictures_are_known() -> None:
    seen = [picture(p) for p in studio.pictures(320, 180)]
    assert seen[0] == (True, 320, 180)
    assert all(s == (False, 0, 0) for s in seen[1:])


@pytest.mark.parametrize("packet_ms", [10, 20, 40, 60])
def test_a_real_encoders_sounds_are_known(packet_ms: int) -> None:
    assert {opus_us(p) for p in studio.sounds(packet_ms)} == {packet_ms * 1_000}


@pytest.mark.parametrize("length", range(12))
def test_a_picture_that_is_cut_is_none(length: int) -> None:
    assert picture(studio.pictures()[0][:length]) is None


@pytest.mark.parametrize(
    ("payload", "us"),
    [
        (b"", None),
        (b"\xf8", 20_000),  # a pause in speech
        (b"\xf8" + bytes(1_275), 20_000),
        (b"\xf8" + bytes(1_276), None),
        (b"\xf9" + bytes(4), 40_000),
        (b"\xf9" + bytes(5), None),  # two frames of the same size
        (b"\xfa\x02" + bytes(4), 40_000),
        (b"\xfa\x05" + bytes(4), None),  # the first is longer than the packet
        (b"\xfa", None),
        (b"\xfa\xff", None),
        (b"\xfb", None),
        (b"\xfb\x00", None),  # no frames
        (b"\xfb\x03" + bytes(6), 60_000),
        (b"\xfb\x03" + bytes(7), None),
        (b"\xfb\x07" + bytes(7), None),  # longer than 120 ms
        (b"\xfb\x42\x02" + bytes(6), 40_000),  # padded
        (b"\xfb\x42\xff\xff\xff", None),  # padding without end
        (b"\xfb\x82\x01" + bytes(4), 40_000),
        (b"\xfb\x82\x09" + bytes(4), None),
        (b"\xfb\x82", None),
    ],
)
def test_an_opus_packets_lengths_must_fit(payload: bytes, us: int | None) -> None:
    assert opus_us(payload) == us


def test_what_is_called_an_opus_packet_is_one_for_the_decoder() -> None:
    """The decoder's parser refuses no packet that is let in; it may still find noise inside."""
    noise = random.Random(5)
    let_in = 0
    for _ in range(3_000):
        payload = noise.randbytes(noise.randrange(1, 60))
        if opus_us(payload) is None:
            continue
        let_in += 1
        decoder = av.CodecContext.create("opus", "r")
        decoder.sample_rate, decoder.layout = 48_000, "stereo"
        try:
            decoder.decode(av.Packet(payload))
        except av.InvalidDataError as error:
            assert "header" not in str(error)
    assert let_in > 500

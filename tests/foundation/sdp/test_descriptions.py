"""Which descriptions are spoken: the friendly shapes, and other orders and directions."""

from __future__ import annotations

import pytest

from foundation.wire import sdp
from tests.foundation.sdp.writing import SHA_256, answer, media, offer, refusal, text


def test_a_browser_offer_passes_unchanged() -> None:
    assert sdp.check_publish_offer(offer()) == offer()


def test_bundle_only_lines_have_port_zero() -> None:
    one = media("video", "1", extra=("a=bundle-only",), line="m=video 0 UDP/TLS/RTP/SAVPF 96 97")
    passes = text(media("audio", "0"), one, media("video", "2"), media("application", "3"))
    assert sdp.check_publish_offer(passes)


def test_security_may_stand_in_the_session_part() -> None:
    without = ("a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=setup")
    sections = [media(kind, str(n), without=without) for n, kind in enumerate(sdp.PUBLISH_SHAPE)]
    session = (
        f"a=fingerprint:{SHA_256}",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:" + "p" * 24,
        "a=setup:actpass",
    )
    assert sdp.check_publish_offer(text(*sections, session=session))


def test_an_answer_passes() -> None:
    assert sdp.check_answer(answer(36)) == answer(36)


def test_a_private_call_passes() -> None:
    assert sdp.check_peer_description(offer(direction="sendrecv"), relay_only=False)
    assert sdp.check_peer_description(offer({"setup": "active"}, "recvonly"), relay_only=False)


def test_line_feeds_alone_are_understood_and_mended() -> None:
    assert sdp.check_publish_offer(offer().replace("\r\n", "\n")) == offer()


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        (("audio", "video", "video"), "shape"),
        (("audio", "video", "application", "video"), "shape"),
        (("video", "audio", "video", "application"), "shape"),
        (("audio", "video", "video", "application", "application"), "shape"),
        (("audio", "video", "video", "video", "application"), "shape"),
        (("audio",), "shape"),
        ((), "shape"),
    ],
)
def test_any_other_order_of_m_lines_is_refused(kinds: tuple[str, ...], reason: str) -> None:
    sections = [media(kind, str(n)) for n, kind in enumerate(kinds)]
    assert refusal(sdp.check_publish_offer, text(*sections)) == reason


def test_four_hundred_m_lines_are_refused() -> None:
    sections = [media("video", str(n), without=("a=ssrc", "a=rtcp-fb")) for n in range(400)]
    assert refusal(sdp.check_publish_offer, text(*sections)) in {"size", "lines", "shape"}


def test_too_many_m_lines_are_refused_in_an_answer() -> None:
    tiny = ["m=audio 9 UDP/TLS/RTP/SAVPF 111"]
    assert refusal(sdp.check_answer, text(*[tiny] * 65)) == "shape"


def test_an_answer_without_media_or_with_data_is_refused() -> None:
    assert refusal(sdp.check_answer, text()) == "shape"
    data = text(media("audio", "0", "recvonly", setup="active"), media("application", "1"))
    assert refusal(sdp.check_answer, data) == "shape"


@pytest.mark.parametrize("direction", ["sendrecv", "recvonly", "inactive"])
def test_a_publisher_only_sends(direction: str) -> None:
    assert refusal(sdp.check_publish_offer, offer(direction=direction)) == "direction"


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly"])
def test_a_subscriber_sends_nothing(direction: str) -> None:
    one = text(media("audio", "0", direction, setup="active"))
    assert refusal(sdp.check_answer, one) == "direction"


def test_two_directions_are_refused() -> None:
    one = offer({"extra": ("a=recvonly",)})
    assert refusal(sdp.check_publish_offer, one) == "direction"

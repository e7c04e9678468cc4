"""No text whatever does worse than being refused."""

from __future__ import annotations

import contextlib
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundation.wire import sdp
from foundation.wire.sdp import SdpRefused
from tests.foundation.sdp.writing import HOST, RELAYED, offer

_PIECES = st.sampled_from(
    [
        *offer().split("\r\n"),
        f"a={HOST}",
        f"a={RELAYED}",
        "m=audio 9 RTP/AVP 0",
        "a=group:BUNDLE",
        "a=fingerprint:",
        "a=rtpmap: ",
        "o=",
        "o=- 1 2 IN IP4 10.0.0.1",
        "c=IN IP4 10.0.0.1",
        "a=candidate:",
        "a=mid:\u0000",
    ]
)


def _never_worse_than_refused(one: str) -> None:
    checks = (
        lambda: sdp.check_publish_offer(one),
        lambda: sdp.check_answer(one),
        lambda: sdp.check_peer_description(one, relay_only=False),
        lambda: sdp.check_peer_description(one, relay_only=True),
        lambda: sdp.relay_candidates_only(one),
        lambda: sdp.without_candidates(one),
    )
    for check in checks:
        with contextlib.suppress(SdpRefused):
            check()
    sdp.check_candidate(one, relay_only=True)
    sdp.check_candidate(one, relay_only=False)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
@example("v=0\r\nm=audio")
def test_no_text_raises_anything_else(one: str) -> None:
    _never_worse_than_refused(one)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=60))
def test_no_shuffled_description_raises_anything_else(pieces: list[str]) -> None:
    _never_worse_than_refused("\r\n".join(["v=0", *pieces]))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(offer()) - 1), st.sampled_from(string.printable + "\x85\u2028é"))
def test_no_changed_character_raises_anything_else(place: int, character: str) -> None:
    one = offer()
    _never_worse_than_refused(one[:place] + character + one[place + 1 :])


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="candidate: 0123456789.udptyphosrlaxf-\r\n", max_size=200))
def test_no_candidate_passes_relay_only_without_being_relayed(line: str) -> None:
    cleaned = sdp.check_candidate("candidate:" + line, relay_only=True)
    assert cleaned is None or " typ relay" in cleaned

"""Text that one reader would break into other lines than the next."""

from __future__ import annotations

import pytest

from foundation.wire import sdp
from tests.foundation.sdp.writing import refusal


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        ("", "empty"),
        ("x" * 49_153, "size"),
        ("v=1\r\n", "version"),
        ("v=0\r\n" + "a=x\r\n" * 3_001, "lines"),
        ("v=0\r\na=" + "x" * 1_023 + "\r\n", "line"),
        ("v=0\r\nm=\r\n", "m-line"),
        ("v=0\r\na=\r\n", "attribute"),
        ("v=0\r\n\r\n", "line"),
        ("v=0\r\nk=prompt\r\n", "line"),
        ("v=0\r\nc=IN IP4 evil.example\r\n", "connection"),
        ("v=0\r\na=x\x0bm=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\u2028m=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\x85m=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\rm=audio 9 RTP/AVP 0\r\n", "characters"),
        ("v=0\r\na=x\x00\r\n", "characters"),
    ],
)
def test_text_that_others_might_read_differently_is_refused(one: str, reason: str) -> None:
    assert refusal(sdp.check_publish_offer, one) == reason
    assert refusal(sdp.check_answer, one) == reason

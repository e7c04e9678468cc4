"""One check for each description that is spoken."""

from __future__ import annotations

from foundation.wire.sdp.rewriting import leading_to_a_machine_only, passed_on
from foundation.wire.sdp.shape import check_codec, check_sections, direction_of
from foundation.wire.sdp.text import MAX_ANSWER_MEDIA, SdpRefused, sections_of

#: microphone, camera, screen, chat: the fixed order of m-lines that a browser publishes.
PUBLISH_SHAPE = ("audio", "video", "video", "application")


def check_publish_offer(sdp: str, relay_only: bool = False) -> str:
    """``sdp``, if it is a browser's offer to publish: the fixed shape, sending, Opus and VP8.

    With ``relay_only`` only relay candidates remain in what is returned. Raises SdpRefused.
    """
    session, media = sections_of(sdp)
    if tuple(section.kind for section in media) != PUBLISH_SHAPE:
        raise SdpRefused("shape")
    check_sections(session, media, setups=("actpass", "active", "passive"))
    for section in media[:3]:
        if direction_of(section) != "sendonly":
            raise SdpRefused("direction")
        check_codec(section)
    return passed_on(sdp, relay_only)


def check_answer(sdp: str, relay_only: bool = False) -> str:
    """``sdp``, if it is a browser's answer to a worker's offer of ``subscribe``.

    Whether it answers *that* offer is for the one who made it to compare. Raises SdpRefused.
    """
    session, media = sections_of(sdp)
    if not media or len(media) > MAX_ANSWER_MEDIA:
        raise SdpRefused("shape")
    if any(section.kind == "application" for section in media):
        raise SdpRefused("shape")
    check_sections(session, media, setups=("active", "passive"))
    for section in media:
        if direction_of(section) not in {"recvonly", "inactive"}:
            raise SdpRefused("direction")
        check_codec(section)
    return passed_on(sdp, relay_only)


def check_peer_description(sdp: str, relay_only: bool, *, loopback: bool = False) -> str:
    """``sdp``, if it is an offer or answer of a private call, fit to be passed to the other one.

    With ``relay_only`` it comes back as by ``relay_candidates_only``; otherwise the related
    addresses of its candidates are taken out. Candidates that lead to no machine on a network go
    too; those that lead to the reader's own are kept with ``loopback``. Raises SdpRefused.
    """
    session, media = sections_of(sdp)
    if tuple(section.kind for section in media) != PUBLISH_SHAPE:
        raise SdpRefused("shape")
    check_sections(session, media, setups=("actpass", "active", "passive"))
    for section in media[:3]:
        direction_of(section)
    return leading_to_a_machine_only(passed_on(sdp, relay_only), loopback=loopback)

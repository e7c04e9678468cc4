"""Nothing but authenticated encryption, and nobody but the one whose fingerprint was signalled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80, RTCCertificate
from OpenSSL import SSL

from foundation.wire.browser import Link
from tests.media_worker.harness import Platform
from tests.media_worker.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


def transport_of(person: Person) -> Any:
    assert person.publish is not None
    return person.publish.getTransceivers()[0].receiver.transport


async def joins_with(person: Person, change: Callable[[Any], None]) -> None:
    offer = await person.offer()
    change(transport_of(person))
    person.epoch = 1
    await person.platform.lease(person.room, person.id, 1)
    await person.send_offer(offer)


async def test_what_is_agreed_is_aead(call: tuple[Person, Person]) -> None:
    one, _ = call
    assert one.subscribe is not None
    for transport in (transport_of(one), one.subscribe.getTransceivers()[0].receiver.transport):
        assert transport._ssl.get_selected_srtp_profile() == b"SRTP_AEAD_AES_256_GCM"
        assert re.search("GCM|CHACHA20", transport._ssl.get_cipher_name())
        certificate = transport._ssl.get_peer_certificate(as_cryptography=True)
        assert certificate.public_key().curve.name == "secp256r1"


async def test_srtp_without_authenticated_encryption_is_refused(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()

    def only_hmac(transport: Any) -> None:
        transport._srtp_profiles = [SRTP_AES128_CM_SHA1_80]

    await joins_with(one, only_hmac)
    await platform.until_path(one.id, Link.PUBLISH, "failed")


@pytest.mark.parametrize(
    "suite", [b"ECDHE-ECDSA-AES128-SHA", b"ECDHE-ECDSA-AES256-SHA", b"ECDHE-ECDSA-AES128-SHA256"]
)
async def test_dtls_by_cbc_is_refused(
    suite: bytes, arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()

    def only_cbc(transport: Any) -> None:
        certificate: RTCCertificate = transport._RTCDtlsTransport__local_certificate
        stock = certificate._create_ssl_context

        def context(srtp_profiles: Any) -> SSL.Context:
            made = stock(srtp_profiles)
            made.set_cipher_list(suite + b":@SECLEVEL=0")
            return made

        certificate._create_ssl_context = context  # type: ignore[method-assign]

    await joins_with(one, only_cbc)
    await platform.until_path(one.id, Link.PUBLISH, "failed")


async def test_another_certificate_than_signalled_is_refused(
    arrive: Callable[..., Person], platform: Platform
) -> None:
    one = arrive()
    offer = await one.offer()
    one.epoch = 1
    await platform.lease(one.room, one.id, 1)
    stolen = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
    await one.send_offer(re.sub(r"a=fingerprint:sha-256 \S+", stolen, offer))
    await platform.until_path(one.id, Link.PUBLISH, "failed")


async def test_one_certificate_for_all_connections(arrive: Callable[..., Person]) -> None:
    one, other = arrive(), arrive()
    await one.join()
    await other.join()
    await one.connected()
    await other.connected()
    found = set()
    for person in (one, other):
        assert person.publish is not None
        found |= set(re.findall(r"a=fingerprint:(.+)\r", person.publish.remoteDescription.sdp))
    assert len(found) == 1

"""DTLS and SRTP as the worker speaks them: authenticated encryption only, one certificate a start.

Relies on aiortc 1.16.0: ``RTCCertificate._cert``, ``_key``, ``_create_ssl_context``;
``RTCDtlsTransport._srtp_profiles``, ``_tx_srtp``, ``_handle_rtp_data``, ``_handle_rtcp_data``,
``_rtp_router``; ``RtpRouter.ssrc_table``, ``mid_table``, ``payload_type_table``.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pylibsrtp
from aiortc import rtcdtlstransport as stock
from aiortc.rtp import RtpPacket
from OpenSSL import SSL

LOG = logging.getLogger("media_worker.transport")

#: ECDHE with authenticated encryption (RFC 8827 section 6.5); aiortc would offer CBC with SHA-1
#: too. These are the suites of DTLS 1.2; those of 1.3 are all of this kind.
CIPHERS = (
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
)

#: RFC 7714. Offering only these is the only way to have them: SDP names no suite.
SRTP_PROFILES = [stock.SRTP_AEAD_AES_256_GCM, stock.SRTP_AEAD_AES_128_GCM]

#: DTLS 1.2 in OpenSSL's numbering.
_DTLS_1_2 = 0xFEFD

#: Packet bytes that SRTP and RTP may add; a payload above MTU is not forwarded.
MAX_PACKET_BYTES = 1_500


class WorkerCertificate(stock.RTCCertificate):
    """The ECDSA P-256 certificate of this process, made at start and kept in memory only."""

    _lock = threading.Lock()
    _shared: WorkerCertificate | None = None

    @classmethod
    def generateCertificate(cls) -> Any:  # noqa: N802 - aiortc's name
        """The one certificate of this process; a new one a day before the old one expires."""
        with WorkerCertificate._lock:
            shared = WorkerCertificate._shared
            if shared is None or shared.expires < datetime.now(UTC) + timedelta(days=1):
                shared = WorkerCertificate._shared = super().generateCertificate()
            return shared

    def getFingerprints(self) -> list[stock.RTCDtlsFingerprint]:  # noqa: N802 - aiortc's name
        """SHA-256 alone: every browser checks it, and further ones would double every SDP."""
        digest = stock.certificate_digest(self._cert, "sha-256")
        return [stock.RTCDtlsFingerprint(algorithm="sha-256", value=digest)]

    def _create_ssl_context(self, srtp_profiles: list[stock.SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(CIPHERS)
        context.set_min_proto_version(_DTLS_1_2)
        return context


class Router(stock.RtpRouter):
    """Finds the m-line of a packet by its SSRC, by its retransmission SSRC, or by its MID.

    aiortc's knows no retransmission SSRC and no MID, and so loses the retransmissions of a
    connection with two video m-lines, which share their payload types (RFC 9143 section 9.2).
    """

    #: SSRCs of one connection: three sources, their retransmissions, and some to spare.
    MAX_SSRCS = 24

    def route_rtp(self, packet: RtpPacket) -> stock.RtpReceiver | None:
        known = self.ssrc_table.get(packet.ssrc)
        if known is not None:
            return known
        accepting = self.payload_type_table.get(packet.payload_type, set())
        found = self.mid_table.get(packet.extensions.mid) if packet.extensions.mid else None
        if found is None and len(accepting) == 1:
            found = next(iter(accepting))
        if found is None or found not in accepting or len(self.ssrc_table) >= self.MAX_SSRCS:
            return None
        self.ssrc_table[packet.ssrc] = found
        return found


class AeadTransport(stock.RTCDtlsTransport):
    """DTLS-SRTP that survives what a participant may send inside of it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._srtp_profiles = SRTP_PROFILES
        self._rtp_router = Router()

    def know_ssrc(self, ssrc: int, receiver: stock.RtpReceiver) -> None:
        """Packets of ``ssrc`` are for ``receiver``."""
        self._rtp_router.ssrc_table[ssrc] = receiver

    def send_now(self, packet: bytes, *, is_rtcp: bool = False) -> bool:
        """Protects and sends an RTP or RTCP packet at once; False if it could not be sent."""
        if self._state is not stock.State.CONNECTED or len(packet) > MAX_PACKET_BYTES:
            return False
        try:
            protect = self._tx_srtp.protect_rtcp if is_rtcp else self._tx_srtp.protect
            data = protect(packet)
        except pylibsrtp.Error:  # a sequence number too old to be protected again
            return False
        sent: bool = self.transport._connection.send_now(data)  # type: ignore[attr-defined] # noqa: SLF001 - guard.GuardedConnection
        return sent

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            await super()._handle_rtp_data(data, arrival_time_ms)
        except Exception as error:  # noqa: BLE001 - struct.error and the like of odd extensions
            LOG.debug("an RTP packet was dropped: %s", type(error).__name__)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            await super()._handle_rtcp_data(data)
        except Exception as error:  # noqa: BLE001 - as above
            LOG.debug("an RTCP packet was dropped: %s", type(error).__name__)

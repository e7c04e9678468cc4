"""Sends one source's packets to one who watches: a ``plane.Sink`` on a peer connection.

Stands where aiortc has ``RTCRtpSender``, which would encode. It keeps a short history to repeat
what the browser misses (RFC 4585 NACK, RFC 4588 retransmission), passes key frame requests on, and
writes sender reports that keep the publisher's clock, so that lips match voices (RFC 3550 6.4.1).

Relies on what aiortc 1.16.0's ``RTCPeerConnection``, ``RTCRtpTransceiver`` and ``RTCDtlsTransport``
use: ``send``, ``stop``, ``setTransport``, ``transport``, ``track``, ``kind``, ``replaceTrack``,
``_ssrc``, ``_rtx_ssrc``, ``_stream_id``, ``_track_id``, ``_enabled``, ``_handle_rtcp_packet``.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import struct
import time
import uuid
from typing import Any

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from media_worker.plane import Packet, Rewriter, Source
from media_worker.transport import AeadTransport

#: Packets kept for repeating: about 2 s of a 720p camera.
HISTORY = 512

#: A packet is repeated at most once in this time, so that nobody is flooded by asking.
REPEAT_SECONDS = 0.02

#: Both ask for the same (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1).
KEY_FRAME_REQUESTS = frozenset({RTCP_PSFB_FIR, RTCP_PSFB_PLI})

_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"


class ForwardingSender:
    """One m-line's outgoing side. ``track`` stays None: aiortc asks for it and never uses it."""

    track: MediaStreamTrack | None = None

    def __init__(self, kind: object, transport: AeadTransport) -> None:
        self.kind = str(kind)
        self._ssrc = 1 + secrets.randbelow((1 << 32) - 1)
        self._rtx_ssrc = 1 + secrets.randbelow((1 << 32) - 1)
        self._stream_id = str(uuid.uuid4())
        self._track_id = str(uuid.uuid4())
        self._enabled = True
        self._transport = transport
        self._clock_rate = 48_000 if self.kind == "audio" else 90_000
        self._rewriter = Rewriter(self.kind, self._clock_rate)
        self._source: Source | None = None
        self._payload_type = 0
        self._rtx_payload_type: int | None = None
        self._rtx_sequence = secrets.randbelow(1 << 15)
        self._audio_level_id: int | None = None
        self._send_time_id: int | None = None
        self._cname = ""
        self._history: dict[int, tuple[int, int, bool, bytes, float]] = {}
        self._packets = 0
        self._octets = 0
        self._reports: asyncio.Task[None] | None = None

    # ---------------------------------------------------------------- for subscribe

    def watch(self, source: Source | None) -> None:
        """From now on this m-line carries ``source``, or nothing."""
        if self._source is not None:
            self._source.remove(self)
        self._source = source
        self._history.clear()
        self._rewriter.restart()
        if source is not None and self._reports is not None:
            source.add(self)

    # ---------------------------------------------------------------- for plane

    @property
    def awaits_key_frame(self) -> bool:
        return self._enabled and self._rewriter.awaits_key_frame

    def accept(self, packet: Packet) -> None:
        """Sends ``packet`` on at once, under this stream's numbers."""
        if not self._enabled:
            return
        numbers = self._rewriter.rewrite(packet)
        if numbers is None:
            return
        sequence, timestamp = numbers
        header = self._header(self._payload_type, packet.marker, sequence, timestamp, self._ssrc)
        self._transport.send_now(
            b"".join((header, self._extensions(packet.audio_level), packet.payload))
        )
        if self._rtx_payload_type is not None:
            self._history[sequence % HISTORY] = (
                sequence,
                timestamp,
                packet.marker,
                packet.payload,
                0.0,
            )
        self._packets += 1
        self._octets += len(packet.payload)

    # ---------------------------------------------------------------- for aiortc

    @property
    def transport(self) -> AeadTransport:
        return self._transport

    def setTransport(self, transport: AeadTransport) -> None:  # noqa: N802 - aiortc's name
        self._transport = transport

    def replaceTrack(self, track: MediaStreamTrack | None) -> None:  # noqa: N802 - aiortc's name
        """Nothing: what is sent is a source, not a track."""

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """The connection is up and this m-line sends; called again at every negotiation."""
        self._payload_type = parameters.codecs[0].payloadType or 0
        for codec in parameters.codecs:
            if is_rtx(codec) and codec.parameters.get("apt") == self._payload_type:
                self._rtx_payload_type = codec.payloadType
        for extension in parameters.headerExtensions:
            if extension.uri == _AUDIO_LEVEL:
                self._audio_level_id = extension.id
            elif extension.uri == _SEND_TIME:
                self._send_time_id = extension.id
        if self._reports is None:
            self._cname = parameters.rtcp.cname or ""
            self._transport._register_rtp_sender(self, parameters)  # noqa: SLF001 - aiortc's way
            self._reports = asyncio.create_task(self._report_regularly())
            if self._source is not None:
                self._source.add(self)

    async def stop(self) -> None:
        self.watch(None)
        if self._reports is not None:
            self._transport._unregister_rtp_sender(self)  # noqa: SLF001 - aiortc's way
            self._reports.cancel()
            await asyncio.gather(self._reports, return_exceptions=True)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for sequence in packet.lost[:HISTORY]:
                self._repeat(sequence & 0xFFFF)
            return
        is_request = isinstance(packet, RtcpPsfbPacket) and packet.fmt in KEY_FRAME_REQUESTS
        if is_request and self._source is not None:
            self._source.want_key_frame()

    # ---------------------------------------------------------------- packets

    def _header(
        self, payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int
    ) -> bytes:
        return struct.pack(
            "!BBHLL", 0x90, (0x80 if marker else 0) | payload_type, sequence, timestamp, ssrc
        )

    def _extensions(self, audio_level: tuple[bool, int] | None) -> bytes:
        """Header extensions of this hop (RFC 8285), one-byte form: send time, audio level."""
        fields = b""
        if self._send_time_id is not None:
            # Only differences count, so they are taken from a clock that nobody sets.
            send_time = int(time.monotonic() * (1 << 18)) & 0x00FFFFFF
            fields += struct.pack("!L", (((self._send_time_id << 4) | 2) << 24) | send_time)
        if self._audio_level_id is not None and audio_level is not None:
            level = (0x80 if audio_level[0] else 0) | (audio_level[1] & 0x7F)
            fields += bytes((self._audio_level_id << 4, level))
        fields += bytes(-len(fields) % 4)
        return struct.pack("!HH", 0xBEDE, len(fields) // 4) + fields

    def _repeat(self, sequence: int) -> None:
        kept = self._history.get(sequence % HISTORY)
        now = time.monotonic()
        if kept is None or kept[0] != sequence or now - kept[4] < REPEAT_SECONDS:
            return
        if self._rtx_payload_type is None or not self._enabled:
            return
        _, timestamp, marker, payload, _ = kept
        self._history[sequence % HISTORY] = (sequence, timestamp, marker, payload, now)
        header = self._header(
            self._rtx_payload_type, marker, self._rtx_sequence, timestamp, self._rtx_ssrc
        )
        original = struct.pack("!H", sequence)
        self._transport.send_now(b"".join((header, self._extensions(None), original, payload)))
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF

    async def _report_regularly(self) -> None:
        """Sender reports, once the publisher's own have told what its clock means.

        Before that, and while nobody's source is sent, an empty report: the browser judges by
        what comes in whether its path lives, and must not take another one's silence for its own.
        """
        while True:
            await asyncio.sleep(0.5 + random.random())  # noqa: S311 - RFC 3550 section 6.2
            report = self._source.last_report if self._source is not None else None
            timestamp = self._rewriter.timestamp(report) if report is not None else None
            description = RtcpSourceInfo(ssrc=self._ssrc, items=[(1, self._cname.encode())])
            name = bytes(RtcpSdesPacket(chunks=[description]))
            if report is None or timestamp is None:
                empty = bytes(RtcpRrPacket(ssrc=self._ssrc, reports=[]))
                self._transport.send_now(empty + name, is_rtcp=True)
                continue
            elapsed = time.monotonic() - report.arrival
            info = RtcpSenderInfo(
                ntp_timestamp=(report.ntp + int(elapsed * (1 << 32))) & 0xFFFFFFFFFFFFFFFF,
                rtp_timestamp=(timestamp + int(elapsed * self._clock_rate)) & 0xFFFFFFFF,
                packet_count=self._packets & 0xFFFFFFFF,
                octet_count=self._octets & 0xFFFFFFFF,
            )
            self._transport.send_now(
                bytes(RtcpSrPacket(ssrc=self._ssrc, sender_info=info)) + name, is_rtcp=True
            )

    async def getStats(self) -> dict[str, Any]:  # noqa: N802 - aiortc's name
        return {}

"""Takes a publisher's packets off a peer connection and puts them into a ``plane.Source``.

Stands where aiortc has ``RTCRtpReceiver``, which would start a decoder thread and reassemble frames
in a jitter buffer. It unwraps retransmissions (RFC 4588), asks for what is missing, sends receiver
reports and estimates, and asks for key frames.

Relies on what aiortc 1.16.0's ``RTCPeerConnection``, ``RTCRtpTransceiver`` and ``RTCDtlsTransport``
call: ``receive``, ``stop``, ``setTransport``, ``transport``, ``track``, ``_track``, ``_enabled``,
``_set_rtcp_ssrc``, ``_handle_rtp_packet``, ``_handle_rtcp_packet``, ``_handle_disconnect``.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    unwrap_rtx,
)

from media_worker.congestion import Arrivals
from media_worker.feedback import RETRY_SECONDS, Losses, Missing
from media_worker.plane import Packet, Report, Source
from media_worker.transport import AeadTransport

#: SSRCs one source may use in its life: media, retransmission, and two changes of mind.
MAX_SSRCS = 8


class ForwardingReceiver:
    """One m-line's incoming side."""

    def __init__(self, kind: str, transport: AeadTransport) -> None:
        self._enabled = True
        self._track: MediaStreamTrack | None = None
        self._kind = kind
        self._transport = transport
        self._own_ssrc = 0
        self._source: Source | None = None
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._rtx: dict[int, int] = {}
        self._losses: dict[int, Losses] = {}
        self._missing = Missing()
        self._media_ssrc: int | None = None
        self._arrivals: Arrivals | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._gap = asyncio.Event()

    # ---------------------------------------------------------------- for publish

    def feed(self, source: Source, arrivals: Arrivals) -> None:
        """From now on this m-line's packets are ``source``'s, and their arrivals are noted."""
        self._source = source
        self._arrivals = arrivals
        source.ask = self._send_pli

    @property
    def media_ssrc(self) -> int | None:
        """The SSRC of the packets that come; None while none has."""
        return self._media_ssrc

    # ---------------------------------------------------------------- for aiortc

    @property
    def track(self) -> MediaStreamTrack | None:
        return self._track

    @property
    def transport(self) -> AeadTransport:
        return self._transport

    def setTransport(self, transport: AeadTransport) -> None:  # noqa: N802 - aiortc's name
        self._transport = transport

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._own_ssrc = ssrc

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """The connection is up and this m-line receives; called again at every negotiation."""
        if self._tasks:
            return
        self._codecs = {codec.payloadType or 0: codec for codec in parameters.codecs}
        self._transport._register_rtp_receiver(self, parameters)  # noqa: SLF001 - aiortc's way
        for encoding in parameters.encodings:
            if encoding.rtx:
                self._rtx[encoding.rtx.ssrc] = encoding.ssrc
                self._transport.know_ssrc(encoding.rtx.ssrc, self)
        self._tasks = [asyncio.create_task(self._report_regularly())]
        if self._kind == "video":
            self._tasks.append(asyncio.create_task(self._ask_for_missing()))

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._transport._unregister_rtp_receiver(self)  # noqa: SLF001 - aiortc's way
        if self._source is not None:
            self._source.ask = None

    def _handle_disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        codec = self._codecs.get(packet.payload_type)
        if codec is None or not self._enabled or self._source is None:
            return
        now = time.monotonic()
        number = packet.extensions.transport_sequence_number
        if number is not None and self._arrivals is not None:
            self._arrivals.add(number, now)
        self._count(packet, codec.clockRate, now)
        if is_rtx(codec):
            original = self._rtx.get(packet.ssrc)
            repeated = codec.parameters.get("apt")
            if original is None or len(packet.payload) < 2 or repeated not in self._codecs:
                return
            assert isinstance(repeated, int)
            packet = unwrap_rtx(packet, payload_type=repeated, ssrc=original)
        if packet.ssrc != self._media_ssrc:
            self._media_ssrc = packet.ssrc
            self._missing = Missing()
        if self._kind == "video" and self._missing.add(packet.sequence_number):
            self._gap.set()
        self._source.push(
            Packet(
                ssrc=packet.ssrc,
                sequence=packet.sequence_number,
                timestamp=packet.timestamp,
                marker=bool(packet.marker),
                payload=packet.payload,
                arrival=now,
                audio_level=packet.extensions.audio_level,
            )
        )

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if not isinstance(packet, RtcpSrPacket):
            return
        now = time.monotonic()
        losses = self._losses.get(packet.ssrc)
        if losses is not None:
            losses.heard_report(packet.sender_info.ntp_timestamp, now)
        if self._source is not None and packet.ssrc == self._media_ssrc:
            info = packet.sender_info
            self._source.report(Report(packet.ssrc, info.ntp_timestamp, info.rtp_timestamp, now))

    # ---------------------------------------------------------------- feedback

    def _count(self, packet: RtpPacket, clock_rate: int, now: float) -> None:
        losses = self._losses.get(packet.ssrc)
        if losses is None:
            if len(self._losses) >= MAX_SSRCS:
                return
            losses = self._losses[packet.ssrc] = Losses(clock_rate)
        losses.add(packet.sequence_number, packet.timestamp, now)

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(0.5 + random.random())  # noqa: S311 - RFC 3550 section 6.2
            now = time.monotonic()
            reports = [losses.report(ssrc, now) for ssrc, losses in self._losses.items()]
            if reports:
                self._send(RtcpRrPacket(ssrc=self._own_ssrc, reports=reports))

    async def _ask_for_missing(self) -> None:
        while True:
            await self._gap.wait()
            lost = self._missing.due(time.monotonic())
            if lost and self._media_ssrc is not None:
                request = RtcpRtpfbPacket(
                    fmt=RTCP_RTPFB_NACK, ssrc=self._own_ssrc, media_ssrc=self._media_ssrc
                )
                request.lost = lost
                self._send(request)
            self._gap.clear()
            if not self._missing.is_empty:
                # Wakes at the next gap or when a repeat is due, whichever comes first.
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._gap.set)

    def _send_pli(self) -> bool:
        """Asks for a key frame; False while no packet has told whom to ask."""
        if self._media_ssrc is None:
            return False
        self._send(
            RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._own_ssrc, media_ssrc=self._media_ssrc)
        )
        return True

    def _send(self, packet: AnyRtcpPacket) -> None:
        self._transport.send_now(bytes(packet), is_rtcp=True)

    async def getStats(self) -> dict[str, Any]:  # noqa: N802 - aiortc's name
        return {}

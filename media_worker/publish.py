"""What a browser sends to the worker: one connection it offers once, with a fixed shape.

m-lines: microphone, camera, screen, and the data channel of the chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiortc import RTCDataChannel, RTCRtpTransceiver, RTCSessionDescription

from foundation.wire import sdp
from foundation.wire.browser import Link
from media_worker.congestion import INTERVAL_SECONDS, Arrivals
from media_worker.path import DescriptionRefused, MediaPath, State
from media_worker.plane import Source
from media_worker.receiver import ForwardingReceiver
from media_worker.transport import AeadTransport

#: The sources of one person, in the order of their m-lines.
SOURCE_KINDS = ("audio", "video", "video")


class Publish(MediaPath):
    """A browser's publish connection; its packets go into ``sources``."""

    link = Link.PUBLISH

    def __init__(
        self,
        sources: tuple[Source, Source, Source],
        relay_only: bool,
        on_state: Callable[[Link, State], None],
        on_channel: Callable[[RTCDataChannel], None],
    ) -> None:
        super().__init__(relay_only, on_state)
        self._sources = sources
        self._arrivals = Arrivals()
        self.connection.add_listener("datachannel", on_channel)

    async def answer(self, offer: str) -> str:
        """The worker's answer to ``offer``. Raises SdpRefused or DescriptionRefused."""
        text, candidates = sdp.without_candidates(sdp.check_publish_offer(offer))
        try:
            for kind in SOURCE_KINDS:
                self.connection.addTransceiver(kind, direction="recvonly")
            await self.connection.setRemoteDescription(RTCSessionDescription(text, "offer"))
            for transceiver, source in zip(
                self.connection.getTransceivers(), self._sources, strict=True
            ):
                _receiver(transceiver).feed(source, self._arrivals)
            await self.connection.setLocalDescription(await self.connection.createAnswer())
        except Exception as error:  # noqa: BLE001 - aiortc raises whatever its parser meets
            raise DescriptionRefused(type(error).__name__) from None
        self._start_deadline()
        await self._take_candidates(candidates)
        return lean(self.connection.localDescription.sdp)

    async def run(self) -> None:
        """Reports arrivals to the browser for as long as it is not cancelled."""
        await self.is_up.wait()
        transceivers = self.connection.getTransceivers()
        own_ssrc = transceivers[0].sender._ssrc  # noqa: SLF001 - aiortc's way
        transport = transceivers[0].receiver.transport
        assert isinstance(transport, AeadTransport)
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            # Chromium drops a report whose media SSRC is none of its own.
            known = [_receiver(transceiver).media_ssrc for transceiver in transceivers]
            media_ssrc = next((ssrc for ssrc in known if ssrc is not None), None)
            if media_ssrc is None:
                continue
            report = self._arrivals.report(own_ssrc, media_ssrc)
            if report is not None:
                transport.send_now(report, is_rtcp=True)


def _receiver(transceiver: RTCRtpTransceiver) -> ForwardingReceiver:
    receiver = transceiver.receiver
    assert isinstance(receiver, ForwardingReceiver)
    return receiver


def lean(text: str) -> str:
    """A description without the candidates of bundled m-lines after the first, which repeat it.

    They would make an offer of many m-lines half as long again.
    """
    kept: list[str] = []
    sections = 0
    for line in text.splitlines():
        if line.startswith("m="):
            sections += 1
        if sections > 1 and line.startswith(("a=candidate:", "a=end-of-candidates")):
            continue
        kept.append(line)
    return "".join(f"{line}\r\n" for line in kept)

"""What the worker sends to a browser: everyone else of the room, over one connection it offers.

Each other participant takes a *seat*: three m-lines, microphone, camera and screen, from the start,
so nothing is negotiated when a screen is shared. When they go, the seat's m-lines become inactive;
once the browser has answered that, the seat is free for the next one, so m-lines do not grow with
every reconnection. One negotiation runs at a time; the next starts when the connection is up.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from aiortc import RTCRtpTransceiver, RTCSessionDescription

from foundation.wire import sdp
from foundation.wire.browser import Link
from media_worker import congestion
from media_worker.path import DescriptionRefused, MediaPath, State
from media_worker.plane import Source
from media_worker.publish import SOURCE_KINDS, lean
from media_worker.sender import ForwardingSender

LOG = logging.getLogger("media_worker.subscribe")

#: An offer is sent again when no answer came: the browser's socket may have been changing.
RESEND_SECONDS = 5.0

#: Offers without an answer, over a link that is up, until the browser counts as gone.
MAX_OFFERS = 6

#: Which stream each source belongs to, so that a browser plays voice and face together.
STREAM_OF = ("camera", "camera", "screen")

Sources = tuple[Source, Source, Source]


class SeatState(Enum):
    """FREE → TAKEN → LEAVING → FREE."""

    FREE = auto()
    TAKEN = auto()
    LEAVING = auto()


@dataclass(eq=False)
class Seat:
    """Three m-lines, and whom they carry."""

    transceivers: tuple[RTCRtpTransceiver, ...]
    state: SeatState = SeatState.FREE
    who: UUID | None = None
    #: The browser has been told whose seat this is, and agreed.
    is_told: bool = False

    def take(self, who: UUID) -> None:
        self.state, self.who, self.is_told = SeatState.TAKEN, who, False
        for transceiver, stream in zip(self.transceivers, STREAM_OF, strict=True):
            transceiver.direction = "sendonly"
            sender = _sender(transceiver)
            sender._stream_id = f"{who}.{stream}"  # noqa: SLF001 - aiortc's msid
            sender._track_id = str(uuid.uuid4())  # noqa: SLF001 - aiortc's msid

    def connect(self, sources: Sources) -> None:
        """Lets the packets of ``sources`` through: the browser knows whose they are."""
        self.is_told = True
        for transceiver, source in zip(self.transceivers, sources, strict=True):
            _sender(transceiver).watch(source)

    def leave(self) -> None:
        self.state = SeatState.LEAVING
        for transceiver in self.transceivers:
            transceiver.direction = "inactive"
            _sender(transceiver).watch(None)

    def free(self) -> None:
        self.state, self.who = SeatState.FREE, None


class Subscribe(MediaPath):
    """A browser's subscribe connection. ``run`` negotiates for as long as it is not cancelled."""

    link = Link.SUBSCRIBE

    def __init__(
        self,
        relay_only: bool,
        on_state: Callable[[Link, State], None],
        send_offer: Callable[[str], None],
        link_is_up: Callable[[], bool],
    ) -> None:
        super().__init__(relay_only, on_state)
        self._send_offer = send_offer
        self._link_is_up = link_is_up
        self._wanted: dict[UUID, Sources] = {}
        self._seats: list[Seat] = []
        self._changed = asyncio.Event()
        self._answer: asyncio.Future[str] | None = None
        self._pending: str | None = None

    # ---------------------------------------------------------------- for the room

    def follow(self, who: UUID, sources: Sources) -> None:
        """``who`` is in the room with ``sources``.

        If they were here before, with an earlier epoch, they keep their seat and nothing needs to
        be negotiated: their stream goes on where it stopped.
        """
        if self._wanted.get(who) is sources:
            return
        self._wanted[who] = sources
        for seat in self._seats:
            if seat.who == who and seat.state is SeatState.TAKEN and seat.is_told:
                seat.connect(sources)
        self._changed.set()

    def unfollow(self, who: UUID) -> None:
        """``who`` has left: nothing of theirs is sent from this moment."""
        if self._wanted.pop(who, None) is not None:
            for seat in self._seats:
                if seat.who == who and seat.state is SeatState.TAKEN:
                    seat.leave()
            self._changed.set()

    def take_answer(self, text: str) -> None:
        """The browser's answer; one that nobody waits for is dropped."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(text)

    def remind(self) -> None:
        """The link is new: an offer without an answer may have been lost with the old one."""
        if self._pending is not None:
            self._send_offer(self._pending)

    # ---------------------------------------------------------------- negotiation

    async def run(self) -> None:
        """Keeps the browser's view equal to the room. Raises SdpRefused, DescriptionRefused or
        TimeoutError, after which the connection is of no use.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._seat_everyone():
                await self._negotiate()

    def _seat_everyone(self) -> bool:
        """Gives seats to those without one; whether the browser must be told anything."""
        seated = {seat.who for seat in self._seats if seat.state is SeatState.TAKEN}
        changed = any(seat.state is SeatState.LEAVING for seat in self._seats)
        for who in self._wanted:
            if who not in seated:
                self._free_seat().take(who)
                changed = True
        return changed

    def _free_seat(self) -> Seat:
        for seat in self._seats:
            if seat.state is SeatState.FREE:
                return seat
        seat = Seat(
            tuple(
                self.connection.addTransceiver(kind, direction="sendonly") for kind in SOURCE_KINDS
            )
        )
        self._seats.append(seat)
        return seat

    async def _negotiate(self) -> None:
        leaving = [seat for seat in self._seats if seat.state is SeatState.LEAVING]
        try:
            offer = await self.connection.createOffer()
            offer.sdp = _without_transport_wide_feedback(offer.sdp)
            await self.connection.setLocalDescription(offer)
            text = lean(self.connection.localDescription.sdp)
        except Exception as error:  # noqa: BLE001 - aiortc raises whatever it meets
            raise DescriptionRefused(type(error).__name__) from None
        answer = await self._ask(text)
        text, candidates = sdp.without_candidates(sdp.check_answer(answer))
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        except Exception as error:  # noqa: BLE001 - as above
            raise DescriptionRefused(type(error).__name__) from None
        for seat in leaving:
            seat.free()
        for seat in self._seats:
            if seat.state is SeatState.TAKEN and not seat.is_told and seat.who in self._wanted:
                seat.connect(self._wanted[seat.who])
        if leaving:
            self._changed.set()  # somebody may wait for a seat that is free now
        self._start_deadline()
        await self._take_candidates(candidates)
        # aiortc starts the senders of a negotiation that overtakes the first handshake never.
        await self.is_up.wait()

    async def _ask(self, offer: str) -> str:
        """The browser's answer to ``offer``, sent again while none comes. Raises TimeoutError."""
        self._answer = asyncio.get_running_loop().create_future()
        self._pending = offer
        offers = 0
        try:
            while True:
                if self._link_is_up():
                    if offers >= MAX_OFFERS:
                        raise TimeoutError
                    offers += 1
                    self._send_offer(offer)
                done, _ = await asyncio.wait([self._answer], timeout=RESEND_SECONDS)
                if not done:
                    continue
                answer = self._answer.result()
                if not _is_for_another(offer, answer):
                    return answer
                self._answer = asyncio.get_running_loop().create_future()
        finally:
            self._answer = self._pending = None


def _is_for_another(offer: str, answer: str) -> bool:
    """Whether ``answer`` is a late one to an earlier offer, which was sent twice.

    An answer does not name its offer, but it mirrors the directions. One that mirrors nothing is
    left to the checks.
    """
    asked, given = _directions(offer), _directions(answer)
    if len(asked) != len(given):
        return True
    mirrored = {"sendonly": "recvonly", "inactive": "inactive"}
    is_whole = all(direction in mirrored.values() for direction in given)
    return is_whole and [mirrored.get(direction) for direction in asked] != given


def _directions(text: str) -> list[str]:
    """The direction of each m-line; empty where none is written."""
    found: list[str] = []
    for section in text.split("\nm=")[1:]:
        lines = {line.strip() for line in section.split("\n")}
        given = [d for d in ("sendonly", "recvonly", "inactive") if f"a={d}" in lines]
        found.append(given[0] if len(given) == 1 else "")
    return found


def _without_transport_wide_feedback(text: str) -> str:
    """An offer that promises no running numbers: what is forwarded carries none."""
    kept = [
        line
        for line in text.splitlines()
        if not line.endswith((f" {congestion.URI}", " transport-cc"))
    ]
    return "".join(f"{line}\r\n" for line in kept)


def _sender(transceiver: RTCRtpTransceiver) -> ForwardingSender:
    sender = transceiver.sender
    assert isinstance(sender, ForwardingSender)
    return sender

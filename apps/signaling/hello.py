"""Opening a socket: the ticket is spent, the seat's cookie compared, the place connected."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from django.db import transaction

from access import gate
from access.verbs import Verb
from accounts.actors import stranger
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from media.actions import paths
from meetings import seats, tickets
from meetings.actions import enter
from meetings.lifecycle import SeatState
from meetings.minting import hash_seat_secret
from meetings.models import Seat
from signaling.route import LastRoute


@dataclass(frozen=True, slots=True)
class Connection:
    """Whom a socket speaks for, from hello to the end."""

    socket: UUID
    actor: Actor
    seat_id: UUID
    generation: int
    organisation_id: UUID
    meeting_id: UUID
    participation_id: UUID
    purpose: wire.Purpose
    host: bool
    mode: wire.Mode
    relay_only: bool
    #: How many were trickled, by link and epoch.
    candidates: Counter[tuple[wire.Link, int]] = field(default_factory=Counter)
    route: LastRoute = field(default_factory=LastRoute)

    @property
    def trail_name(self) -> str:
        return f"participation:{self.participation_id}"

    @property
    def trail_organisation_id(self) -> UUID:
        return self.organisation_id


_VERBS = {wire.Purpose.JOIN: Verb.ROOM_JOIN, wire.Purpose.WAIT: Verb.ROOM_WAIT}


def identify(hello: wire.Hello, cookies: Mapping[str, str], address: str = "") -> Connection:
    """Spend the ticket of ``hello`` and say whom the socket speaks for.

    ``address`` is where a stranger knocks from. Raises ``ConsiliumError``; the refusal is on the
    trail. Nothing is connected yet.
    """
    seat: Seat | None = None
    verb = Verb.ROOM_JOIN
    try:
        if hello.version not in wire.SPOKEN_VERSIONS:
            raise ConsiliumError("version_unknown")
        ticket = tickets.spend(hello.ticket)
        verb = _VERBS[ticket.purpose]
        seat = (
            Seat.objects.filter(pk=ticket.seat_id).select_related("participation__meeting").first()
        )
        if seat is None or not _cookie_matches(seat, cookies):
            raise ConsiliumError("seat_unknown")
        if seat.state != SeatState.CURRENT or seat.generation != ticket.generation:
            raise ConsiliumError(seats.why_ended(seat))
    except ConsiliumError as refusal:
        if isinstance(refusal, tickets.TicketRefused) and refusal.seat_id:
            seat = Seat.objects.filter(pk=refusal.seat_id).select_related("participation").first()
        sits_here = seat is not None and _cookie_matches(seat, cookies)
        actor = seats.occupant_of(seat) if seat and sits_here else stranger(address)
        gate.record_refusal(actor, verb, refusal, seat)
        raise
    actor = seats.occupant_of(seat)
    place = seat.participation
    gate.require(actor, verb, place)
    return Connection(
        socket=uuid4(),
        actor=actor,
        seat_id=seat.pk,
        generation=seat.generation,
        organisation_id=seat.organisation_id,
        meeting_id=place.meeting_id,
        participation_id=place.pk,
        purpose=ticket.purpose,
        host=place.is_host,
        mode=wire.Mode(place.meeting.mode),
        relay_only=place.meeting.relay_only,
    )


def ticket_to_join(connection: Connection) -> str:
    """For one who was let in while this socket waited. Raises ``ConsiliumError``."""
    with transaction.atomic():
        seat = _own_seat(connection)
    return enter.join_ticket(connection.actor, seat)


def open_connection(connection: Connection, *, keep_media: bool) -> wire.Media | None:
    """From now on this socket speaks for the place, and a media path is opened for a call.

    Returns what the page is to open; None while it waits.
    """
    with transaction.atomic():
        seat = _own_seat(connection)
        enter.connect(seat, connection.purpose, connection.socket)
        if connection.purpose is wire.Purpose.WAIT:
            return None
        path = paths.open_path(connection.participation_id, keep=keep_media)
    return paths.message_of(path)


def come_in(
    hello: wire.Hello, cookies: Mapping[str, str], address: str, waiting: Connection
) -> tuple[Connection, wire.Media | None]:
    """One who waited says hello again, with a ticket to join. Raises ``ConsiliumError``."""
    connection = replace(identify(hello, cookies, address), socket=waiting.socket)
    same_place = connection.participation_id == waiting.participation_id
    if not same_place or connection.purpose is not wire.Purpose.JOIN:
        raise ConsiliumError("ticket_purpose")
    return connection, open_connection(connection, keep_media=hello.keep_media)


def drop_connection(connection: Connection) -> None:
    """The socket is gone; the place stays for its holder to return."""
    with transaction.atomic():
        enter.disconnect(connection.participation_id, connection.socket)


def _own_seat(connection: Connection) -> Seat:
    """The seat this socket was opened for, locked. Refused: ``taken_over`` by another device."""
    seat = (
        Seat.objects.select_for_update(of=("self",))
        .filter(
            pk=connection.seat_id,
            state=SeatState.CURRENT,
            generation=connection.generation,
        )
        .select_related("participation__meeting")
        .first()
    )
    if seat is None:
        raise ConsiliumError("taken_over")
    return seat


def _cookie_matches(seat: Seat, cookies: Mapping[str, str]) -> bool:
    secret = cookies.get(seats.cookie_name(seat.participation.meeting_id), "")
    return hmac.compare_digest(hash_seat_secret(secret), seat.secret_hash)

"""Tickets: what opens a socket. Short-lived, single-use, for one seat, meeting and purpose (I2).

A ticket is a JWT (Ed25519, RFC 9864) of at most ``TICKET_SECONDS``. It is bound to the seat, whose
cookie the socket's handshake must carry too: a ticket that leaks opens nothing elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from audit.clock import database_now
from foundation.errors import ConsiliumError
from foundation.wire.browser import Purpose
from meetings.models import Seat, SpentTicket
from vault import signing
from vault.models import SigningKey

#: Long enough for a slow phone to open a socket; a longer one would be worth stealing.
TICKET_SECONDS = 60
AUDIENCE = "consilium:signal"


class TicketRefused(ConsiliumError):
    """``seat_id``: the seat that a ticket of ours was made for, though it opens nothing now."""

    def __init__(self, code: str, seat_id: UUID | None = None) -> None:
        super().__init__(code)
        self.seat_id = seat_id


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a good ticket says."""

    jti: UUID
    organisation_id: UUID
    seat_id: UUID
    generation: int
    purpose: Purpose
    expires_at: datetime


def issue(seat: Seat, purpose: Purpose) -> str:
    """A fresh ticket for ``seat``. The caller has asked the gate."""
    now = int(database_now().timestamp())
    return signing.sign(
        SigningKey.Purpose.TICKET,
        {
            "aud": AUDIENCE,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + TICKET_SECONDS,
            "org": str(seat.organisation_id),
            "seat": str(seat.pk),
            "gen": seat.generation,
            "for": purpose.value,
        },
    )


def spend(token: str) -> Ticket:
    """The ticket's content, once. Raises ``TicketRefused`` with the reason."""
    try:
        claims = signing.verify(SigningKey.Purpose.TICKET, token)
        if claims["aud"] != AUDIENCE:
            raise TicketRefused("ticket_purpose")
        ticket = Ticket(
            jti=UUID(claims["jti"]),
            organisation_id=UUID(claims["org"]),
            seat_id=UUID(claims["seat"]),
            generation=int(claims["gen"]),
            purpose=Purpose(claims["for"]),
            expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
        )
    except (
        signing.TokenRefused,
        *(KeyError, ValueError, TypeError, AttributeError),  # claims of another shape
        *(OverflowError, OSError),  # a time that no calendar has
    ) as error:
        raise TicketRefused("ticket_invalid") from error
    if ticket.expires_at <= database_now():
        raise TicketRefused("ticket_expired", ticket.seat_id)
    try:
        with transaction.atomic():
            SpentTicket.objects.create(
                jti=ticket.jti,
                organisation_id=ticket.organisation_id,
                expires_at=ticket.expires_at + timedelta(minutes=1),
            )
    except IntegrityError:
        raise TicketRefused("ticket_spent", ticket.seat_id) from None
    return ticket


def forget_expired() -> int:
    """Remove spent tickets that no clock would accept any more; returns how many."""
    count, _ = SpentTicket.objects.filter(expires_at__lt=Now()).delete()
    return count

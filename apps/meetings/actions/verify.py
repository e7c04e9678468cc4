"""Proving who holds a seat, by a one-time code to the guest's mailbox."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import F

from access import gate
from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor, service
from foundation.errors import ConsiliumError
from foundation.events import announce
from meetings import minting
from meetings.events import PlaceEnded
from meetings.lifecycle import PLACE, SEAT, IllegalTransition, SeatState, next_state
from meetings.models import Participation, Seat
from meetings.rooms import place_ended, room_changed
from outbox.topics import TASK_TOPIC

CODE_LASTS = timedelta(minutes=10)

#: Six digits and five tries: a guesser has 1 chance in 200,000 for each code that was sent.
CODE_ATTEMPTS = 5

#: Between two codes; a page that asks faster is told to wait.
RESEND_AFTER = timedelta(seconds=30)

#: Codes for one device; an invitation serves three. A guesser has 150 tries in a million in all.
CODES_PER_SEAT = 10

#: How the proof is called on the trail and on the host's screen.
MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class CodeToSend:
    contact: str = field(repr=False)
    language: str
    code: str = field(repr=False)
    organisation_name: str
    minutes: int


def request_code(actor: Actor, seat_id: UUID) -> None:
    """Owe the guest a code. Refused: ``too_many_attempts`` when the last is too fresh."""
    with action(actor, Verb.CODE_SEND, Seat.objects.filter(pk=seat_id)) as act:
        now = database_now()
        last = act.subject.code_requested_at
        if last is not None and now < last + RESEND_AFTER:
            raise ConsiliumError("too_many_attempts")
        if act.subject.codes_sent >= CODES_PER_SEAT:
            raise ConsiliumError("too_many_attempts")
        Seat.objects.filter(pk=seat_id).update(
            code_requested_at=now, codes_sent=F("codes_sent") + 1
        )
        act.publish(TASK_TOPIC, {"name": "meetings.send_code", "args": [str(seat_id)]})


def mint_code(seat_id: UUID) -> CodeToSend | None:
    """For the sending task: a fresh code, of which only the hash stays. None: no longer wanted."""
    try:
        return _minted(seat_id)
    except gate.Refusal:
        # On the trail already. A repeated or late task finds a seat that needs no code any more.
        return None


def _minted(seat_id: UUID) -> CodeToSend | None:
    with action(service("mailer"), Verb.CODE_MINT, Seat.objects.filter(pk=seat_id)) as act:
        seat: Seat = act.subject
        code = minting.one_time_code(seat.pk)
        Seat.objects.filter(pk=seat.pk).update(
            code_hash=code.hashed,
            code_expires_at=database_now() + CODE_LASTS,
            code_attempts_left=CODE_ATTEMPTS,
        )
        guest = seat.participation.guest
        if guest is None:
            return None
        return CodeToSend(
            contact=guest.contact,
            language=guest.language,
            code=code.text,
            organisation_name=seat.organisation.name,
            minutes=int(CODE_LASTS.total_seconds() // 60),
        )


def verify_code(actor: Actor, seat_id: UUID, typed: str) -> Seat:
    """Make this the place's current seat; another device's seat ends.

    Refused: ``code_wrong``, ``code_expired`` (also when the tries are used up).
    """
    # Counted before it is compared and outside the action: a refusal must not give the try back.
    counted = Seat.objects.filter(pk=seat_id, code_attempts_left__gt=0).update(
        code_attempts_left=F("code_attempts_left") - 1
    )
    with action(actor, Verb.GUEST_VERIFY, Seat.objects.filter(pk=seat_id)) as act:
        seat: Seat = act.subject
        if not counted or not seat.has_fresh_code():
            raise ConsiliumError("code_expired")
        if not hmac.compare_digest(seat.code_hash, minting.hash_one_time_code(seat.pk, typed)):
            raise ConsiliumError("code_wrong")
        take_place(seat, [MAILBOX])
        act.details |= {"verified_by": [MAILBOX], "generation": seat.generation}
        return seat


def take_place(seat: Seat, verified_by: list[str]) -> None:
    """``seat`` becomes its place's one seat; what sat there before is ended, with its media.

    Expects the caller's transaction.
    """
    place = Participation.objects.select_for_update().get(pk=seat.participation_id)
    try:
        state = next_state(PLACE, place.state, "verify")
    except IllegalTransition:
        raise ConsiliumError("wrong_state") from None
    generation = place.generation + 1
    for other in place.seats.exclude(pk=seat.pk).filter(state=SeatState.CURRENT):
        Seat.objects.filter(pk=other.pk).update(state=next_state(SEAT, other.state, "end"))
    if generation > 1:
        place_ended(place.organisation_id, place.pk)
        announce(PlaceEnded(place.organisation_id, place.meeting_id, place.pk))
    Participation.objects.filter(pk=place.pk).update(
        state=state, generation=generation, verified_by=verified_by, socket=None
    )
    Seat.objects.filter(pk=seat.pk).update(
        state=SeatState.CURRENT,
        generation=generation,
        verified_by=verified_by,
        code_hash="",
        code_attempts_left=0,
    )
    seat.refresh_from_db()
    room_changed(place.meeting)

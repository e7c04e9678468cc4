"""Entering: tickets to wait or to join, and what a page's socket does to its place."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from access import gate
from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode, Purpose
from meetings import minting, seats, tickets
from meetings.actions.plan import person_of
from meetings.actions.verify import take_place
from meetings.lifecycle import MEETING, PLACE, MeetingState, PlaceState, SeatState, next_state
from meetings.models import CAPACITY, Meeting, Participation, Seat
from meetings.presence import SEEN_LASTS
from meetings.rooms import place_ended, room_changed

#: What stands as proof for somebody who signed in with a second factor.
SIGN_IN = "sign-in"


def take_host_seat(actor: Actor, meeting_id: UUID, seat_secret: str) -> Seat:
    """Make the device that holds ``seat_secret`` the host's seat, ending the one elsewhere."""
    with action(actor, Verb.HOST_SIT, Meeting.objects.filter(pk=meeting_id)) as act:
        meeting: Meeting = act.subject
        place, _ = Participation.objects.get_or_create(
            meeting=meeting,
            person_id=person_of(actor),
            defaults={
                "organisation_id": meeting.organisation_id,
                "role": Participation.Role.HOST,
                "state": PlaceState.ADMITTED,
                "admitted_at": database_now(),
            },
        )
        seat, _ = Seat.objects.get_or_create(
            secret_hash=minting.hash_seat_secret(seat_secret),
            participation=place,
            defaults={"organisation_id": meeting.organisation_id},
        )
        take_place(seat, [SIGN_IN])
        act.details |= {"participation": str(place.pk), "generation": seat.generation}
        return seat


def wait_ticket(actor: Actor, seat: Seat) -> str:
    """A ticket for the waiting room; from now on the hosts see who waits."""
    _must_be_current(actor, Verb.ROOM_WAIT, seat)
    with action(
        actor, Verb.ROOM_WAIT, Participation.objects.filter(pk=seat.participation_id)
    ) as act:
        place: Participation = act.subject
        to = next_state(PLACE, place.state, "wait")
        act.move(place, to, waiting_since=place.waiting_since or database_now())
        room_changed(place.meeting)
    return tickets.issue(seat, Purpose.WAIT)


def join_ticket(actor: Actor, seat: Seat) -> str:
    """A ticket for the call. Refused: ``not_admitted``, ``meeting_full``."""
    _must_be_current(actor, Verb.ROOM_JOIN, seat)
    with action(
        actor, Verb.ROOM_JOIN, Participation.objects.filter(pk=seat.participation_id)
    ) as act:
        place: Participation = act.subject
        if _places_taken_beside(place) >= capacity_of(place.meeting):
            raise ConsiliumError("meeting_full")
        act.move(place, next_state(PLACE, place.state, "join"))
        if place.is_host and place.meeting.state == MeetingState.PLANNED:
            Meeting.objects.filter(pk=place.meeting_id, state=MeetingState.PLANNED).update(
                state=next_state(MEETING, MeetingState.PLANNED, "open")
            )
            room_changed(place.meeting)
    return tickets.issue(seat, Purpose.JOIN)


def capacity_of(meeting: Meeting) -> int:
    """How many may be in the call at once."""
    return 2 if meeting.mode == Mode.PRIVATE else CAPACITY


def connect(seat: Seat, purpose: Purpose, socket: UUID) -> None:
    """This socket now speaks for the place; an older one is ended. Expects a transaction."""
    Participation.objects.filter(pk=seat.participation_id).update(
        socket=socket,
        socket_purpose=purpose.value,
        seen_at=Now(),
        microphone=False,
        camera=False,
        screen=False,
    )
    place_ended(seat.organisation_id, seat.participation_id)
    room_changed(seat.participation.meeting)


def seen(sockets: Collection[UUID]) -> None:
    """The pages behind these sockets still ping."""
    Participation.objects.filter(socket__in=sockets).update(seen_at=Now())


def disconnect(participation_id: UUID, socket: UUID) -> bool:
    """The socket is gone; true when it still spoke for the place. Expects a transaction."""
    gone = Participation.objects.filter(pk=participation_id, socket=socket).update(socket=None)
    if gone:
        room_changed(
            Participation.objects.select_related("meeting").get(pk=participation_id).meeting
        )
    return bool(gone)


def show_sources(
    actor: Actor, participation_id: UUID, *, microphone: bool, camera: bool, screen: bool
) -> None:
    """Remember what this person sends, for the others' screens."""
    place = Participation.objects.select_related("meeting").get(pk=participation_id)
    gate.require(actor, Verb.MEDIA_PUBLISH, place)
    with transaction.atomic():
        Participation.objects.filter(pk=participation_id).update(
            microphone=microphone, camera=camera, screen=screen
        )
        room_changed(place.meeting)


def _must_be_current(actor: Actor, verb: Verb, seat: Seat) -> None:
    if seat.state == SeatState.CURRENT:
        return
    reason = seats.why_ended(seat) if seat.state == SeatState.ENDED else "not_verified"
    refusal = ConsiliumError(reason)
    gate.record_refusal(actor, verb, refusal, seat)
    raise refusal


def _places_taken_beside(place: Participation) -> int:
    return (
        place.meeting.participations.filter(
            state=PlaceState.ADMITTED,
            socket__isnull=False,
            seen_at__gt=database_now() - SEEN_LASTS,
        )
        .exclude(pk=place.pk)
        .count()
    )

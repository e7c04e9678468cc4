"""What a host does (admit, decline, remove, end), and leaving, which everybody may."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.events import announce
from meetings.actions.enter import capacity_of
from meetings.events import MeetingEnded, PlaceEnded
from meetings.lifecycle import MEETING, PLACE, PlaceState, SeatState, next_state
from meetings.models import Meeting, Participation, Seat
from meetings.rooms import (
    place_ended,
    room_changed,
)


def admit_guest(actor: Actor, meeting_id: UUID, participation_id: UUID) -> None:
    """Let one waiting person in. Refused: ``meeting_full``."""
    with action(actor, Verb.GUEST_ADMIT, _place(meeting_id, participation_id)) as act:
        place: Participation = act.subject
        admitted = place.meeting.participations.filter(state=PlaceState.ADMITTED)
        if admitted.exclude(pk=place.pk).count() >= capacity_of(place.meeting):
            raise ConsiliumError("meeting_full")
        act.move(place, next_state(PLACE, place.state, "admit"), admitted_at=database_now())
        act.details |= {"verified_by": place.verified_by}
        room_changed(place.meeting)


def decline_guest(actor: Actor, meeting_id: UUID, participation_id: UUID) -> None:
    """Turn one waiting person away."""
    with action(actor, Verb.GUEST_DECLINE, _place(meeting_id, participation_id)) as act:
        place: Participation = act.subject
        act.move(place, next_state(PLACE, place.state, "decline"))
        place_ended(place.organisation_id, place.pk)
        room_changed(place.meeting)


def remove_participant(actor: Actor, meeting_id: UUID, participation_id: UUID) -> None:
    """Put somebody out of the call: their seats end and their media stops."""
    with action(actor, Verb.PARTICIPANT_REMOVE, _place(meeting_id, participation_id)) as act:
        place: Participation = act.subject
        if place.is_host and place.person_id == actor.id:
            raise ConsiliumError("not_permitted")  # hosts leave; they don't remove themselves
        act.move(place, next_state(PLACE, place.state, "remove"), socket=None)
        Seat.objects.filter(participation=place).update(state=SeatState.ENDED, code_hash="")
        place_ended(place.organisation_id, place.pk)
        announce(PlaceEnded(place.organisation_id, place.meeting_id, place.pk))
        room_changed(place.meeting)


def leave(actor: Actor, participation_id: UUID) -> None:
    """Leave the call or the waiting room; the place stays and its holder may come back.

    Who leaves the waiting room leaves the queue: whoever is behind must not wait for them, and
    they line up anew when they come back.
    """
    with action(actor, Verb.ROOM_LEAVE, Participation.objects.filter(pk=participation_id)) as act:
        place: Participation = act.subject
        to = next_state(PLACE, place.state, "leave")
        kept = place.waiting_since if to == PlaceState.LEFT else None
        act.move(place, to, socket=None, waiting_since=kept)
        place_ended(place.organisation_id, place.pk)
        announce(PlaceEnded(place.organisation_id, place.meeting_id, place.pk))
        room_changed(place.meeting)


def end_meeting(actor: Actor, meeting_id: UUID) -> None:
    """End it for everyone. No invitation, seat or ticket of it opens anything any more."""
    # The meeting's row comes last, after places and what hangs on them, as everywhere: to hold it
    # first would be a deadlock with whoever says something at this moment.
    meetings = Meeting.objects.filter(pk=meeting_id)
    with action(actor, Verb.MEETING_END, meetings, lock=False) as act:
        meeting: Meeting = act.subject
        to = next_state(MEETING, meeting.state, "end")
        meeting.participations.update(socket=None)
        announce(MeetingEnded(meeting.organisation_id, meeting.pk))
        act.move(meeting, to, ended_at=database_now())
        room_changed(meeting)


def _place(meeting_id: UUID, participation_id: UUID) -> models.QuerySet[Participation]:
    # The meeting is part of the key: an id of another meeting is not found.
    return Participation.objects.filter(pk=participation_id, meeting_id=meeting_id)

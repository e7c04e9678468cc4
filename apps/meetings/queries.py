"""Reading meetings. Lists start at ``visible_to``; a room is read whole, as one may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from access import grants
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor, ActorKind, Role
from foundation.wire import browser as wire
from meetings.lifecycle import PlaceState
from meetings.models import CAPACITY, Meeting, Participation
from meetings.presence import SEEN_LASTS

#: The verb of which ``visible_to`` is the list.
VISIBLE = Verb.MEETING_VIEW

#: Who sees every meeting of their department, or of the house.
_OVERSEERS = frozenset({Role.COMPLIANCE_OFFICER, Role.COORDINATOR})


def visible_to(actor: Actor) -> QuerySet[Meeting]:
    """The meetings that ``actor`` may VIEW, exactly; newest first."""
    if actor.organisation_id is None or not actor.assurance.mfa:
        return Meeting.objects.none()
    own = Meeting.objects.filter(organisation_id=actor.organisation_id).order_by("-starts_at")
    overseen = [o.department_id for o in actor.offices if o.role in _OVERSEERS]
    if None in overseen:
        return own
    seen = Q(department_id__in=overseen)
    if actor.kind is ActorKind.PERSON and actor.id is not None:
        seen |= Q(created_by_id=actor.id) | Q(pk__in=_granted(actor.id))
    return own.filter(seen)


def _granted(person_id: UUID) -> list[UUID]:
    rows = grants.subjects_of(person_id, "host_meeting", Meeting)
    return [UUID(row["object_pk"]) for row in rows]


def free_places(meeting: Meeting) -> int:
    """How many more guests can be invited; a private call has one place beside the host's."""
    taken = (
        meeting.participations.exclude(state__in=[PlaceState.REMOVED, PlaceState.DECLINED])
        .exclude(role=Participation.Role.HOST)
        .count()
    )
    places = 1 if meeting.mode == wire.Mode.PRIVATE else CAPACITY - 1
    return max(0, places - taken)


@dataclass(frozen=True, slots=True)
class Room:
    """One reading of a room."""

    seq: int
    state: str
    people: list[Participation]
    waiting: list[Participation]
    now: datetime
    own_state: str
    own_socket: UUID | None
    own_generation: int
    own_account_is_active: bool  # true for guests, who have none
    consent_is_asked: bool = False

    def is_connected(self, place: Participation) -> bool:
        return (
            place.socket is not None
            and place.seen_at is not None
            and place.seen_at > self.now - SEEN_LASTS
        )

    def host_is_here(self) -> bool:
        return any(p.is_host and self.is_connected(p) for p in self.people)

    def place_in_queue(self, participation_id: UUID) -> int:
        """1 is next; 0 for one who does not wait."""
        ids = [place.pk for place in self.waiting]
        return ids.index(participation_id) + 1 if participation_id in ids else 0


def room(meeting_id: UUID, participation_id: UUID) -> Room:
    """The room as it is now, for one place in it. Raises ``DoesNotExist``."""
    # ``seq`` is read first: what is read after it is at least as new as it says.
    seq, state, text = Meeting.objects.values_list("seq", "state", "consent_text").get(
        pk=meeting_id
    )
    own_state, own_socket, own_generation, own_active = Participation.objects.values_list(
        "state", "socket", "generation", "person__is_active"
    ).get(pk=participation_id, meeting_id=meeting_id)
    places = list(
        Participation.objects.filter(
            meeting_id=meeting_id,
            state__in=[PlaceState.WAITING, PlaceState.ADMITTED],
        )
        .select_related("person", "guest")
        .order_by("waiting_since", "created_at")
    )
    return Room(
        seq=seq,
        state=state,
        people=[place for place in places if place.state == PlaceState.ADMITTED],
        waiting=[place for place in places if place.state == PlaceState.WAITING],
        now=database_now(),
        own_state=own_state,
        own_socket=own_socket,
        own_generation=own_generation,
        own_account_is_active=own_active is not False,
        consent_is_asked=text is not None,
    )


def state_message(now: Room, *, for_host: bool) -> wire.State:
    """What a page in the call is told."""
    return wire.State(
        seq=now.seq,
        people=[
            wire.Person(
                id=place.pk,
                name=place.display_name,
                host=place.is_host,
                connected=now.is_connected(place) and place.socket_purpose == wire.Purpose.JOIN,
                microphone=place.microphone,
                camera=place.camera,
                screen=place.screen,
            )
            for place in now.people
        ],
        waiting=[
            wire.Waiting(
                id=place.pk,
                name=place.display_name,
                verified_by=place.verified_by,
                since=place.waiting_since or now.now,
                connected=now.is_connected(place),
            )
            for place in now.waiting
        ]
        if for_host
        else [],
    )


def lobby_message(now: Room, participation_id: UUID) -> wire.Lobby:
    """What a page in the waiting room is told."""
    return wire.Lobby(
        place=now.place_in_queue(participation_id),
        waiting=len(now.waiting),
        host_here=now.host_is_here(),
    )

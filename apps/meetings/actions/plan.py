"""Planning a meeting and inviting to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from access import gate
from access.actions import Act, action
from access.verbs import Verb
from accounts.models import Department, Organisation
from foundation.actor import Actor, service
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode
from meetings import minting, queries
from meetings.lifecycle import PLACE, InvitationState, PlaceState, SeatState, next_state
from meetings.models import Guest, Invitation, Meeting, Participation, Seat
from meetings.rooms import place_ended, room_changed
from outbox.topics import TASK_TOPIC
from vault import sealing

#: An invitation outlives the planned start by this much, for visits that run late.
INVITATION_LASTS = timedelta(hours=24)

#: A link serves this many devices one after the other; each verifies again and ends the last.
USE_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh invitation and its secrets, which exist only here and with the one invited."""

    invitation: Invitation
    link_secret: minting.Secret
    short_code: minting.Secret


@dataclass(frozen=True, slots=True)
class NewGuest:
    """``language``: of the messages to them, one of ``settings.LANGUAGES``."""

    name: str
    email: str
    language: str = settings.LANGUAGE_CODE


def create_meeting(
    actor: Actor,
    organisation: Organisation,
    *,
    department: Department | None,
    title: str,
    mode: Mode,
    relay_only: bool,
    starts_at: datetime,
    guest: NewGuest,
) -> tuple[Meeting, Issued]:
    """A meeting hosted by ``actor`` with one guest invited.

    Refused: ``mode_not_allowed``; ``relay_missing`` where addresses were to be hidden by a relay
    that there is not.
    """
    with action(actor, Verb.MEETING_CREATE, organisation) as act:
        if mode.value not in organisation.allowed_modes:
            raise ConsiliumError("mode_not_allowed")
        if relay_only and not settings.TURN_URLS:
            raise ConsiliumError("relay_missing")
        meeting = Meeting.objects.create(
            organisation=organisation,
            department=department,
            created_by_id=person_of(actor),
            title=title,
            mode=mode.value,
            relay_only=relay_only,
            starts_at=starts_at,
        )
        issued = _invite(act, meeting, guest)
        act.details |= {"meeting": str(meeting.pk), "mode": mode.value, "relay_only": relay_only}
    return meeting, issued


def invite_guest(actor: Actor, meeting_id: UUID, guest: NewGuest) -> Issued:
    """Invite one more. Refused: ``meeting_full`` when every place is taken."""
    with action(actor, Verb.GUEST_INVITE, Meeting.objects.filter(pk=meeting_id)) as act:
        if queries.free_places(act.subject) == 0:
            raise ConsiliumError("meeting_full")
        return _invite(act, act.subject, guest)


def renew_invitation(actor: Actor, meeting_id: UUID, participation_id: UUID) -> Issued:
    """A fresh link for the same guest; earlier ones open nothing any more."""
    with action(actor, Verb.INVITATION_RENEW, _place(meeting_id, participation_id)) as act:
        place: Participation = act.subject
        _revoke_all(place)
        issued = _issue(place.meeting, place)
        act.details |= {"invitation": str(issued.invitation.pk)}
        act.publish(TASK_TOPIC, {"name": "meetings.send_invitation", "args": [str(place.pk)]})
        return issued


def revoke_invitation(actor: Actor, meeting_id: UUID, participation_id: UUID) -> None:
    """The guest's links open nothing any more; who has not been let in yet is turned away."""
    with action(actor, Verb.INVITATION_REVOKE, _place(meeting_id, participation_id)) as act:
        place: Participation = act.subject
        act.details |= {"invitations": _revoke_all(place)}
        if place.state in (PlaceState.INVITED, PlaceState.VERIFIED, PlaceState.WAITING):
            Seat.objects.filter(participation=place).update(state=SeatState.ENDED, code_hash="")
            act.move(place, next_state(PLACE, place.state, "revoke"))
            place_ended(place.organisation_id, place.pk)
        room_changed(place.meeting)


@dataclass(frozen=True, slots=True)
class InvitationToSend:
    contact: str = field(repr=False)
    language: str
    link_secret: minting.Secret
    short_code: minting.Secret
    organisation_name: str
    time_zone: str
    starts_at: datetime


def mint_invitation(participation_id: UUID) -> InvitationToSend | None:
    """For the sending task: one more invitation, of which only hashes stay. None: not wanted."""
    try:
        return _minted(participation_id)
    except gate.Refusal:
        # On the trail already. A late task finds a place that nobody is invited to any more.
        return None


def _minted(participation_id: UUID) -> InvitationToSend | None:
    places = Participation.objects.filter(pk=participation_id, guest__isnull=False)
    with action(service("mailer"), Verb.INVITATION_MINT, places) as act:
        place: Participation = act.subject
        if place.guest is None:
            return None
        issued = _issue(place.meeting, place)
        act.details |= {"invitation": str(issued.invitation.pk)}
        return InvitationToSend(
            contact=place.guest.contact,
            language=place.guest.language,
            link_secret=issued.link_secret,
            short_code=issued.short_code,
            organisation_name=place.organisation.name,
            time_zone=place.organisation.time_zone,
            starts_at=place.meeting.starts_at,
        )


def _place(meeting_id: UUID, participation_id: UUID) -> QuerySet[Participation]:
    # The meeting is part of the key: an id of another meeting is not found.
    return Participation.objects.filter(
        pk=participation_id, meeting_id=meeting_id, guest__isnull=False
    )


def _revoke_all(place: Participation) -> list[str]:
    """Withdraw every invitation of the place; returns their ids."""
    live = place.invitations.exclude(state=InvitationState.REVOKED)
    ids = [str(invitation.pk) for invitation in live]
    live.update(state=InvitationState.REVOKED)
    return ids


def _invite(act: Act[Organisation] | Act[Meeting], meeting: Meeting, new: NewGuest) -> Issued:
    guest = Guest.objects.create(
        organisation_id=meeting.organisation_id,
        name=new.name.strip(),
        language=new.language,
        contact=new.email.strip(),
        contact_index=sealing.index(
            meeting.organisation_id, "meetings.guest.contact", new.email.strip().casefold()
        ),
    )
    place = Participation.objects.create(
        organisation_id=meeting.organisation_id,
        meeting=meeting,
        guest=guest,
        role=Participation.Role.GUEST,
    )
    issued = _issue(meeting, place)
    act.publish(TASK_TOPIC, {"name": "meetings.send_invitation", "args": [str(place.pk)]})
    act.details |= {"guest": str(guest.pk), "invitation": str(issued.invitation.pk)}
    return issued


def _issue(meeting: Meeting, place: Participation) -> Issued:
    link, code = minting.link_secret(), minting.short_code()
    invitation = Invitation.objects.create(
        organisation_id=meeting.organisation_id,
        participation=place,
        secret_hash=link.hashed,
        short_code_hash=code.hashed,
        use_limit=USE_LIMIT,
        expires_at=meeting.starts_at + INVITATION_LASTS,
    )
    return Issued(invitation, link, code)


def person_of(actor: Actor) -> UUID:
    """The acting person's id. Refused: ``sign_in_required``."""
    if actor.id is None:
        raise ConsiliumError("sign_in_required")
    return actor.id

"""Planning a meeting and inviting to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from access.actions import Act, action
from access.verbs import Verb
from accounts.models import Department, Organisation
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode
from meetings import minting
from meetings.lifecycle import InvitationState, PlaceState, SeatState
from meetings.models import CAPACITY, Guest, Invitation, Meeting, Participation, Seat
from meetings.rooms import room_changed, say_goodbye
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
    name: str
    email: str


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
    """A meeting hosted by ``actor`` with one guest invited. Refused: ``mode_not_allowed``."""
    with action(actor, Verb.MEETING_CREATE, organisation) as act:
        if mode.value not in organisation.allowed_modes:
            raise ConsiliumError("mode_not_allowed")
        meeting = Meeting.objects.create(
            organisation=organisation,
            department=department,
            created_by_id=_person_of(actor),
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
        taken = act.subject.participations.exclude(
            state__in=[PlaceState.REMOVED, PlaceState.DECLINED]
        ).exclude(role=Participation.Role.HOST)
        # In a private call there is one place beside the host's.
        places = 1 if act.subject.mode == Mode.PRIVATE else CAPACITY - 1
        if taken.count() >= places:
            raise ConsiliumError("meeting_full")
        return _invite(act, act.subject, guest)


def renew_invitation(actor: Actor, invitation_id: UUID) -> Issued:
    """A fresh link for the same guest; the old one opens nothing any more."""
    old = _of(invitation_id)
    with action(
        actor, Verb.INVITATION_RENEW, Meeting.objects.filter(participations__invitations=old.pk)
    ) as act:
        # Whatever was still open for this place is withdrawn together.
        Invitation.objects.filter(participation_id=old.participation_id).exclude(
            state=InvitationState.REVOKED
        ).update(state=InvitationState.REVOKED)
        issued = _issue(act.subject, old.participation)
        act.details |= {"invitation": str(issued.invitation.pk)}
        return issued


def revoke_invitation(actor: Actor, invitation_id: UUID) -> None:
    """The link opens nothing any more, and the device that used it has to verify again."""
    with action(actor, Verb.INVITATION_REVOKE, Invitation.objects.filter(pk=invitation_id)) as act:
        act.move(act.subject, InvitationState.REVOKED)
        place = act.subject.participation
        if place.state in (PlaceState.INVITED, PlaceState.VERIFIED, PlaceState.WAITING):
            Seat.objects.filter(participation=place).update(state=SeatState.ENDED, code_hash="")
            Participation.objects.filter(pk=place.pk).update(state=PlaceState.DECLINED)
            say_goodbye(place.organisation_id, place.pk, "declined", may_return=False)
            room_changed(place.meeting)


def _of(invitation_id: UUID) -> Invitation:
    found = Invitation.objects.filter(pk=invitation_id).select_related("participation").first()
    if found is None:
        raise ConsiliumError("not_found")
    return found


def _invite(act: Act[Organisation] | Act[Meeting], meeting: Meeting, new: NewGuest) -> Issued:
    guest = Guest.objects.create(
        organisation_id=meeting.organisation_id,
        name=new.name.strip(),
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


def _person_of(actor: Actor) -> UUID:
    if actor.id is None:
        raise ConsiliumError("sign_in_required")
    return actor.id

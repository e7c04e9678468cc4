"""Pages: the desk of a clinician, one meeting, the invitation page, the room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from access import gate
from access.doors import door, public
from access.facts import Installation
from access.requests import acting
from access.verbs import Verb
from accounts.actors import organisation_of
from accounts.models import Department, Organisation
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode
from meetings import mail, minting, queries, seats
from meetings.actions import host, plan
from meetings.forms import GuestForm, MeetingForm
from meetings.lifecycle import InvitationState, MeetingState, PlaceState
from meetings.models import Meeting, Participation
from meetings.stages import stage_of


@public("the front door: it shows two ways in and nothing else")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if gate.allows(acting(request), Verb.DESK_OPEN, Installation()):
        return redirect("desk")
    if gate.allows(acting(request), Verb.ADMIN_OPEN, Installation()):
        return redirect("admin:index")
    return render(request, "home.html")


@public("an invited patient has no account; the page itself redeems nothing")
@require_GET
def visit(request: HttpRequest) -> HttpResponse:
    return render(request, "visit.html")


@public("what the platform promises concerns everybody")
@require_GET
def promise(request: HttpRequest) -> HttpResponse:
    return render(request, "promise.html", {"relay_available": bool(settings.TURN_URLS)})


@dataclass(frozen=True, slots=True)
class MeetingLine:
    """One line of the desk."""

    id: UUID
    title: str
    starts_at: datetime
    mode: str
    mode_name: str
    state: str
    guests: list[str]
    waiting_count: int


@door(Verb.DESK_OPEN)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    gate.require(acting(request), Verb.DESK_OPEN, Installation(acting(request).organisation_id))
    recent = timezone.now() - timedelta(hours=24)
    meetings = (
        queries.visible_to(acting(request))
        .exclude(state=MeetingState.OVER, starts_at__lt=recent)
        .order_by("starts_at")
        .prefetch_related("participations__guest", "participations__person")[:100]
    )
    return render(request, "meetings/desk.html", {"meetings": [_line(m) for m in meetings]})


@door(Verb.MEETING_CREATE)
@require_http_methods(["GET", "POST"])
def new_meeting(request: HttpRequest) -> HttpResponse:
    organisation = _organisation(acting(request), Verb.MEETING_CREATE)
    gate.require(acting(request), Verb.MEETING_CREATE, organisation)
    department = Department.objects.filter(pk__in=acting(request).department_ids).first()
    preset = department.mode_preset if department else Mode.PRIVATE.value
    form = MeetingForm(organisation, request.POST or None, preset=preset)
    if request.method == "POST" and form.is_valid():
        meeting, issued = plan.create_meeting(
            acting(request),
            organisation,
            department=department,
            title=form.cleaned_data["title"],
            mode=Mode(form.cleaned_data["mode"]),
            # Without a relay, hiding addresses would mean no call at all; the page says it is off.
            relay_only=bool(settings.TURN_URLS),
            starts_at=form.cleaned_data["starts_at"],
            guest=form.guest(),
        )
        return _show_once(request, meeting, issued)
    return render(
        request,
        "meetings/new.html",
        {"form": form, "relay_available": bool(settings.TURN_URLS)},
        status=400 if request.method == "POST" else 200,
    )


@door(Verb.MEETING_VIEW)
@require_GET
def meeting(request: HttpRequest, meeting_id: UUID) -> HttpResponse:
    return _meeting_page(request, _meeting(acting(request), Verb.MEETING_VIEW, meeting_id), {})


@door(Verb.GUEST_INVITE)
@require_POST
def invite(request: HttpRequest, meeting_id: UUID) -> HttpResponse:
    form = GuestForm(request.POST)
    if not form.is_valid():
        shown = _meeting(acting(request), Verb.GUEST_INVITE, meeting_id)
        return _meeting_page(request, shown, {"invite_form": form}, status=400)
    issued = plan.invite_guest(acting(request), meeting_id, form.guest())
    return _show_once(request, Meeting.objects.get(pk=meeting_id), issued)


@door(Verb.INVITATION_RENEW)
@require_POST
def renew_invitation(
    request: HttpRequest, meeting_id: UUID, participation_id: UUID
) -> HttpResponse:
    issued = plan.renew_invitation(acting(request), meeting_id, participation_id)
    return _show_once(request, issued.invitation.participation.meeting, issued)


@door(Verb.INVITATION_REVOKE)
@require_POST
def revoke_invitation(
    request: HttpRequest, meeting_id: UUID, participation_id: UUID
) -> HttpResponse:
    plan.revoke_invitation(acting(request), meeting_id, participation_id)
    messages.success(request, _("The invitation was withdrawn. Its link no longer works."))
    return redirect("meeting", meeting_id)


@door(Verb.MEETING_END)
@require_POST
def end_meeting(request: HttpRequest, meeting_id: UUID) -> HttpResponse:
    host.end_meeting(acting(request), meeting_id)
    messages.success(request, _("The meeting has ended for everyone."))
    return redirect("meeting", meeting_id)


@door(Verb.ROOM_OPEN)
@require_GET
def room(request: HttpRequest, meeting_id: UUID) -> HttpResponse:
    """The page of the call, for hosts and for whoever holds a seat on this browser."""
    found = Meeting.objects.select_related("organisation").filter(pk=meeting_id).first()
    if found is None:
        raise ConsiliumError("not_found")
    actor, seat = seats.actor_and_seat(request, found)
    gate.require(actor, Verb.ROOM_OPEN, seat or found)
    stage = stage_of(actor, found, seat)
    shown = {
        "meeting": found.pk,
        "name": stage.display_name,
        "host": stage.host,
        "mode": found.mode,
        "organisation": found.organisation.name,
    }
    response = render(request, "meetings/room.html", {"room": shown})
    if stage.host and seats.secret_of(request.COOKIES, found.pk) is None:
        # A secret of nothing yet: it becomes the host's seat when they ask for a ticket. It is
        # set here so that the socket, opened beside that request, carries it already.
        seats.put_cookie(response, found.pk, minting.seat_secret())
    return response


def _organisation(actor: Actor, verb: Verb) -> Organisation:
    organisation = organisation_of(actor)
    if organisation is None:
        gate.require(actor, verb, Installation())
        raise ConsiliumError("not_permitted")
    return organisation


def _meeting(actor: Actor, verb: Verb, meeting_id: UUID) -> Meeting:
    found = Meeting.objects.select_related("organisation").filter(pk=meeting_id).first()
    if found is None:
        raise ConsiliumError("not_found")
    gate.require(actor, verb, found)
    return found


def _meeting_page(
    request: HttpRequest, shown: Meeting, extra: dict[str, object], status: int = 200
) -> HttpResponse:
    places = (
        shown.participations.exclude(guest__isnull=True)
        .select_related("guest")
        .prefetch_related("invitations")
        .order_by("created_at")
    )
    context = {
        "meeting": shown,
        "guests": [_guest_line(place) for place in places],
        "is_host": shown.is_hosted_by(acting(request)),
        "is_over": shown.state == MeetingState.OVER,
        "relay_available": bool(settings.TURN_URLS),
        "invite_form": GuestForm() if queries.free_places(shown) else None,
        **extra,
    }
    return render(request, "meetings/meeting.html", context, status=status)


def _show_once(request: HttpRequest, shown: Meeting, issued: plan.Issued) -> HttpResponse:
    """The meeting's page with the link on it: an answer to this POST and to nothing else.

    The link is in no session, log or later page; who loses it issues a new one.
    """
    link = mail.link_of(issued.link_secret)
    response = _meeting_page(
        request,
        shown,
        {"link": link, "short_code": issued.short_code.text, "visit_url": mail.visit_url()},
    )
    response["Cache-Control"] = "no-store"
    return response


def _line(shown: Meeting) -> MeetingLine:
    places = list(shown.participations.all())
    return MeetingLine(
        id=shown.pk,
        title=shown.title,
        starts_at=shown.starts_at,
        mode=shown.mode,
        mode_name=shown.get_mode_display(),
        state=shown.state,
        guests=[place.display_name for place in places if not place.is_host],
        waiting_count=sum(place.state == PlaceState.WAITING for place in places),
    )


def _guest_line(place: Participation) -> dict[str, object]:
    live = (InvitationState.ISSUED, InvitationState.REDEEMED)
    return {
        "id": place.pk,
        "name": place.display_name,
        "state": place.state,
        "verified_by": place.verified_by,
        "invitation_live": any(i.effective_state() in live for i in place.invitations.all()),
    }

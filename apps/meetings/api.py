"""The JSON doors of a visit: redeem, prove, and get tickets. Errors follow RFC 9457."""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from access import gate, problems
from access.doors import door, verb_asked_for
from access.requests import acting
from access.verbs import Verb
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from meetings import seats, tickets
from meetings.actions import enter, redeem, verify
from meetings.lifecycle import SeatState
from meetings.models import Meeting, Seat
from meetings.stages import masked, stage_of


class _PerAddress(ScopedRateThrottle):
    """Counts by the visitor's address, which `consilium.proxies` has settled."""

    def get_ident(self, request: Request) -> str:
        return str(request.META.get("REMOTE_ADDR", ""))


class _Visit(APIView):
    """Same-origin JSON for our own pages; the CSRF check of Django's middleware applies."""

    throttle_classes = [_PerAddress]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        # DRF exempts its views and leaves the check to its session authentication, which is not
        # asked here: without this line nobody would check.
        view.csrf_exempt = False
        return view

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        """DRF knows addresses only; the trail names who sits here."""
        refusal = problems.SlowedDown(wait)
        meeting = Meeting.objects.filter(pk=self.kwargs.get("meeting_id")).first()
        if meeting is not None:
            actor, seat = seats.actor_and_seat(_http(request), meeting)
            gate.record_refusal(actor, verb_asked_for(_http(request)), refusal, seat or meeting)
        raise refusal

    def found(self, meeting_id: UUID) -> Meeting:
        meeting = Meeting.objects.select_related("organisation").filter(pk=meeting_id).first()
        if meeting is None:
            raise ConsiliumError("not_found")
        return meeting

    def here(self, request: Request, meeting_id: UUID) -> tuple[Actor, Meeting, Seat | None]:
        meeting = self.found(meeting_id)
        actor, seat = seats.actor_and_seat(_http(request), meeting)
        return actor, meeting, seat

    def seat(self, request: Request, meeting_id: UUID, verb: Verb) -> tuple[Actor, Seat]:
        actor, meeting, seat = self.here(request, meeting_id)
        if seat is None:
            refusal = ConsiliumError("seat_unknown")
            gate.record_refusal(actor, verb, refusal, meeting)
            raise refusal
        return actor, seat


class RedeemForm(serializers.Serializer):  # type: ignore[type-arg]
    secret = serializers.CharField(max_length=128, required=False)
    code = serializers.CharField(max_length=40, required=False)


@door(Verb.INVITATION_REDEEM)
class Redeem(_Visit):
    """POST {secret} or {code} → {room_url}; this browser gets the seat's cookie."""

    throttle_scope = "redeem"

    def post(self, request: Request) -> Response:
        form = RedeemForm(data=request.data)
        form.is_valid(raise_exception=True)
        actor = acting(_http(request))
        if form.validated_data.get("secret"):
            redeemed = redeem.redeem_link(actor, form.validated_data["secret"])
        elif form.validated_data.get("code"):
            redeemed = redeem.redeem_short_code(actor, form.validated_data["code"])
        else:
            raise ConsiliumError("form_invalid")
        meeting_id = redeemed.seat.participation.meeting_id
        response = Response({"room_url": reverse("room", args=[meeting_id])})
        seats.put_cookie(response, meeting_id, redeemed.seat_secret)
        return response


@door(Verb.ROOM_OPEN)
class Me(_Visit):
    """GET → where this browser stands on the way into the call."""

    throttle_scope = "visit"

    def get(self, request: Request, meeting_id: UUID) -> Response:
        actor, meeting, seat = self.here(request, meeting_id)
        gate.require(actor, Verb.ROOM_OPEN, seat or meeting)
        stage = stage_of(actor, meeting, seat)
        return Response(
            {
                "stage": stage.name,
                "name": stage.display_name,
                "host": stage.host,
                "mode": meeting.mode,
                "organisation": meeting.organisation.name,
                "reason": stage.reason,
                "may_return": stage.may_return,
                "resume": stage.resume,
                "sent_to": stage.sent_to,
            }
        )


@door(Verb.CODE_SEND)
class SendCode(_Visit):
    """POST → a one-time code is on its way to the guest's mailbox."""

    throttle_scope = "code"

    def post(self, request: Request, meeting_id: UUID) -> Response:
        actor, seat = self.seat(request, meeting_id, Verb.CODE_SEND)
        verify.request_code(actor, seat.pk)
        guest = seat.participation.guest
        return Response(
            {
                "sent_to": masked(guest.contact) if guest else "",
                "expires_seconds": int(verify.CODE_LASTS.total_seconds()),
                "resend_after_seconds": int(verify.RESEND_AFTER.total_seconds()),
            }
        )


class CodeForm(serializers.Serializer):  # type: ignore[type-arg]
    code = serializers.CharField(max_length=20)


@door(Verb.GUEST_VERIFY)
class CheckCode(_Visit):
    """POST {code} → this device holds the place from now on."""

    throttle_scope = "code"

    def post(self, request: Request, meeting_id: UUID) -> Response:
        form = CodeForm(data=request.data)
        form.is_valid(raise_exception=True)
        actor, seat = self.seat(request, meeting_id, Verb.GUEST_VERIFY)
        verify.verify_code(actor, seat.pk, form.validated_data["code"])
        return Response({"verified": True})


class TicketForm(serializers.Serializer):  # type: ignore[type-arg]
    purpose = serializers.ChoiceField(choices=["wait", "join"])
    takeover = serializers.BooleanField(default=False)


@door(Verb.ROOM_JOIN)
class Ticket(_Visit):
    """POST {purpose} → {ticket, expires_seconds} for one socket, once.

    A host without a seat on this browser sits down here, on the cookie that the room's page set;
    ``takeover`` lets them take the seat back from another device.
    """

    throttle_scope = "ticket"

    def post(self, request: Request, meeting_id: UUID) -> Response:
        form = TicketForm(data=request.data)
        form.is_valid(raise_exception=True)
        actor, meeting, seat = self.here(request, meeting_id)
        if meeting.is_hosted_by(actor):
            takeover = form.validated_data["takeover"]
            seat = self._host_seat(request, meeting, actor, seat, takeover=takeover)
        elif seat is None:
            actor, seat = self.seat(request, meeting_id, Verb.ROOM_JOIN)
        issue = enter.wait_ticket if form.validated_data["purpose"] == "wait" else enter.join_ticket
        return Response({"ticket": issue(actor, seat), "expires_seconds": tickets.TICKET_SECONDS})

    def _host_seat(
        self,
        request: Request,
        meeting: Meeting,
        actor: Actor,
        seat: Seat | None,
        *,
        takeover: bool,
    ) -> Seat:
        """The host's seat on this browser; taken now if there is none, or taken back if asked."""
        if seat is not None and (seat.state == SeatState.CURRENT or not takeover):
            return seat
        secret = seats.secret_of(request.COOKIES, meeting.pk)
        if secret is None:
            refusal = ConsiliumError("seat_unknown")
            gate.record_refusal(actor, Verb.ROOM_JOIN, refusal, meeting)
            raise refusal
        return enter.take_host_seat(actor, meeting.pk, secret)


def _http(request: Request) -> HttpRequest:
    return request._request  # noqa: SLF001 - DRF's documented way to the request it wraps

"""The one registry of errors that leave the house.

Each problem has a stable code (part of the protocol: never reused, retired ones stay as
comments), the HTTP status and WebSocket close code it maps to, and an English sentence for the
person who reads it. Doors translate the sentence; machines read the code. RFC 9457 answers and
``error`` messages are both made from this table.

WebSocket close codes 4000–4999 are private use (RFC 6455 section 7.4.2); ours are 4000 + a number
that never changes meaning. 1008, 1009 and 1013 keep their registered meaning.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One way to be refused or to fail: what machines and people are told."""

    code: str
    status: int
    close_code: int
    text: str


class ConsiliumError(Exception):
    """Carries one registered problem. ``detail`` may add what to do; never personal data.

    ``recorded``: the trail has this refusal already, so that it is written once, by whoever knew
    most, and by the door when nobody did.
    """

    recorded = False

    def __init__(self, code: str, detail: str = "") -> None:
        self.problem = PROBLEMS[code]
        self.detail = detail
        super().__init__(code if not detail else f"{code}: {detail}")

    @property
    def code(self) -> str:
        return self.problem.code


def _(text: str) -> str:
    """Marks a sentence for the translation catalogues; doors translate it when they send it."""
    return text


_ALL = (
    # Who are you?
    Problem("sign_in_required", 401, 4001, _("Please sign in to continue.")),
    Problem(
        "second_factor_required", 403, 4002, _("Please confirm with your second factor first.")
    ),
    Problem("not_permitted", 403, 4003, _("You are not permitted to do this.")),
    Problem("not_found", 404, 4004, _("We cannot show you this page.")),
    Problem("wrong_state", 409, 4005, _("This is not possible any more, or not yet.")),
    Problem("form_invalid", 400, 4006, _("Something in what was sent is missing or wrong.")),
    Problem(
        "cross_site",
        403,
        4007,
        _("This did not come from our own page. Please reload the page and try again."),
    ),
    Problem("try_later", 503, 1013, _("We are busy right now. Please try again in a moment.")),
    Problem(
        "too_many_attempts", 429, 4008, _("Too many attempts. Please wait a little and try again.")
    ),
    # Invitations and verification
    Problem(
        "invitation_unknown",
        404,
        4010,
        _("This invitation is not valid. Please ask for a new one."),
    ),
    Problem(
        "invitation_expired", 410, 4011, _("This invitation has expired. Please ask for a new one.")
    ),
    Problem(
        "invitation_used", 410, 4012, _("This invitation has already been used on another device.")
    ),
    Problem(
        "invitation_revoked",
        410,
        4013,
        _("This invitation was withdrawn. Please ask for a new one."),
    ),
    Problem("code_wrong", 403, 4014, _("That code is not right. Please check it and try again.")),
    Problem("code_expired", 410, 4015, _("That code has expired. Please ask for a new one.")),
    Problem("not_verified", 403, 4016, _("Please confirm who you are first.")),
    Problem("seat_unknown", 401, 4017, _("Please open your invitation again on this device.")),
    # Meetings and admission
    Problem("not_admitted", 403, 4020, _("You have not been let in yet.")),
    Problem("meeting_closed", 410, 4021, _("This meeting is closed.")),
    Problem("meeting_full", 409, 4022, _("This meeting is full.")),
    Problem("removed", 403, 4023, _("You have been removed from this meeting.")),
    Problem(
        "mode_not_allowed", 403, 4024, _("Your organisation does not allow this kind of meeting.")
    ),
    Problem(
        "consent_required",
        403,
        4025,
        _("This call is being recorded. Please say first whether you agree."),
    ),
    Problem(
        "consent_text_changed", 409, 4026, _("The question has changed. Please read it again.")
    ),
    Problem("consent_not_asked", 409, 4027, _("There is nothing to agree to at the moment.")),
    Problem("recording_not_here", 409, 4028, _("This kind of meeting cannot be recorded.")),
    Problem("recording_asked", 409, 4029, _("A recording was asked for already, or is running.")),
    Problem("recording_held", 409, 4044, _("This recording is on hold and must be kept.")),
    Problem(
        "second_factor_stale",
        403,
        4060,
        _("Please confirm with a code of your authenticator app once more."),
    ),
    Problem(
        "playing_not_allowed",
        403,
        4061,
        _("Your organisation lets only compliance officers look at this recording."),
    ),
    Problem("reason_missing", 400, 4062, _("Please say why, in up to 500 characters.")),
    Problem("viewing_over", 410, 4063, _("This viewing is over.")),
    Problem(
        "recording_damaged",
        502,
        4064,
        _("A part of this recording is damaged. What is damaged is not shown."),
    ),
    # Tickets and sockets
    Problem("ticket_invalid", 401, 4030, _("This page needs to connect again.")),
    Problem(
        "ticket_expired", 401, 4031, _("This page waited too long and needs to connect again.")
    ),
    Problem("ticket_spent", 401, 4032, _("This page is already connected.")),
    Problem("ticket_purpose", 403, 4033, _("That ticket was made for something else.")),
    Problem(
        "taken_over",
        409,
        4034,
        _("You joined from another device. This one has been disconnected."),
    ),
    Problem("hello_required", 400, 4035, _("The connection was not opened properly.")),
    Problem("version_unknown", 400, 4036, _("This page is out of date. Please reload it.")),
    Problem("message_too_large", 413, 1009, _("A message was too large.")),
    Problem("message_malformed", 400, 1008, _("A message could not be understood.")),
    Problem("message_unknown", 400, 1008, _("A message of an unknown kind was sent.")),
    Problem("message_rate", 429, 1008, _("Too many messages were sent at once.")),
    Problem("socket_silent", 408, 4037, _("The connection went silent.")),
    # Media
    Problem("sdp_refused", 400, 4040, _("The browser's media description was refused.")),
    Problem("candidate_refused", 400, 4041, _("A network candidate was refused.")),
    Problem("no_media_worker", 503, 4042, _("The media server is not reachable. We keep trying.")),
    Problem(
        "relay_missing",
        503,
        4043,
        _("This meeting hides network addresses, but no relay is set up."),
    ),
    # Media workers
    Problem("worker_unknown", 401, 4050, _("This media worker is not enrolled.")),
    Problem("enrolment_refused", 403, 4051, _("This enrolment code is not valid.")),
    Problem("recording_unknown", 404, 4053, _("There is no such recording to ship.")),
    Problem("segment_malformed", 400, 4054, _("This is not a segment of this recording.")),
    Problem("segment_conflict", 409, 4055, _("Other bytes were taken under this number.")),
    Problem("segment_out_of_turn", 409, 4056, _("Another segment comes first.")),
    Problem("assertion_spent", 401, 4052, _("This proof of identity was used before.")),
)

PROBLEMS: dict[str, Problem] = {problem.code: problem for problem in _ALL}

#: Codes by which the WebSocket itself ends a connection (RFC 6455 section 7.4.1), and which problem
#: that is: a breach of the protocol, text that is no UTF-8, a message beyond any size.
FAILED_BY_THE_SOCKET = {
    1002: "message_malformed",
    1007: "message_malformed",
    1009: "message_too_large",
}

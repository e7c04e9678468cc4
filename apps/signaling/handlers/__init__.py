"""One handler for each message, each with its verb or PUBLIC and a reason.

A handler is a plain function run in a database thread: it calls one action and returns what is to
be sent, to whom. The consumer sends it. ``HANDLERS`` is walked by a test against the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from access.doors import Door, Public
from access.verbs import Verb
from foundation.wire import browser as wire
from foundation.wire.message import Message
from signaling.handlers import hosting, media, presence, recording
from signaling.hello import Connection
from signaling.outgoing import Outgoing

Handler = Callable[[Connection, Any], Outgoing]


@dataclass(frozen=True, slots=True)
class Handled:
    door: Door
    handler: Handler
    purposes: frozenset[wire.Purpose] = field(
        default_factory=lambda: frozenset({wire.Purpose.JOIN})
    )


_BOTH = frozenset(wire.Purpose)

HANDLERS: dict[type[Message], Handled] = {
    wire.Admit: Handled(Verb.GUEST_ADMIT, hosting.admit),
    wire.AskRecording: Handled(Verb.RECORDING_ASK, recording.ask),
    wire.Candidate: Handled(Verb.MEDIA_CONNECT, media.candidate),
    wire.Decline: Handled(Verb.GUEST_DECLINE, hosting.decline),
    wire.Describe: Handled(Verb.MEDIA_CONNECT, media.describe),
    wire.EndMeeting: Handled(Verb.MEETING_END, hosting.end_meeting),
    wire.GiveConsent: Handled(Verb.CONSENT_GIVE, recording.give_consent, _BOTH),
    wire.HandOverRecording: Handled(Verb.RECORDING_HAND_OVER, recording.hand_over),
    wire.Hello: Handled(Verb.ROOM_JOIN, presence.hello_again, _BOTH),
    wire.Leave: Handled(Verb.ROOM_LEAVE, presence.leave, _BOTH),
    wire.PauseRecording: Handled(Verb.RECORDING_PAUSE, recording.pause),
    wire.Ping: Handled(
        Public("answers only the socket that asked, after its hello"), presence.ping, _BOTH
    ),
    wire.RefuseConsent: Handled(Verb.CONSENT_REFUSE, recording.refuse_consent, _BOTH),
    wire.Remove: Handled(Verb.PARTICIPANT_REMOVE, hosting.remove),
    wire.RestartMedia: Handled(Verb.MEDIA_CONNECT, media.restart),
    wire.ResumeRecording: Handled(Verb.RECORDING_RESUME, recording.resume),
    wire.Sources: Handled(Verb.MEDIA_PUBLISH, presence.sources),
    wire.StopRecording: Handled(Verb.RECORDING_STOP, recording.stop),
    wire.TakeBackRecording: Handled(Verb.RECORDING_TAKE_BACK, recording.take_back),
    wire.WithdrawConsent: Handled(Verb.CONSENT_WITHDRAW, recording.withdraw_consent),
}

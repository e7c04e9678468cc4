"""Messages about a recording: the host's and the keeper's, and everybody's own consent."""

from __future__ import annotations

from uuid import UUID

from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from meetings.actions import consent
from recordings.actions import ask as asking
from recordings.actions import capture
from signaling.handlers.acting import acting
from signaling.hello import Connection
from signaling.outgoing import NOTHING, Outgoing


def ask(connection: Connection, message: wire.AskRecording) -> Outgoing:
    asking.ask(
        acting(connection),
        connection.meeting_id,
        connection.participation_id,
        others_in_room=message.others_in_room,
        who=message.who,
    )
    return NOTHING


def take_back(connection: Connection, message: wire.TakeBackRecording) -> Outgoing:
    asking.take_back(acting(connection), _recording(connection))
    return NOTHING


def pause(connection: Connection, message: wire.PauseRecording) -> Outgoing:
    capture.pause(acting(connection), _recording(connection))
    return NOTHING


def resume(connection: Connection, message: wire.ResumeRecording) -> Outgoing:
    capture.resume(acting(connection), _recording(connection))
    return NOTHING


def stop(connection: Connection, message: wire.StopRecording) -> Outgoing:
    capture.stop(acting(connection), _recording(connection))
    return NOTHING


def hand_over(connection: Connection, message: wire.HandOverRecording) -> Outgoing:
    capture.hand_over(acting(connection), _recording(connection), message.participation)
    return NOTHING


def give_consent(connection: Connection, message: wire.GiveConsent) -> Outgoing:
    consent.give(acting(connection), connection.participation_id, message.text)
    return NOTHING


def refuse_consent(connection: Connection, message: wire.RefuseConsent) -> Outgoing:
    consent.refuse(acting(connection), connection.participation_id, message.text)
    return NOTHING


def withdraw_consent(connection: Connection, message: wire.WithdrawConsent) -> Outgoing:
    consent.withdraw(acting(connection), connection.participation_id)
    return NOTHING


def _recording(connection: Connection) -> UUID:
    """The one of this meeting that is asked for or runs. Refused: ``wrong_state`` without one."""
    recording = asking.active(connection.meeting_id)
    if recording is None:
        raise ConsiliumError("wrong_state")
    return recording.pk

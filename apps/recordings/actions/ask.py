"""Asking to record. It begins by itself when everybody in the call has agreed."""

from __future__ import annotations

from uuid import UUID, uuid4

from access import gate
from access.actions import action
from access.verbs import Verb
from audit import trail
from audit.clock import database_now
from foundation.actor import Actor, service
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode
from meetings import consents
from meetings.actions import consent
from meetings.events import ConsentGiven, ConsentRefused
from meetings.lifecycle import next_state
from meetings.models import Meeting, Participation
from meetings.rooms import room_changed
from recordings import orders, policies
from recordings.lifecycle import ACTIVE, RECORDING, RecordingState
from recordings.models import Attestation, Recording
from vault import recording_keys

#: Who acts when the last one has agreed.
_BY_ITSELF = service("recordings")


def ask(
    actor: Actor, meeting_id: UUID, participation_id: UUID, *, others_in_room: int, who: str = ""
) -> Recording:
    """Ask everybody in the call to agree, the asker too, who attests who else is in their room.

    ``who`` is in the asker's own words: it may name people and stands sealed beside the trail.

    Refused: ``recording_not_here`` (by the organisation's policy, or this kind of meeting),
    ``recording_asked``
    (one is asked for or runs), and what the gate says.
    """
    with action(actor, Verb.RECORDING_ASK, Meeting.objects.filter(pk=meeting_id)) as act:
        meeting: Meeting = act.subject
        policy = policies.current(meeting.organisation_id)
        if meeting.mode != Mode.GOVERNED or not policy.may_record:
            raise ConsiliumError("recording_not_here")
        if active(meeting_id) is not None:
            raise ConsiliumError("recording_asked")
        place = Participation.objects.get(pk=participation_id, meeting=meeting)
        question = uuid4()
        recording = Recording.objects.create(
            pk=question,
            organisation_id=meeting.organisation_id,
            meeting=meeting,
            asked_by=place,
            keeper=place,
            text=consent.ask(meeting, question),
            policy=policy,
        )
        Attestation.objects.create(
            organisation_id=meeting.organisation_id,
            recording=recording,
            by=place,
            others=others_in_room,
            at=database_now(),
        )
        act.details |= {
            "recording": str(recording.pk),
            "text": recording.text.sha256,
            "others_in_room": others_in_room,
        }
        if others_in_room and who.strip():
            act.personal["in_the_room"] = who.strip()
        return recording


def active(meeting_id: UUID) -> Recording | None:
    """The recording that is asked for or runs in this meeting."""
    return (
        Recording.objects.filter(meeting_id=meeting_id, state__in=ACTIVE)
        .select_related("meeting", "keeper", "text", "policy")
        .first()
    )


def locked(meeting_id: UUID) -> Recording | None:
    """As ``active``, and others wait until this transaction ends before they look at it.

    Whoever answers has to look under this lock at what others answered. Of two last ones who agree
    at once neither would see the other, and it would never begin; and it would begin over somebody
    who changes their mind at that moment.
    """
    # Evaluated for its lock. What is read afterwards is as whoever held it has left it.
    bool(Recording.objects.select_for_update().filter(meeting_id=meeting_id, state__in=ACTIVE))
    return active(meeting_id)


def take_back(actor: Actor, recording_id: UUID) -> None:
    """Whoever asked asks no more, before it began."""
    recordings = Recording.objects.filter(pk=recording_id)
    with action(actor, Verb.RECORDING_TAKE_BACK, recordings) as act:
        abandon(act.subject, "taken_back")
        act.details |= {"to": RecordingState.ABANDONED.value}


def somebody_agreed(news: ConsentGiven) -> None:
    """The last one begins the recording; one who comes later is recorded from now on."""
    recording = locked(news.meeting_id)
    if recording is None:
        return
    if recording.state == RecordingState.ASKED:
        begin_if_agreed(recording)
    else:
        orders.record(recording)


def somebody_refused(news: ConsentRefused) -> None:
    """One who does not agree is enough. While it runs, they just do not come in."""
    recording = locked(news.meeting_id)
    if recording is not None and recording.state == RecordingState.ASKED:
        abandon(recording, "refused")


def abandon(recording: Recording, why: str) -> None:
    """It will not begin. Expects a transaction."""
    if move(recording, "abandon", ended_at=database_now(), end_reason=why):
        consent.ask_no_more(recording.meeting)
        note(recording, Verb.RECORDING_ABANDON, why=why)


def move(recording: Recording, verb: str, **changes: object) -> bool:
    """Compare-and-set along the lifecycle; false when somebody else was first."""
    to = next_state(RECORDING, recording.state, verb)
    changed = Recording.objects.filter(pk=recording.pk, state=recording.state).update(
        state=to, **changes
    )
    if changed:
        recording.state = to
        for name, value in changes.items():
            setattr(recording, name, value)
    return bool(changed)


def note(recording: Recording, verb: Verb, **details: object) -> None:
    """Put on the trail what happened by itself, in the transaction of what caused it."""
    gate.check(_BY_ITSELF, verb, recording)
    trail.record(
        _BY_ITSELF,
        verb.value,
        trail.Outcome.DONE,
        subject=recording.trail_name,
        organisation_id=recording.organisation_id,
        details=details,
    )


def begin_if_agreed(recording: Recording) -> None:
    """Keys, the order, and nobody enters unasked any more; once everybody in the call agreed."""
    if consents.unanswered(recording.meeting) or not consents.agreed(recording.meeting):
        return
    if not move(recording, "begin", started_at=database_now()):
        return
    recording.public_key = recording_keys.make(recording.organisation_id, recording.pk)
    recording.save(update_fields=["public_key"])
    consent.need_to_enter(recording.meeting)
    orders.record(recording)
    note(recording, Verb.RECORDING_BEGIN, text=recording.text.sha256)
    room_changed(recording.meeting)

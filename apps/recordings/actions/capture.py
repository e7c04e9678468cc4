"""While it records: pausing, handing over, withdrawing, and every way to end."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from media.events import RecordingReported, RoomLeased
from meetings import consents
from meetings.actions import consent
from meetings.events import ConsentWithdrawn, MeetingEnded, PlaceEnded
from meetings.lifecycle import PlaceState, next_state
from meetings.models import Participation
from meetings.presence import SEEN_LASTS
from meetings.rooms import room_changed
from recordings import orders
from recordings.actions.ask import abandon, active, begin_if_agreed, locked, move, note
from recordings.lifecycle import ACTIVE, RECORDING, TAKES_SEGMENTS, RecordingState
from recordings.models import Recording

#: A page counts as there for ``SEEN_LASTS`` after it was seen; its keeper has as long again to
#: come back. Less would end recordings when the web process is started anew.
KEEPER_IS_MISSED_FOR = 2 * SEEN_LASTS


def pause(actor: Actor, recording_id: UUID) -> None:
    """Take nothing of anybody until ``resume``."""
    with action(actor, Verb.RECORDING_PAUSE, Recording.objects.filter(pk=recording_id)) as act:
        recording: Recording = act.subject
        act.move(recording, next_state(RECORDING, recording.state, "pause"))
        orders.pause(recording)
        room_changed(recording.meeting)


def resume(actor: Actor, recording_id: UUID) -> None:
    """Go on with everybody who agreed."""
    with action(actor, Verb.RECORDING_RESUME, Recording.objects.filter(pk=recording_id)) as act:
        recording: Recording = act.subject
        act.move(recording, next_state(RECORDING, recording.state, "resume"))
        orders.record(recording)
        orders.resume(recording)
        room_changed(recording.meeting)


def stop(actor: Actor, recording_id: UUID) -> None:
    """End it; the media worker ships what it still holds."""
    with action(actor, Verb.RECORDING_STOP, Recording.objects.filter(pk=recording_id)) as act:
        recording: Recording = act.subject
        to = next_state(RECORDING, recording.state, "stop")
        act.move(recording, to, ended_at=database_now(), end_reason="stopped")
        _over(recording, "stopped")


def hand_over(actor: Actor, recording_id: UUID, to: UUID) -> None:
    """Another person in the call keeps it from now on: a host, or one who belongs to the staff.

    Refused: ``not_found`` for somebody who is not in the call or is a guest.
    """
    with action(actor, Verb.RECORDING_HAND_OVER, Recording.objects.filter(pk=recording_id)) as act:
        recording: Recording = act.subject
        heir = Participation.objects.filter(
            pk=to,
            meeting_id=recording.meeting_id,
            state=PlaceState.ADMITTED,
            person__isnull=False,
            socket__isnull=False,
        ).first()
        if heir is None:
            raise ConsiliumError("not_found")
        Recording.objects.filter(pk=recording.pk).update(keeper=heir)
        act.details |= {"participation": str(heir.pk)}
        room_changed(recording.meeting)


def somebody_withdrew(news: ConsentWithdrawn) -> None:
    """Nothing more of them is taken. A question that waits for everybody has its answer."""
    recording = locked(news.meeting_id)
    if recording is None:
        return
    if recording.state == RecordingState.ASKED:
        abandon(recording, "refused")
        return
    orders.withdraw(recording, news.participation_id)
    note(recording, Verb.RECORDING_SPARE, participation=str(news.participation_id))
    if not consents.agreed(recording.meeting):
        end(recording, "withdrawn")


def somebody_left(news: PlaceEnded) -> None:
    """The keeper's leaving ends it. Another device that takes over is no leaving."""
    recording = locked(news.meeting_id)
    if recording is None:
        return
    if news.participation_id == recording.keeper_id:
        state = Participation.objects.values_list("state", flat=True).get(pk=recording.keeper_id)
        if state != PlaceState.ADMITTED:
            end(recording, "starter_left")
    elif recording.state == RecordingState.ASKED:
        begin_if_agreed(recording)  # perhaps only they had not answered yet


def end_unkept() -> None:
    """What the beat does: ends each recording whose keeper's connection died and stayed away.

    A reload, another device and a short interruption are no leaving.
    """
    for recording_id in _unkept().values_list("pk", flat=True):
        with transaction.atomic(durable=True):
            # Looked at again under the row's lock: it may have been handed over meanwhile.
            still = _unkept().select_for_update(of=("self",)).filter(pk=recording_id)
            recording = still.select_related("meeting", "keeper").first()
            if recording is not None:
                end(recording, "starter_left")


def _unkept() -> QuerySet[Recording]:
    long_ago = database_now() - KEEPER_IS_MISSED_FOR
    return Recording.objects.filter(
        Q(keeper__seen_at__isnull=True) | Q(keeper__seen_at__lt=long_ago), state__in=ACTIVE
    )


def meeting_ended(news: MeetingEnded) -> None:
    recording = locked(news.meeting_id)
    if recording is not None:
        end(recording, "meeting_ended")


def order_again(news: RoomLeased) -> None:
    """A worker that carries the room may know nothing of the recording: it is told each time."""
    recording = active(news.meeting_id)
    if recording is not None and recording.state != RecordingState.ASKED:
        orders.record(recording)


def worker_reported(news: RecordingReported) -> None:
    """Screens say how it really goes, and the trail has what went wrong."""
    recording = (
        Recording.objects.filter(
            pk=news.recording_id, meeting_id=news.meeting_id, state__in=TAKES_SEGMENTS
        )
        .select_related("meeting", "keeper")
        .first()
    )
    said = (news.state, news.reason)
    if recording is None or (recording.worker_state, recording.worker_reason) == said:
        return
    Recording.objects.filter(pk=recording.pk).update(
        worker_state=news.state, worker_reason=news.reason
    )
    if news.state == "failed" or news.reason == "spool_full":
        note(recording, Verb.RECORDING_FALTER, run=str(news.run_id or ""), reason=news.reason)
    room_changed(recording.meeting)


def end(recording: Recording, why: str) -> None:
    """It ends by itself. Expects a transaction."""
    if recording.state == RecordingState.ASKED:
        abandon(recording, why)
    elif move(recording, "stop", ended_at=database_now(), end_reason=why):
        _over(recording, why)
        note(recording, Verb.RECORDING_END, why=why)


def _over(recording: Recording, why: str) -> None:
    orders.stop(recording, why)
    consent.ask_no_more(recording.meeting)

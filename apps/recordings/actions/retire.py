"""The end of a recording: on its date, unless a hold stands; first its keys, then its bytes.

A hold and the end lock the same row: whichever comes first, the other sees it. What is locked in
the storage stays there as ciphertext that opens for nobody, and is removed when its lock ends.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor, service
from foundation.blobs import BlobLocked
from foundation.errors import ConsiliumError
from meetings.lifecycle import next_state
from recordings.lifecycle import RECORDING, RecordingState
from recordings.models import Hold, Recording
from recordings.storage import blobs, folder
from vault import recording_keys

RETIRER = service("retention")

MAX_REASON_CHARS = 500


def hold(actor: Actor, recording_id: UUID, reason: str) -> Hold:
    """Nothing of it is destroyed until the hold is released. Refused: ``form_invalid``."""
    with action(actor, Verb.RECORDING_HOLD, Recording.objects.filter(pk=recording_id)) as act:
        if not 0 < len(reason.strip()) <= MAX_REASON_CHARS:
            raise ConsiliumError("form_invalid")
        assert actor.id is not None, "an officer is a person"
        placed = Hold.objects.create(
            organisation_id=act.subject.organisation_id,
            recording=act.subject,
            placed_by_id=actor.id,
            reason=reason.strip(),
            placed_at=database_now(),
        )
        act.details |= {"hold": str(placed.pk)}
        return placed


def release(actor: Actor, hold_id: UUID) -> None:
    """From now on its date counts again. Refused: ``wrong_state`` when it was released before."""
    with action(actor, Verb.RECORDING_RELEASE, Recording.objects.filter(holds=hold_id)) as act:
        released = Hold.objects.filter(pk=hold_id, released_at__isnull=True).update(
            released_at=database_now(), released_by_id=actor.id
        )
        if not released:
            raise ConsiliumError("wrong_state")
        act.details |= {"hold": str(hold_id)}


def retire() -> None:
    """What the beat does: ends what has come to its date, and removes what may be removed."""
    due = Recording.objects.filter(
        state=RecordingState.STORED, delete_after__lte=database_now()
    ).filter(~Exists(_holds()))
    for recording_id in due.values_list("pk", flat=True):
        shred(recording_id)
    for recording in Recording.objects.filter(state=RecordingState.SHREDDED):
        remove(recording)


def shred(recording_id: UUID) -> bool:
    """Destroy its keys, if its date has come and no hold stands; whether it did."""
    with action(RETIRER, Verb.RECORDING_SHRED, Recording.objects.filter(pk=recording_id)) as act:
        recording: Recording = act.subject
        # Looked at again under the row's lock: a hold may have been placed meanwhile.
        if recording.holds.filter(released_at__isnull=True).exists():
            raise ConsiliumError("recording_held")
        if recording.delete_after is None or recording.delete_after > database_now():
            raise ConsiliumError("wrong_state")
        act.move(recording, next_state(RECORDING, recording.state, "shred"))
        destroyed = recording_keys.shred(recording.pk)
        act.details |= {"policy": recording.policy.version}
        return destroyed


def remove(recording: Recording) -> bool:
    """Remove what the storage still has; false while a lock holds any of it."""
    store = blobs()
    for name in list(store.names(f"{folder(recording.organisation_id, recording.pk)}/")):
        try:
            store.delete(name)
        except BlobLocked:
            return False
    with action(RETIRER, Verb.RECORDING_REMOVE, Recording.objects.filter(pk=recording.pk)) as act:
        act.move(act.subject, next_state(RECORDING, act.subject.state, "remove"))
    return True


def _holds() -> QuerySet[Hold]:
    return Hold.objects.filter(recording=OuterRef("pk"), released_at__isnull=True)

"""What keeps a recording from being kept or seen: on its row while it lasts, on the trail when it
begins and ends.

Nothing is lost by a storage that is away: segments wait in the media worker's spool, and films are
made once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from access.verbs import Verb
from audit.clock import database_now
from foundation.blobs import BlobsRefused, BlobsUnavailable
from foundation.sealing.errors import Refused
from meetings.rooms import room_changed
from recordings.actions.ask import note
from recordings.models import Recording

STORAGE_AWAY = "storage_away"
STORAGE_REFUSES = "storage_refuses"
NOT_SOUND = "not_sound"


@contextmanager
def of_storage(recording: Recording) -> Iterator[None]:
    """The storage is used for ``recording``: if it fails, its row says since when, until it does
    not. Not inside a transaction.
    """
    try:
        yield
    except (BlobsUnavailable, BlobsRefused) as problem:
        refuses = isinstance(problem, BlobsRefused)
        _storage_fails(recording, STORAGE_REFUSES if refuses else STORAGE_AWAY)
        raise
    if recording.storage_trouble_since is not None:
        _storage_answers(recording)


def refuse_segments(recording: Recording, refusal: Refused) -> None:
    """Its segments are not what was taken: it stays unsealed and says why, once on the trail."""
    said = str(refusal)
    with transaction.atomic():
        changed = (
            Recording.objects.filter(pk=recording.pk)
            .exclude(seal_refusal=said)
            .update(seal_refusal=said, trouble=NOT_SOUND)
        )
        if changed:
            note(recording, Verb.RECORDING_FALTER, reason=refusal.name, **refusal.where)


def damaged(recording: Recording) -> None:
    """What was stored does not read back any more. The refusal to show it is on the trail."""
    Recording.objects.filter(pk=recording.pk).update(trouble=NOT_SOUND)


def _storage_fails(recording: Recording, word: str) -> None:
    mine = Recording.objects.filter(pk=recording.pk)
    with transaction.atomic():
        mine.exclude(trouble=NOT_SOUND).update(trouble=word)
        if mine.filter(storage_trouble_since=None).update(storage_trouble_since=database_now()):
            _tell(recording, "storage_fails")


def _storage_answers(recording: Recording) -> None:
    mine = Recording.objects.filter(pk=recording.pk)
    with transaction.atomic():
        mine.exclude(trouble=NOT_SOUND).update(trouble="")
        if mine.exclude(storage_trouble_since=None).update(storage_trouble_since=None):
            _tell(recording, "storage_answers")
    recording.storage_trouble_since = None


def _tell(recording: Recording, reason: str) -> None:
    recording.refresh_from_db(fields=["state"])
    note(recording, Verb.RECORDING_FALTER, reason=reason)
    room_changed(recording.meeting)

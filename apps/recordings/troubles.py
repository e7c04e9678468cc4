"""What keeps a recording from being stored or played at the moment: seen, noted, and forgotten.

A trouble counts while it is seen again and again; whoever is past it says nothing more of it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from audit.clock import database_now
from foundation.blobs import BlobsError, BlobsRefused
from foundation.sealing.errors import Refused
from recordings.models import Recording

STORAGE_AWAY = "storage_away"
STORAGE_REFUSES = "storage_refuses"
NOT_SOUND = "not_sound"

#: Who makes films tries again a minute after a failure, and the storage may take a minute to fail.
LASTS = timedelta(minutes=3)

Trouble = BlobsError | Refused


def note(recording_id: UUID, problem: Trouble) -> None:
    """Screens say so from now on."""
    Recording.objects.filter(pk=recording_id).update(
        trouble=_word(problem), trouble_at=database_now()
    )


def forget(recording_id: UUID) -> None:
    Recording.objects.filter(pk=recording_id).exclude(trouble="").update(
        trouble="", trouble_at=None
    )


def now(recording: Recording) -> str:
    """The trouble there is; empty without one."""
    if recording.trouble_at is None or recording.trouble_at < database_now() - LASTS:
        return ""
    return recording.trouble


def _word(problem: Trouble) -> str:
    if isinstance(problem, Refused):
        return NOT_SOUND
    return STORAGE_REFUSES if isinstance(problem, BlobsRefused) else STORAGE_AWAY

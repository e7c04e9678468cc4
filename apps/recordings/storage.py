"""Where recordings lie, and what their blobs are called: ids alone."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from foundation.blobs import Blobs, BlobsUnavailable
from foundation.blobs.opening import blobs_from

log = logging.getLogger(__name__)

#: No upload takes this long; what is older was left by a process that died. Shorter, a slow one
#: could lose its parts under its hands.
ABANDONED_AFTER = timedelta(hours=24)


@lru_cache(maxsize=1)
def blobs() -> Blobs:
    """The configured storage, opened once in a process."""
    return configured()


def configured() -> Blobs:
    """The storage as the settings say now. Nothing is contacted."""
    return blobs_from(settings.STORAGE_URL, **settings.STORAGE_KEYS, authority=settings.STORAGE_CA)


def forget_abandoned_uploads() -> int:
    """What the beat does: removes what interrupted uploads have left; returns how many.

    A storage that is away is said and looked at again the next time.
    """
    try:
        return blobs().forget_abandoned(ABANDONED_AFTER)
    except BlobsUnavailable as problem:
        log.warning("interrupted uploads could not be looked for: %s", problem)
        return 0


def segment_name(organisation_id: UUID, recording_id: UUID, run_id: UUID, sequence: int) -> str:
    return f"{folder(organisation_id, recording_id)}/segments/{run_id}/{sequence:08d}"


def film_name(organisation_id: UUID, recording_id: UUID, film_id: UUID) -> str:
    return f"{folder(organisation_id, recording_id)}/films/{film_id}"


def manifest_name(organisation_id: UUID, recording_id: UUID) -> str:
    return f"{folder(organisation_id, recording_id)}/manifest.json"


def segments_prefix(organisation_id: UUID, recording_id: UUID) -> str:
    return f"{folder(organisation_id, recording_id)}/segments/"


def folder(organisation_id: UUID, recording_id: UUID) -> str:
    """Everything of a recording lies below this."""
    return f"recordings/{organisation_id}/{recording_id}"

"""Where recordings lie, and what their blobs are called: ids alone."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.conf import settings

from foundation.blobs import Blobs
from foundation.blobs.opening import blobs_from


@lru_cache(maxsize=1)
def blobs() -> Blobs:
    """The configured storage, opened once in a process."""
    return configured()


def configured() -> Blobs:
    """The storage as the settings say now. Nothing is contacted."""
    return blobs_from(settings.STORAGE_URL, **settings.STORAGE_KEYS, authority=settings.STORAGE_CA)


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

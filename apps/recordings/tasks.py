"""What Celery does for recordings."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from recordings.actions import capture, store
from recordings.actions import retire as retirement
from recordings.storage import forget_abandoned_uploads


@door(Verb.RECORDING_SEAL)
@shared_task(name="recordings.advance", ignore_result=True)
def advance() -> None:
    store.advance()


@door(Verb.RECORDING_SEAL)
@shared_task(name="recordings.make_films", ignore_result=True)
def make_films(recording_id: str) -> None:
    store.make_films(UUID(recording_id))


@door(Verb.RECORDING_STORE)
@shared_task(name="recordings.drop_segments", ignore_result=True)
def drop_segments(recording_id: str) -> None:
    store.drop_segments(UUID(recording_id))


@door(Verb.RECORDING_END)
@shared_task(name="recordings.end_unkept", ignore_result=True)
def end_unkept() -> None:
    capture.end_unkept()


@door(Verb.RECORDING_SHRED)
@shared_task(name="recordings.retire", ignore_result=True)
def retire() -> None:
    retirement.retire()


@door(Verb.RECORDING_STORE)
@shared_task(name="recordings.forget_abandoned_uploads", ignore_result=True)
def forget_abandoned() -> None:
    forget_abandoned_uploads()

"""What Celery does for media workers."""

from __future__ import annotations

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from media.actions import workers


@door(Verb.OUTBOX_SWEEP)
@shared_task(name="media.forget_expired_assertions", ignore_result=True)
def forget_expired_assertions() -> None:
    workers.forget_expired_assertions()

"""The outbox's periodic work; the outbox has no doors of its own."""

from __future__ import annotations

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from outbox import claims, sweeper


@door(Verb.OUTBOX_SWEEP)
@shared_task(name="outbox.sweep", ignore_result=True)
def sweep() -> None:
    sweeper.sweep()


@door(Verb.OUTBOX_SWEEP)
@shared_task(name="outbox.forget_delivered", ignore_result=True)
def forget_delivered() -> None:
    claims.forget_delivered()

"""What Celery does for accounts."""

from __future__ import annotations

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from accounts.sessions import SessionStore


@door(Verb.OUTBOX_SWEEP)
@shared_task(name="accounts.forget_expired_sessions", ignore_result=True)
def forget_expired_sessions() -> None:
    SessionStore.clear_expired()

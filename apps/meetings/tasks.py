"""What Celery does for meetings: ids in, one action, nothing else."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from meetings import mail, tickets
from meetings.actions import plan, verify

#: A mail server that does not answer is tried again; each try mints anew.
_RETRIED = {
    "autoretry_for": (OSError,),
    "retry_backoff": True,
    "max_retries": 5,
    "ignore_result": True,
}


@door(Verb.CODE_MINT)
@shared_task(name="meetings.send_code", **_RETRIED)
def send_code(seat_id: str) -> None:
    """Mint a one-time code and mail it; a repetition mints and mails a fresh one."""
    code = verify.mint_code(UUID(seat_id))
    if code is not None:
        mail.send_code(code)


@door(Verb.INVITATION_MINT)
@shared_task(name="meetings.send_invitation", **_RETRIED)
def send_invitation(participation_id: str) -> None:
    """Mint an invitation of its own and mail it."""
    invitation = plan.mint_invitation(UUID(participation_id))
    if invitation is not None:
        mail.send_invitation(invitation)


@door(Verb.OUTBOX_SWEEP)
@shared_task(name="meetings.forget_expired_tickets", ignore_result=True)
def forget_expired_tickets() -> None:
    tickets.forget_expired()

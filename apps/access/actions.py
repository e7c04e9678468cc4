"""How a change happens: lock, check, change, log, announce; all of it or none.

    with action(actor, Verb.GUEST_ADMIT, Participation.objects.filter(pk=pk)) as act:
        act.move(act.subject, lifecycle.next_state(act.subject.state, "admit"))
        act.publish(...)

The block runs in one transaction. When it ends, the trail has the deed; when it raises, nothing
has happened, and a ``ConsiliumError`` is written to the trail as a refusal after the rollback. No
network or file I/O belongs inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, TypeVar, cast, overload

from django.db import models, transaction

from access import gate
from access.facts import Subject
from access.verbs import Verb
from audit import trail
from foundation.actor import Actor
from foundation.errors import ConsiliumError
from outbox.publishing import publish

S = TypeVar("S")
M = TypeVar("M", bound=models.Model)


class Act(Generic[S]):
    """One change under way: its locked subject, and what will be written about it."""

    def __init__(self, actor: Actor, verb: Verb, subject: S) -> None:
        self.actor = actor
        self.verb = verb
        self.subject = subject
        self.details: dict[str, Any] = {}
        self.personal: dict[str, str] = {}

    def move(self, row: models.Model, to: str, **changes: Any) -> None:
        """Compare-and-set: ``row.state`` from what was read to ``to``, with ``changes``.

        Raises ``ConsiliumError('wrong_state')`` when somebody else moved it first.
        """
        came_from = row.state  # type: ignore[attr-defined]
        rows = type(row)._default_manager  # noqa: SLF001 - Django's documented name
        changed = rows.filter(pk=row.pk, state=came_from).update(state=to, **changes)
        if changed != 1:
            raise ConsiliumError("wrong_state")
        row.state = to  # type: ignore[attr-defined]
        for name, value in changes.items():
            setattr(row, name, value)
        self.details.setdefault("from", str(came_from))
        self.details.setdefault("to", str(to))

    def publish(self, topic: str, payload: dict[str, Any]) -> None:
        """Owe a delivery once this change is committed."""
        publish(topic, cast("Subject", self.subject).trail_organisation_id, payload)


@overload
def action(
    actor: Actor,
    verb: Verb,
    subject: models.QuerySet[M],
    *,
    missing: str = ...,
    lock: bool = ...,
) -> AbstractContextManager[Act[M]]: ...


@overload
def action(
    actor: Actor, verb: Verb, subject: S, *, missing: str = ...
) -> AbstractContextManager[Act[S]]: ...


@contextmanager
def action(
    actor: Actor, verb: Verb, subject: Any, *, missing: str = "not_found", lock: bool = True
) -> Iterator[Act[Any]]:
    """Run one change. ``subject`` is a query for one row, which is locked, or a subject as it is.

    ``missing`` is the reason given when the row does not exist. Without ``lock`` it is for the
    block to lock, in the order of all others; its compare-and-set finds what changed meanwhile.
    Raises ``gate.Refusal`` and whatever ``ConsiliumError`` the block raises.
    """
    found: Subject | None = None
    try:
        with transaction.atomic(durable=True):
            if isinstance(subject, models.QuerySet):
                found = (subject.select_for_update() if lock else subject).first()
                if found is None:
                    raise gate.Refusal(missing)
            else:
                found = subject
            gate.check(actor, verb, found)
            act: Act[Any] = Act(actor, verb, found)
            yield act
            trail.record(
                actor,
                verb.value,
                trail.Outcome.DONE,
                subject=found.trail_name,
                organisation_id=found.trail_organisation_id,
                details=act.details,
                personal=act.personal or None,
            )
    except ConsiliumError as refusal:
        gate.record_refusal(actor, verb, refusal, found)
        raise

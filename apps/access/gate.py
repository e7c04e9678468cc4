"""The gate: the only caller of ``policy.decide``. A refusal goes on the trail with its reason."""

from __future__ import annotations

from access.facts import Facts, Named, Subject
from access.floods import floods
from access.policy import Refused, decide
from access.verbs import Verb
from audit import trail
from foundation.actor import Actor, ActorKind
from foundation.errors import ConsiliumError


class Refusal(ConsiliumError):
    """The gate said no. ``code`` is the reason; ``recorded`` whether the trail has it already."""

    def __init__(self, reason: str, *, recorded: bool = False) -> None:
        super().__init__(reason)
        self.recorded = recorded


def check(actor: Actor, verb: Verb, subject: Subject) -> Facts:
    """The facts by which ``actor`` may ``verb`` ``subject``. Raises ``Refusal``, writes nothing.

    For ``access.action`` and for lists; a door calls ``require``.
    """
    facts = subject.facts_for(actor)
    decision = decide(actor, verb, facts)
    if isinstance(decision, Refused):
        raise Refusal(decision.reason)
    return facts


def allows(actor: Actor, verb: Verb, subject: Subject) -> bool:
    """Whether ``actor`` may, for showing or hiding a button. Nothing is recorded."""
    try:
        check(actor, verb, subject)
    except Refusal:
        return False
    return True


def require(actor: Actor, verb: Verb, subject: Subject) -> Facts:
    """Like ``check``, and a refusal is written to the trail. Not inside a transaction."""
    try:
        return check(actor, verb, subject)
    except Refusal as refusal:
        record_refusal(actor, verb, refusal, subject)
        raise


def record_refusal(
    actor: Actor, verb: Verb, refusal: ConsiliumError, subject: Named | None = None
) -> None:
    """Put a refusal on the trail, once. Not inside a transaction that will be rolled back."""
    if refusal.recorded:
        return
    subject_name = subject.trail_name if subject is not None else ""
    organisation_id = subject.trail_organisation_id if subject is not None else None
    # What anybody can cause without end is written up to a number and then counted.
    if actor.kind is ActorKind.ANONYMOUS or refusal.code == "too_many_attempts":
        floods.refused(
            actor,
            verb.value,
            refusal.code,
            subject=subject_name,
            organisation_id=organisation_id,
        )
    else:
        trail.record(
            actor,
            verb.value,
            trail.Outcome.REFUSED,
            reason=refusal.code,
            subject=subject_name,
            organisation_id=organisation_id,
        )
    refusal.recorded = True

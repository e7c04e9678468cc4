"""Enrolling media workers and keeping their presence."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from access import gate
from access.actions import action
from access.facts import Installation
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor, ActorKind, anonymous
from foundation.errors import ConsiliumError
from foundation.wire.worker import ASSERTION_AUDIENCE
from media.actions import paths
from media.groups import tell_worker
from media.models import PRESENCE_LASTS, Enrolment, MediaWorker, SpentAssertion
from vault.sealing import keyed_hash

ENROLMENT_LASTS = timedelta(hours=1)

#: An assertion may be this old; clocks of workers may differ by the leeway.
ASSERTION_SECONDS = 60
LEEWAY_SECONDS = 5


def invite_worker(actor: Actor) -> str:
    """A one-time enrolment code, shown to whoever installs the worker."""
    with action(actor, Verb.WORKER_INVITE, Installation()) as act:
        code = secrets.token_urlsafe(24)
        enrolment = Enrolment.objects.create(
            code_hash=keyed_hash("enrolment", code), expires_at=database_now() + ENROLMENT_LASTS
        )
        act.details |= {"enrolment": str(enrolment.pk)}
        return code


_NOBODY = anonymous()


def enrol(code: str, public_key: str, name: str, asking: Actor = _NOBODY) -> MediaWorker:
    """Turn the code into an identity, once. Refused: ``enrolment_refused``."""
    codes = Enrolment.objects.filter(code_hash=keyed_hash("enrolment", code))
    try:
        OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public_key})
        with action(asking, Verb.WORKER_ENROL, codes, missing="enrolment_refused") as act:
            act.move(act.subject, "used")
            worker = MediaWorker.objects.create(name=name, public_key=public_key)
            act.details |= {"worker": str(worker.pk), "name": name}
            return worker
    except (ValueError, JoseError, IntegrityError) as error:  # the last: the key is a worker's
        raise ConsiliumError("enrolment_refused") from error
    except gate.Refusal as refusal:
        # Why exactly is for the trail alone, and it is there.
        raise gate.Refusal("enrolment_refused", recorded=refusal.recorded) from refusal


def withdraw_worker(actor: Actor, worker_id: UUID) -> MediaWorker:
    """From now on this worker is nobody: its connection ends, its rooms move, it is not let back.

    What it was told before stays with it: a machine in strange hands has heard the calls it
    carried until then.
    """
    with action(actor, Verb.WORKER_WITHDRAW, MediaWorker.objects.filter(pk=worker_id)) as act:
        worker: MediaWorker = act.subject
        act.move(worker, "withdrawn", link=None, present_until=None)
        act.details |= {"name": worker.name}
        tell_worker(worker.pk, "withdrawn")
        paths.leave_worker(worker.pk)
        return worker


def worker_of(
    assertion: str,
    asking: Actor = _NOBODY,
    *,
    audience: str = ASSERTION_AUDIENCE,
    verb: Verb = Verb.WORKER_LINK,
) -> MediaWorker:
    """Who signed the assertion for ``audience``, which is spent by this, in order to ``verb``.

    Refused: ``worker_unknown``, or ``assertion_spent`` for one that was spent before. Both are on
    the trail as ``asking``'s: who replays an assertion need not be the worker.
    """
    claimed = _claimed_issuer(assertion)
    worker = MediaWorker.objects.filter(pk=claimed).first() if claimed else None
    try:
        if worker is None:
            raise ConsiliumError("worker_unknown")
        jti, expires_at = _signed_by(worker, assertion, audience)
        gate.require(actor_of(worker), Verb.WORKER_LINK, worker)
        _spend(jti, expires_at)
    except gate.Refusal:
        raise
    except ConsiliumError as refusal:
        gate.record_refusal(asking, verb, refusal, worker)
        raise
    return worker


def actor_of(worker: MediaWorker) -> Actor:
    return Actor(ActorKind.WORKER, id=worker.pk, name=worker.name)


def begin_presence(worker: MediaWorker, link: UUID, capacity: int) -> None:
    """The worker dialled in on ``link``; an older connection no longer counts."""
    with action(actor_of(worker), Verb.WORKER_LINK, worker) as act:
        MediaWorker.objects.filter(pk=worker.pk).update(
            link=link, capacity=capacity, present_until=database_now() + PRESENCE_LASTS
        )
        act.details |= {"capacity": capacity}


def renew_presence(worker_id: UUID, link: UUID, participants: int, cpu_percent: float) -> bool:
    """Prolong the presence; false when another connection has taken over."""
    return bool(
        MediaWorker.objects.filter(pk=worker_id, link=link).update(
            present_until=database_now() + PRESENCE_LASTS,
            participants=participants,
            cpu_percent=cpu_percent,
        )
    )


def end_presence(worker_id: UUID, link: UUID) -> None:
    """The connection is gone. The worker stays in its rooms until it is known to be lost."""
    MediaWorker.objects.filter(pk=worker_id, link=link).update(link=None, present_until=None)


def lost_workers() -> list[UUID]:
    """Workers with rooms in force whose presence has lapsed."""
    return list(
        MediaWorker.objects.filter(placement__ended_at__isnull=True, placement__isnull=False)
        .filter(Q(present_until__isnull=True) | Q(present_until__lte=database_now()))
        .values_list("pk", flat=True)
        .distinct()
    )


def forget_expired_assertions() -> int:
    """Remove spent assertions that no clock would accept any more; returns how many."""
    # A minute more: a replay must find its row even where two transactions see the time apart.
    passed = database_now() - timedelta(minutes=1)
    count, _ = SpentAssertion.objects.filter(expires_at__lt=passed).delete()
    return count


def _claimed_issuer(assertion: str) -> UUID | None:
    try:
        payload = json.loads(jws.extract_compact(assertion.encode()).payload)
        return UUID(payload["iss"])
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # nothing of it is signed yet: it may be anything


def _signed_by(worker: MediaWorker, assertion: str, audience: str) -> tuple[UUID, datetime]:
    """The assertion's id and its end with the leeway. Refused: ``worker_unknown``."""
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": worker.public_key})
    try:
        claims = jwt.decode(assertion, key, algorithms=["Ed25519"]).claims
        issued, expires = int(claims["iat"]), int(claims["exp"])
        jti = UUID(claims["jti"])
        ends_at = datetime.fromtimestamp(expires + LEEWAY_SECONDS, UTC)
    except (
        *(JoseError, ValueError, KeyError, TypeError, AttributeError),
        *(OverflowError, OSError),  # a time that no calendar has
    ) as error:
        raise ConsiliumError("worker_unknown") from error
    now = database_now()
    if not (
        claims.get("iss") == str(worker.pk)
        and claims.get("aud") == audience
        and expires - issued <= ASSERTION_SECONDS
        and issued - LEEWAY_SECONDS <= now.timestamp()
        and now < ends_at
    ):
        raise ConsiliumError("worker_unknown")
    return jti, ends_at


def _spend(jti: UUID, expires_at: datetime) -> None:
    """Refused: ``assertion_spent``."""
    try:
        with transaction.atomic():
            SpentAssertion.objects.create(jti=jti, expires_at=expires_at)
    except IntegrityError:
        raise ConsiliumError("assertion_spent") from None

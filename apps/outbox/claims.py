"""Claiming owed rows, so that of several relays one delivers each row."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from outbox.models import OutboxRow

BATCH = 100

#: A claim of a process that died is free again after this long. Shorter than a slow delivery
#: takes, rows would be delivered twice (which is allowed, but wasteful).
CLAIM_SECONDS = 10

#: Delivered rows are kept this long for a look at what happened.
KEEP_DELIVERED = timedelta(hours=24)


def owed(*, topics: list[str] | None = None) -> list[int]:
    """Ids of rows that nobody delivers at the moment, oldest first."""
    rows = OutboxRow.objects.filter(delivered_at__isnull=True).filter(
        Q(claimed_at__isnull=True) | Q(claimed_at__lt=Now() - timedelta(seconds=CLAIM_SECONDS))
    )
    if topics is not None:
        rows = rows.filter(topic__in=topics)
    return list(rows.order_by("id").values_list("id", flat=True)[:BATCH])


def claim(ids: list[int], claimer: UUID) -> list[OutboxRow]:
    """Those of ``ids`` that ``claimer`` got, oldest first. Two claimers never get the same row.

    A row that another is claiming at this moment is passed over: waiting for it would be in vain,
    and two who wait for each other would be ended by the database.
    """
    with transaction.atomic():
        rows = list(
            OutboxRow.objects.select_for_update(
                skip_locked=connection.features.has_select_for_update_skip_locked
            )
            .filter(pk__in=ids, delivered_at__isnull=True)
            .filter(
                Q(claimed_at__isnull=True)
                | Q(claimed_at__lt=Now() - timedelta(seconds=CLAIM_SECONDS))
            )
            .order_by("id")
        )
        OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).update(
            claimed_by=claimer, claimed_at=Now(), attempts=F("attempts") + 1
        )
    for row in rows:
        row.claimed_by = claimer
        row.attempts += 1
    return rows


def delivered(ids: list[int]) -> None:
    """Mark rows as arrived."""
    OutboxRow.objects.filter(pk__in=ids).update(delivered_at=Now())


def forget_delivered() -> int:
    """Remove rows delivered long ago; returns how many."""
    count, _ = OutboxRow.objects.filter(delivered_at__lt=Now() - KEEP_DELIVERED).delete()
    return count

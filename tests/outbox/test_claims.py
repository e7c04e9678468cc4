"""Claims: of several relays one delivers each row, and a dead one's rows come free."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from outbox import claims
from outbox.models import OutboxRow
from outbox.publishing import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[int]:
    with transaction.atomic():
        for n in range(5):
            publish("tests", None, {"n": n})
    return claims.owed()


def claimed_long_ago(pk: int) -> None:
    stale = timezone.now() - timedelta(seconds=claims.CLAIM_SECONDS + 1)
    OutboxRow.objects.filter(pk=pk).update(claimed_at=stale)


def test_two_claimers_never_get_one_row(rows):
    first = claims.claim(rows[:3], uuid4())
    second = claims.claim(rows, uuid4())
    assert [row.pk for row in first] == rows[:3]
    assert [row.pk for row in second] == rows[3:]
    assert claims.claim(rows, uuid4()) == []


def test_rows_are_owed_oldest_first_until_claimed(rows):
    assert rows == sorted(rows)
    claims.claim(rows[:2], uuid4())
    assert claims.owed() == rows[2:]


def test_a_stale_claim_comes_free(rows):
    dead, alive = uuid4(), uuid4()
    claims.claim(rows, dead)
    assert claims.owed() == []
    claimed_long_ago(rows[0])
    assert claims.owed() == rows[:1]
    (row,) = claims.claim(rows, alive)
    assert (row.pk, row.claimed_by, row.attempts) == (rows[0], alive, 2)


def test_a_fresh_claim_is_not_taken_over(rows):
    claims.claim(rows, uuid4())
    almost = timezone.now() - timedelta(seconds=claims.CLAIM_SECONDS - 3)
    OutboxRow.objects.update(claimed_at=almost)
    assert claims.owed() == []
    assert claims.claim(rows, uuid4()) == []


def test_delivered_rows_stay_delivered(rows):
    claims.claim(rows, uuid4())
    claims.delivered(rows[:2])
    for pk in rows:
        claimed_long_ago(pk)
    assert claims.owed() == rows[2:]
    assert [row.pk for row in claims.claim(rows, uuid4())] == rows[2:]


def test_only_the_topics_that_were_asked_for_are_owed(rows):
    with transaction.atomic():
        publish("other", None, {})
    assert len(claims.owed(topics=["other"])) == 1
    assert claims.owed(topics=[]) == []


def test_a_batch_has_an_end():
    with transaction.atomic():
        for _ in range(claims.BATCH + 5):
            publish("tests", None, {})
    assert len(claims.owed()) == claims.BATCH


def test_delivered_rows_are_forgotten_after_their_time(rows):
    old = timezone.now() - claims.KEEP_DELIVERED - timedelta(minutes=1)
    OutboxRow.objects.filter(pk=rows[0]).update(delivered_at=old)
    claims.delivered([rows[1]])
    OutboxRow.objects.filter(pk=rows[2]).update(created_at=old, claimed_at=old)
    assert claims.forget_delivered() == 1
    left = set(OutboxRow.objects.values_list("pk", flat=True))
    assert left == set(rows[1:]), "what is owed is never forgotten"


def test_a_row_stands_or_falls_with_the_change(rows):
    with transaction.atomic():
        publish("tests", None, {})
        transaction.set_rollback(True)
    assert OutboxRow.objects.count() == len(rows)

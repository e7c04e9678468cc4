"""Relays of several processes claim at the same moment, each over a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from outbox import claims
from outbox.models import OutboxRow
from outbox.publishing import publish

RELAYS = 6
ROWS = 40


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rows that other connections see. (pytest-django's way of emptying the tables afterwards is to
    truncate all of them, which the trail's trigger refuses.)"""
    with django_db_blocker.unblock():
        yield
        OutboxRow.objects.all().delete()
        connection.close()


def test_each_row_is_got_by_one_of_them_and_nobody_is_refused(committed: None) -> None:
    with transaction.atomic():
        for n in range(ROWS):
            publish("tests", None, {"n": n})
    ids = claims.owed()
    together = threading.Barrier(RELAYS)

    def relay(number: int) -> list[int]:
        # In different orders, as they would lock each other out.
        order = ids if number % 2 else ids[::-1]
        try:
            together.wait(10)
            return [row.pk for row in claims.claim(order, uuid4())]
        finally:
            connection.close()

    with ThreadPoolExecutor(RELAYS) as threads:
        got = list(threads.map(relay, range(RELAYS)))
    assert sorted(pk for rows in got for pk in rows) == ids


def test_a_row_that_somebody_is_claiming_holds_up_nobody_else(committed: None) -> None:
    """On a database that locks rows; one that locks itself as a whole lets one in at a time."""
    with transaction.atomic():
        publish("tests", None, {"n": 1})
        publish("tests", None, {"n": 2})
    first, second = ids = claims.owed()
    got: list[int] = []

    def another() -> None:
        got.extend(row.pk for row in claims.claim(ids, uuid4()))
        connection.close()

    thread = threading.Thread(target=another)
    with transaction.atomic():
        claims.claim([first], uuid4())
        thread.start()
        if connection.features.has_select_for_update_skip_locked:
            thread.join(5)
            assert got == [second]
    thread.join(15)
    assert got == [second]

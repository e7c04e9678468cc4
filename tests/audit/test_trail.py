"""The trail: what is written, and that nobody can unwrite it."""

from __future__ import annotations

import json
import re
import uuid

import pytest
import rfc8785
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import trail
from audit.clock import database_now
from audit.models import TrailPersonal, TrailRow
from foundation.actor import anonymous, service
from tests.cast import INTERPRETER_NAME, PATIENT_EMAIL, PATIENT_NAME
from tests.meetings.visit import admitted

#: The same row again under a new number.
REPLACE_BY_UUID = """
    INSERT OR REPLACE INTO audit_trailrow (uuid, at, tag, outcome, reason, actor, subject, body)
    SELECT uuid, at, tag, outcome, reason, actor, subject, body FROM audit_trailrow LIMIT 1
"""


@pytest.fixture
def row(cast) -> TrailRow:
    row_uuid = trail.record(
        cast.acting(cast.clinician),
        "tests:thing:do",
        trail.Outcome.REFUSED,
        subject="thing:1",
        reason="not_permitted",
        details={"b": 1, "a": ["x", None, True], "ü": "☂"},
        personal={"name": PATIENT_NAME},
    )
    return TrailRow.objects.get(uuid=row_uuid)


def test_the_body_is_canonical_json_and_equals_the_columns(cast, row):
    body = json.loads(row.body)
    assert row.body == rfc8785.dumps(body).decode()
    assert body == {
        "v": 1,
        "id": str(row.uuid),
        "at": row.at.isoformat(timespec="milliseconds"),
        "organisation": str(cast.hospital.pk),
        "actor": f"person:{cast.clinician.pk}",
        "tag": "tests:thing:do",
        "outcome": "refused",
        "reason": "not_permitted",
        "subject": "thing:1",
        "details": {"a": ["x", None, True], "b": 1, "ü": "☂"},
    }
    assert (row.organisation_id, row.actor) == (cast.hospital.pk, body["actor"])
    assert (row.tag, row.outcome, row.reason, row.subject) == (
        body["tag"],
        body["outcome"],
        body["reason"],
        body["subject"],
    )


def test_every_row_of_a_visit_agrees_with_its_body(cast):
    meeting, issued = cast.meeting()
    admitted(cast, meeting, issued)
    rows = list(TrailRow.objects.all())
    assert len(rows) > 5
    for row in rows:
        body = json.loads(row.body)
        assert row.body == rfc8785.dumps(body).decode()
        assert body["id"] == str(row.uuid)
        assert body["at"] == row.at.isoformat(timespec="milliseconds")
        assert body["organisation"] == (str(row.organisation_id) if row.organisation_id else None)
        for name in ("tag", "outcome", "actor"):
            assert body[name] == getattr(row, name)
        for name in ("reason", "subject"):
            assert (body[name] or "") == getattr(row, name)
        assert re.fullmatch(r"[a-z]+:[a-z_]+:[a-z_]+", row.tag)


def test_no_row_of_a_visit_names_anybody(cast):
    meeting, issued = cast.meeting()
    admitted(cast, meeting, issued)
    bodies = "\n".join(TrailRow.objects.values_list("body", flat=True))
    for name in (PATIENT_NAME, PATIENT_EMAIL, "Canarytitle", "Clara", "example.test"):
        assert name not in bodies


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_trailrow SET reason = 'mild'",
        "UPDATE audit_trailrow SET reason = reason WHERE id = (SELECT MAX(id) FROM audit_trailrow)",
        "DELETE FROM audit_trailrow",
        "DELETE FROM audit_trailrow WHERE id = (SELECT MAX(id) FROM audit_trailrow)",
        "REPLACE INTO audit_trailrow SELECT * FROM audit_trailrow",
        "INSERT OR REPLACE INTO audit_trailrow SELECT * FROM audit_trailrow LIMIT 1",
        REPLACE_BY_UUID,
    ],
)
def test_the_database_refuses_to_change_or_remove_a_row(row, statement):
    before = list(TrailRow.objects.order_by("id").values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(TrailRow.objects.order_by("id").values()) == before


def test_our_own_code_cannot_change_a_row_either(row):
    row.reason = "mild"
    for change in (row.save, row.delete, TrailRow.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(DatabaseError), transaction.atomic():
        TrailRow.objects.update(reason="mild")


def test_personal_fields_stand_apart_and_sealed(cast, row):
    assert PATIENT_NAME not in row.body
    apart = TrailPersonal.objects.get(row_uuid=row.uuid)
    assert apart.sealed.startswith("s1.")
    assert PATIENT_NAME not in apart.sealed
    assert apart.organisation_id == cast.hospital.pk
    assert trail.personal_fields(row) == {"name": PATIENT_NAME}


def test_the_row_stands_when_its_personal_fields_are_gone(row):
    TrailPersonal.objects.filter(row_uuid=row.uuid).delete()
    assert trail.personal_fields(TrailRow.objects.get(pk=row.pk)) == {}
    assert TrailRow.objects.get(pk=row.pk).body == row.body


def test_a_row_without_personal_fields_has_nothing_apart(cast):
    row_uuid = trail.record(cast.acting(cast.officer), "tests:thing:do", trail.Outcome.DONE)
    assert not TrailPersonal.objects.filter(row_uuid=row_uuid).exists()


def test_when_the_personal_fields_cannot_be_sealed_there_is_no_row(cast):
    before = TrailRow.objects.count()
    with pytest.raises(LookupError):
        trail.record(
            service("mailer"),
            "tests:thing:do",
            trail.Outcome.DONE,
            organisation_id=uuid.uuid4(),
            personal={"name": INTERPRETER_NAME},
        )
    assert TrailRow.objects.count() == before


@pytest.mark.usefixtures("cast")
def test_an_anonymous_row_belongs_to_no_organisation():
    row_uuid = trail.record(anonymous(), "tests:thing:do", trail.Outcome.DONE)
    row = TrailRow.objects.get(uuid=row_uuid)
    assert (row.organisation_id, row.actor) == (None, "anonymous:-")


def test_what_is_no_json_is_refused_and_leaves_no_row(cast):
    before = TrailRow.objects.count()
    for bad in (float("nan"), {1, 2}, object(), 2**60):
        with pytest.raises((ValueError, TypeError)):
            trail.record(
                cast.acting(cast.officer),
                "tests:thing:do",
                trail.Outcome.DONE,
                details={"bad": bad},
            )
    assert TrailRow.objects.count() == before


def test_two_rows_never_share_an_id(row):
    with pytest.raises(IntegrityError), transaction.atomic():
        TrailRow.objects.create(
            uuid=row.uuid, at=row.at, tag="t", outcome="done", actor="a", body="{}"
        )


@pytest.mark.django_db
def test_the_databases_clock_is_utc_and_runs():
    first, second = database_now(), database_now()
    assert first.utcoffset().total_seconds() == 0
    assert first <= second


@pytest.mark.django_db
def test_only_databases_with_triggers_are_accepted():
    from types import SimpleNamespace

    from audit.insert_only import add_triggers

    editor = SimpleNamespace(connection=SimpleNamespace(vendor="oracle"))
    with pytest.raises(RuntimeError, match="oracle"):
        add_triggers(None, editor)

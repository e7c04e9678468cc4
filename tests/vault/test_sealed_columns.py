"""Personal columns reach the database sealed; a stolen database names nobody."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from accounts.models import Person
from foundation.wire.browser import Mode
from meetings.actions import enter
from meetings.models import Guest, Meeting
from outbox.models import OutboxRow
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME, PATIENT_EMAIL, PATIENT_NAME
from tests.meetings.visit import acting_through, admitted, host_seated
from vault.sealing import SealBroken


def everything_stored() -> str:
    """Every value of every table, as text."""
    parts: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    parts.append(text)
    return "\n".join(parts)


@pytest.fixture
def visited(cast) -> Meeting:
    """A visit that went all the way."""
    from meetings.actions import plan

    meeting, issued = cast.meeting(Mode.GOVERNED)
    cast.seat = admitted(cast, meeting, issued)
    enter.join_ticket(acting_through(cast.seat), cast.seat)
    host_seated(cast, meeting)
    plan.invite_guest(
        cast.acting(cast.clinician), meeting.pk, plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)
    )
    cast.issued = issued
    return meeting


def test_a_stolen_database_names_nobody(cast, visited):
    stored = everything_stored().casefold()
    assert str(visited.pk) in stored or visited.pk.hex in stored, "the search finds what is there"
    assert "canary hospital" in stored, "an organisation's name is no secret"
    for person in Person.objects.all():
        assert person.email.casefold() not in stored
        assert person.full_name.casefold() not in stored
    for canary in ("canaryname", "canarymail", "canarytitle", "rosa", "example.test"):
        assert canary not in stored, canary


def test_the_same_search_finds_the_names_in_what_was_opened(visited):
    """The control: were the columns in clear, the search above would find them."""
    opened = "\n".join(
        [
            *(f"{guest.name} {guest.contact}" for guest in Guest.objects.all()),
            Meeting.objects.get(pk=visited.pk).title,
        ]
    )
    for canary in (PATIENT_NAME, PATIENT_EMAIL, INTERPRETER_NAME, INTERPRETER_EMAIL, "Canarytitle"):
        assert canary in opened


def test_no_secret_that_opens_a_door_is_stored(cast, visited):
    stored = everything_stored()
    assert cast.issued.link_secret.text not in stored
    assert cast.issued.short_code.text not in stored
    assert cast.issued.short_code.text.replace("-", "") not in stored


def test_what_the_outbox_owes_names_nobody(visited):
    owed = "\n".join(str(row.payload) for row in OutboxRow.objects.all()).casefold()
    assert owed
    for canary in ("canary", "rosa", "example.test"):
        assert canary not in owed


@pytest.mark.parametrize("field", ["name", "contact"])
def test_update_of_a_sealed_column_is_refused(visited, field):
    guest = Guest.objects.earliest("created_at")
    with pytest.raises(TypeError, match="sealed"), transaction.atomic():
        Guest.objects.update(**{field: "in clear"})
    with pytest.raises(TypeError, match="sealed"), transaction.atomic():
        Guest.objects.bulk_update([guest], [field])


def test_a_sealed_column_is_saved_again_and_read_again(visited):
    guest = Guest.objects.earliest("created_at")
    guest.name = "Rosa Renamed"
    guest.save()
    assert Guest.objects.get(pk=guest.pk).name == "Rosa Renamed"
    guest.save(update_fields=["name"])
    assert Guest.objects.get(pk=guest.pk).name == "Rosa Renamed"


def test_bulk_creation_seals_too(cast, visited):
    Guest.objects.bulk_create(
        [Guest(organisation=cast.hospital, name="Bulk Canaryname", contact="x", contact_index="x")]
    )
    assert "bulk canaryname" not in everything_stored().casefold()
    assert Guest.objects.get(contact_index="x").name == "Bulk Canaryname"


def test_a_value_moved_to_another_hospital_does_not_pretend(cast, visited):
    """The key's id travels in the value, so it still opens; a row that names another key fails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, contact FROM meetings_guest LIMIT 1")
        name, contact = cursor.fetchone()
        cursor.execute("UPDATE meetings_guest SET name = %s, contact = %s", [contact, name])
    with pytest.raises(SealBroken):
        list(Guest.objects.all())


def test_sealed_text_is_never_shown_by_accident(cast):
    person = Person.objects.get(pk=cast.clinician.pk)
    assert "Clara" not in repr(person)
    assert repr(Guest(name="Rosa")).find("Rosa") == -1

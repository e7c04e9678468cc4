"""One row of everything that is kept about a recording: for tests of how rows are shown."""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction

from accounts.models import Person
from audit.clock import database_now
from meetings import consents
from meetings.models import Consent, Meeting
from recordings import policies
from recordings.models import FilmRead, Hold, Recording, StoredFilm, Viewing


def recorded(meeting: Meeting, person: Person) -> Recording:
    """A recording of ``meeting`` that ``person`` looked at and holds. There are no bytes of it."""
    here = {"organisation_id": meeting.organisation_id}
    place = meeting.participations.get()
    now = database_now()
    with transaction.atomic():
        text = consents.current_text(meeting.organisation_id)
        policy = policies.current(meeting.organisation_id)
    question = uuid4()
    Consent.objects.create(**here, participation=place, text=text, question=question, given_at=now)
    recording = Recording.objects.create(
        **here,
        id=question,
        meeting=meeting,
        state="stored",
        asked_by=place,
        keeper=place,
        text=text,
        policy=policy,
        started_at=now,
        ended_at=now,
        stored_at=now,
        delete_after=now,
    )
    film = StoredFilm.objects.create(
        **here,
        id=uuid4(),
        recording=recording,
        place=place,
        sources=["camera"],
        starts_ms=0,
        duration_ms=1,
        plaintext_bytes=1,
        read_back_at=now,
    )
    Hold.objects.create(
        **here, recording=recording, placed_by=person, reason="A reason.", placed_at=now
    )
    viewing = Viewing.objects.create(
        **here,
        recording=recording,
        person=person,
        reason="A reason.",
        session="0" * 64,
        opened_at=now,
        until=now,
    )
    FilmRead.objects.create(
        **here, viewing=viewing, film=film, first_at=now, latest_at=now, given_bytes=7
    )
    return recording

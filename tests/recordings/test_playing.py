"""Who may look at a recording, for how long, and what the trail and the rows know of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from access.verbs import Verb
from accounts.models import Membership
from audit.clock import database_now
from audit.models import TrailRow
from foundation.actor import Actor, Role
from recordings import policies, viewings
from recordings.actions import retire, watch
from recordings.models import FilmRead, Recording, RetentionPolicy, StoredFilm, Viewing
from recordings.ranges import Span
from recordings.viewings import Screen
from tests.accounts.signing_in import signed_in
from tests.audit.reading import deeds, refused
from tests.recordings.calls import Call
from tests.recordings.test_retiring import come_to_its_date

SCREEN, ANOTHER = "5" * 64, "6" * 64


def fresh(actor: Actor) -> Actor:
    """A code was typed a moment ago."""
    return replace(actor, assurance=replace(actor.assurance, mfa_is_fresh=True))


@pytest.fixture
def clinician(cast) -> Actor:
    return cast.acting(cast.clinician)


@pytest.fixture
def officer(cast) -> Actor:
    return fresh(cast.acting(cast.officer))


def screen_of(viewing: Viewing, session: str = SCREEN) -> Screen:
    return viewings.find(viewing.recording_id, viewing.pk, session)


def plain(recording: Recording, film: StoredFilm) -> bytes:
    return b"".join(viewings.reader(recording, film).read(0, film.plaintext_bytes))


def whole_of(film: StoredFilm) -> Span:
    return Span(0, film.plaintext_bytes, film.plaintext_bytes)


def test_the_clinician_who_hosted_looks_again(clinician, kept: Recording):
    viewing = watch.play(clinician, kept.pk, SCREEN)
    assert viewing.until - viewing.opened_at == watch.LASTS
    assert viewing.person_id == clinician.id
    [row] = deeds(Verb.RECORDING_PLAY)
    assert str(viewing.pk) in row.body
    for film in StoredFilm.objects.all():
        found = watch.film_of(clinician, screen_of(viewing), film.pk)
        given = b"".join(watch.read(clinician, screen_of(viewing), found, whole_of(found)))
        assert given == plain(kept, film)
        assert given[:4] == b"\x1a\x45\xdf\xa3", "a WebM file"
    assert len(deeds(Verb.VIEWING_READ)) == 2, "each film once, however many parts are asked for"
    watch.film_of(clinician, screen_of(viewing), film.pk)
    assert len(deeds(Verb.VIEWING_READ)) == 2
    read = FilmRead.objects.get(film=film)
    assert (read.answers, read.given_bytes) == (1, film.plaintext_bytes)


def test_an_officer_looks_for_a_reason_and_with_a_fresh_code(cast, officer, kept: Recording):
    with refused(Verb.RECORDING_INSPECT, "second_factor_stale"):
        watch.inspect(cast.acting(cast.officer), kept.pk, SCREEN, "A complaint.")
    for reason in ("", "  ", "x" * 501):
        with refused(Verb.RECORDING_INSPECT, "reason_missing"):
            watch.inspect(officer, kept.pk, SCREEN, reason)
    viewing = watch.inspect(officer, kept.pk, SCREEN, "Canaryreason of somebody.")
    assert Viewing.objects.get().reason == "Canaryreason of somebody."
    assert not TrailRow.objects.filter(body__contains="Canaryreason").exists()
    # The code was fresh when it was opened; half an hour is longer than it stays fresh.
    film = StoredFilm.objects.first()
    assert watch.film_of(cast.acting(cast.officer), screen_of(viewing), film.pk) == film


def test_nobody_else_looks(call: Call, cast, clinician, officer, kept: Recording):
    Membership.objects.filter(person=cast.coordinator).update(role=Role.PATIENT.value)
    patient_with_an_account = cast.acting(cast.coordinator)
    for somebody, play, inspect in (
        (call.patient, "not_permitted", "not_permitted"),
        (patient_with_an_account, "not_permitted", "not_permitted"),
        (cast.acting(cast.colleague), "not_permitted", "not_permitted"),
        (cast.acting(cast.administrator), "not_permitted", "not_permitted"),
        (cast.acting(cast.stranger), "not_found", "not_found"),
        (fresh(cast.acting(cast.foreign_officer)), "not_found", "not_found"),
        (cast.acting(cast.clinician, mfa=False), "second_factor_required", "not_permitted"),
        (officer, "not_permitted", None),
        (fresh(clinician), None, "not_permitted"),
    ):
        if play is not None:
            with refused(Verb.RECORDING_PLAY, play):
                watch.play(somebody, kept.pk, SCREEN)
        if inspect is not None:
            with refused(Verb.RECORDING_INSPECT, inspect):
                watch.inspect(somebody, kept.pk, SCREEN, "A reason.")
    assert not Viewing.objects.exists()


def test_a_coordinator_who_hosts_is_no_clinician_who_hosted(cast, kept: Recording):
    Membership.objects.filter(person=cast.clinician).update(role=Role.COORDINATOR.value)
    with refused(Verb.RECORDING_PLAY, "not_permitted"):
        watch.play(cast.acting(cast.clinician), kept.pk, SCREEN)


def test_the_policy_of_the_moment_of_asking_decides_about_the_clinician(
    cast, clinician, kept: Recording
):
    policies.write(cast.hospital.pk, may_record=True, clinician_may_play=False)
    assert watch.play(clinician, kept.pk, SCREEN), "a later version changes nothing"
    strict = RetentionPolicy.objects.order_by("version").last()
    Recording.objects.update(policy=strict)
    with refused(Verb.RECORDING_PLAY, "playing_not_allowed"):
        watch.play(clinician, kept.pk, SCREEN)


def test_a_viewing_is_of_one_person_on_one_screen(cast, clinician, officer, kept: Recording):
    viewing = watch.play(clinician, kept.pk, SCREEN)
    film = StoredFilm.objects.first()
    for somebody, session, reason in (
        (clinician, ANOTHER, "not_permitted"),
        (officer, SCREEN, "not_permitted"),
        (cast.acting(cast.colleague), SCREEN, "not_permitted"),
        (cast.acting(cast.stranger), SCREEN, "not_found"),
    ):
        with refused(Verb.VIEWING_READ, reason):
            watch.film_of(somebody, screen_of(viewing, session), film.pk)
    Membership.objects.filter(person=cast.clinician).update(role=Role.COORDINATOR.value)
    with refused(Verb.VIEWING_READ, "not_permitted"):
        watch.film_of(cast.acting(cast.clinician), screen_of(viewing), film.pk)


def test_a_viewing_ends_by_the_clock(clinician, kept: Recording):
    viewing = watch.play(clinician, kept.pk, SCREEN)
    film = StoredFilm.objects.first()
    Viewing.objects.update(until=database_now() + timedelta(seconds=5))
    assert watch.film_of(clinician, screen_of(viewing), film.pk)
    Viewing.objects.update(until=database_now())
    with refused(Verb.VIEWING_READ, "viewing_over"):
        watch.film_of(clinician, screen_of(viewing), film.pk)


def test_shredding_ends_a_viewing_at_once(clinician, kept: Recording, monkeypatch):
    """Also in the middle of an answer."""
    monkeypatch.setattr(watch, "_LOOK_EVERY_BYTES", 20_000)
    viewing = watch.play(clinician, kept.pk, SCREEN)
    film = StoredFilm.objects.order_by("pk").first()
    screen = screen_of(viewing)
    pieces = watch.read(clinician, screen, film, whole_of(film))
    first = next(pieces)
    assert 0 < len(first) < film.plaintext_bytes
    come_to_its_date(kept)
    retire.retire()
    with refused(Verb.VIEWING_READ, "viewing_over"):
        list(pieces)
    with refused(Verb.VIEWING_READ, "viewing_over"):
        watch.film_of(clinician, screen_of(viewing), film.pk)
    with refused(Verb.VIEWING_READ, "viewing_over"):
        list(watch.read(clinician, screen, film, whole_of(film)))
    with refused(Verb.RECORDING_PLAY, "wrong_state"):
        watch.play(clinician, kept.pk, SCREEN)
    assert FilmRead.objects.count() == 0 or FilmRead.objects.get().given_bytes == len(first)


def test_a_film_that_was_not_read_back_is_not_found(cast, clinician, kept: Recording):
    viewing = watch.play(clinician, kept.pk, SCREEN)
    film = StoredFilm.objects.first()
    StoredFilm.objects.filter(pk=film.pk).update(read_back_at=None)
    client = signed_in(Client(), cast.clinician)
    Viewing.objects.update(session=viewings.session_name(client.session.session_key))
    answer = client.get(f"/recordings/{kept.pk}/viewings/{viewing.pk}/films/{film.pk}", secure=True)
    assert answer.status_code == 404
    assert TrailRow.objects.filter(tag=Verb.VIEWING_READ.value, reason="not_found").count() == 1

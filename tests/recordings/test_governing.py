"""What an organisation says about recordings: by officers, in versions, from now on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from access.verbs import Verb
from audit.clock import database_now
from audit.models import TrailRow
from foundation.blobs import BlobsRefused, BlobsUnavailable
from foundation.blobs.local import LocalBlobs
from foundation.sealing.errors import ObjectTampered
from recordings import policies, shown
from recordings.actions import govern, retire, store, trouble, watch
from recordings.lifecycle import RecordingState
from recordings.models import Hold, Recording, RetentionPolicy
from recordings.viewings import session_name
from tests.accounts.signing_in import signed_in
from tests.audit.reading import deeds, refused
from tests.recordings.calls import Call
from tests.recordings.test_retiring import come_to_its_date, unlock

WORDS = {"may_record": True, "keep_days": 30, "clinician_may_play": False}


def browser_of(person, *, mfa: bool = True) -> Client:
    return signed_in(Client(headers={"host": "localhost"}), person, mfa=mfa)


def test_an_officer_writes_a_new_version_and_the_old_one_stays(cast):
    officer = cast.acting(cast.officer)
    first = govern.change_policy(officer, cast.hospital.pk, **WORDS)
    second = govern.change_policy(officer, cast.hospital.pk, **{**WORDS, "keep_days": 60})
    assert (second.version, second.keep_days) == (first.version + 1, 60)
    first.refresh_from_db()
    assert first.keep_days == 30
    assert policies.current(cast.hospital.pk) == second
    assert '"keep_days":60' in deeds(Verb.POLICY_WRITE)[-1].body


def test_the_same_once_more_is_no_new_version(cast):
    officer = cast.acting(cast.officer)
    first = govern.change_policy(officer, cast.hospital.pk, **WORDS)
    assert govern.change_policy(officer, cast.hospital.pk, **WORDS) == first


def test_nobody_but_an_officer_of_this_house_writes_policies(cast):
    before = RetentionPolicy.objects.count()
    for somebody, mfa, reason in (
        (cast.clinician, True, "not_permitted"),
        (cast.coordinator, True, "not_permitted"),
        (cast.administrator, True, "not_permitted"),
        (cast.foreign_officer, True, "not_found"),
        (cast.officer, False, "second_factor_required"),
    ):
        with refused(Verb.POLICY_WRITE, reason):
            govern.change_policy(cast.acting(somebody, mfa=mfa), cast.hospital.pk, **WORDS)
    assert RetentionPolicy.objects.count() == before


@pytest.mark.parametrize("days", [0, -1, govern.MAX_KEEP_DAYS + 1])
def test_days_that_make_no_sense_are_refused(cast, days):
    with refused(Verb.POLICY_WRITE, "form_invalid"):
        govern.change_policy(
            cast.acting(cast.officer), cast.hospital.pk, **{**WORDS, "keep_days": days}
        )


def test_the_form_of_the_policy_changes_it_and_says_from_when(cast):
    client = browser_of(cast.officer)
    url = f"/desk/organisations/{cast.hospital.pk}/recording-policy/"
    assert b"is a new version" in client.get(url, secure=True).content
    sent = {"may_record": "on", "keep_days": "30"}
    assert client.post(url, sent, secure=True).status_code == 302
    newest = RetentionPolicy.objects.order_by("version").last()
    assert (newest.may_record, newest.keep_days, newest.clinician_may_play) == (True, 30, False)
    assert client.post(url, {"keep_days": "0"}, secure=True).status_code == 400
    assert RetentionPolicy.objects.order_by("version").last() == newest


def test_an_officer_places_and_releases_a_hold_by_forms(cast, kept: Recording):
    client = browser_of(cast.officer)
    url = f"/recordings/{kept.pk}/"
    assert client.post(f"{url}holds/", {"reason": " "}, secure=True).status_code == 400
    answer = client.post(f"{url}holds/", {"reason": "A complaint."}, secure=True)
    assert answer.status_code == 302
    hold = Hold.objects.get()
    assert b"A complaint." in client.get(url, secure=True).content
    assert shown.line(kept).is_held
    assert client.post(f"{url}holds/{hold.pk}/release/", secure=True).status_code == 302
    assert not shown.line(kept).is_held
    clinician = browser_of(cast.clinician)
    assert clinician.post(f"{url}holds/", {"reason": "Mine."}, secure=True).status_code == 403
    assert b"A complaint." not in clinician.get(url, secure=True).content
    assert [row.reason for row in TrailRow.objects.filter(tag=Verb.RECORDING_HOLD.value)] == [
        "form_invalid",
        "",
        "not_permitted",
    ]


def test_the_page_of_a_recording_offers_only_what_may_be_done(cast, kept: Recording):
    url = f"/recordings/{kept.pk}/"
    clinician = browser_of(cast.clinician).get(url, secure=True).content.decode()
    assert 'data-form="play"' in clinician
    assert 'data-form="inspect"' not in clinician
    officer = browser_of(cast.officer).get(url, secure=True).content.decode()
    assert 'data-form="inspect"' in officer
    for somebody in (cast.colleague, cast.coordinator, cast.administrator):
        assert browser_of(somebody).get(url, secure=True).status_code == 403
    assert browser_of(cast.stranger).get(url, secure=True).status_code == 404


def test_an_officer_without_a_reason_is_asked_on_the_same_page(cast, kept: Recording):
    client = browser_of(cast.officer)
    url = f"/recordings/{kept.pk}/inspect/"
    answer = client.post(url, {"reason": ""}, secure=True)
    assert answer.status_code == 400
    assert b'data-problem="reason_missing"' in answer.content
    answer = client.post(url, {"reason": "A complaint."}, secure=True)
    assert answer.status_code == 302
    assert client.get(answer["Location"], secure=True).status_code == 200
    other = browser_of(cast.officer)
    assert other.get(answer["Location"], secure=True).status_code == 403


def test_the_meeting_shows_each_recording_as_it_stands(call: Call, cast, monkeypatch):
    client = browser_of(cast.clinician)

    def on_the_page() -> str:
        page = client.get(f"/desk/meetings/{call.meeting.pk}/", secure=True)
        return page.content.decode()

    assert "recordings-title" not in on_the_page()
    recording = call.ask()
    assert 'data-state="asked"' in on_the_page()
    for state in RecordingState:
        now = database_now()
        Recording.objects.update(
            state=state.value, started_at=now, ended_at=now, stored_at=now, delete_after=now
        )
        recording.refresh_from_db()
        page = on_the_page()
        assert f'data-state="{state.value}"' in page
        assert shown.line(recording).name in page
        for said in shown.line(recording).says:
            assert said
    Recording.objects.update(state=RecordingState.SEALING.value, percent=42)
    assert "42" in on_the_page()


@pytest.mark.parametrize(
    ("problem", "word"),
    [
        (BlobsUnavailable("away"), trouble.STORAGE_AWAY),
        (BlobsRefused("keys"), trouble.STORAGE_REFUSES),
        (ObjectTampered({"object": "x"}), trouble.NOT_SOUND),
    ],
)
def test_a_storage_in_trouble_is_said_until_it_is_over(
    gathered: Recording, monkeypatch, problem, word
):
    store.advance()

    def fails(*arguments, **named):
        raise problem

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "upload", fails)
        with pytest.raises(type(problem)):
            store.make_films(gathered.pk)
    gathered.refresh_from_db()
    assert gathered.trouble == word
    line = shown.line(gathered)
    assert (line.state, bool(line.trouble)) == ("sealing", True)
    Recording.objects.update(maker_until=None)
    store.make_films(gathered.pk)
    gathered.refresh_from_db()
    assert (shown.line(gathered).state, shown.line(gathered).trouble) == ("stored", "")


def test_what_was_destroyed_says_when(kept: Recording, monkeypatch):
    come_to_its_date(kept)
    retire.retire()
    kept.refresh_from_db()
    assert "lock ends" in " ".join(shown.line(kept).says)
    unlock(monkeypatch)
    retire.retire()
    kept.refresh_from_db()
    assert (shown.line(kept).state, shown.line(kept).tone) == ("removed", "")


def test_the_reason_of_a_viewing_is_sealed_and_its_session_is_a_hash(cast, kept: Recording):
    from django.db import connection

    client = browser_of(cast.officer)
    key = client.session.session_key
    url = f"/recordings/{kept.pk}/inspect/"
    assert client.post(url, {"reason": "Canaryreason"}, secure=True).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason, session FROM recordings_viewing")
        [(reason, session)] = cursor.fetchall()
    assert "Canaryreason" not in reason
    assert key not in session
    assert session == session_name(key)
    assert timedelta(minutes=30) == watch.LASTS

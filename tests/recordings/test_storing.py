"""From gathered segments to stored films: read back, signed, and opened by somebody else."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.verbs import Verb
from audit.clock import database_now
from audit.models import TrailRow
from foundation.blobs import BlobLocked, BlobsUnavailable
from foundation.blobs.local import LocalBlobs
from foundation.sealing.errors import ObjectTampered
from outbox.models import OutboxRow
from recordings import storage
from recordings.actions import capture, store
from recordings.films import plan
from recordings.lifecycle import RecordingState
from recordings.models import Recording, Run, StoredFilm
from tests.audit.reading import deeds
from tests.meetings.visit import acting_through
from tests.recordings.calls import Call, ship, stored
from tests.recordings.films import look, studio
from tests.recordings.films.studio import Person, camera, microphone
from vault import recording_keys, signing
from vault.models import SigningKey
from vault.recording_keys import KeyDestroyed

OPENER = Path(__file__).parents[2] / "deploy" / "opener" / "open_recording.py"
SECONDS = 6


def tasks() -> list[str]:
    rows = OutboxRow.objects.filter(topic="task").order_by("id")
    return [row.payload["name"] for row in rows if row.payload["name"].startswith("recordings")]


def test_what_was_gathered_is_stored_and_opened_by_the_program_of_one_file(
    call: Call, gathered: Recording, tmp_path: Path
):
    keys = {}
    recording = stored(gathered)
    films = list(StoredFilm.objects.order_by("place_id"))
    assert {film.place_id for film in films} == {
        call.host.participation_id,
        call.guest.participation_id,
    }
    assert all(film.sources == ["camera", "microphone"] for film in films)
    (tmp_path / "objects").mkdir()
    (tmp_path / "out").mkdir()
    for film in films:
        name = storage.film_name(recording.organisation_id, recording.pk, film.pk)
        body = storage.blobs().read(name, 0, film.size + 1)
        assert len(body) == film.size
        assert b"OpusHead" not in body
        (tmp_path / "objects" / f"{film.pk}.bin").write_bytes(body)
        keys[str(film.pk)] = recording_keys.data_key(recording.pk, film.pk).hex()
    name = storage.manifest_name(recording.organisation_id, recording.pk)
    manifest = storage.blobs().read(name, 0, 1 << 22)
    assert manifest.decode() == recording.manifest
    (tmp_path / "manifest.json").write_bytes(manifest)
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    kid, public = signing.public_keys(SigningKey.Purpose.MANIFEST)[0]
    said = subprocess.run(
        [
            *(sys.executable, OPENER, "--manifest", tmp_path / "manifest.json"),
            *("--manifest-key", f"{kid}={base64.urlsafe_b64decode(public + '==').hex()}"),
            *("--organisation", str(recording.organisation_id)),
            *("--recording", str(recording.pk), "--objects", tmp_path / "objects"),
            *("--keys", tmp_path / "keys.json", "--out", tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    for film in films:
        path = tmp_path / "out" / f"{film.pk}.webm"
        assert look.decode_errors(path) == ""
        assert path.stat().st_size == film.plaintext_bytes
    content = json.loads(manifest)["manifest"]
    assert len(content["consents"]) == 2
    assert content["consents"][0]["text_sha256"] == recording.text.sha256
    assert content["attestations"] == [
        {
            "by": str(call.host.participation_id),
            "at": content["attestations"][0]["at"],
            "others": 0,
        }
    ]
    assert [run["finished"] for run in content["runs"]] == [True]
    for name in ("Canary", "canary"):
        assert name not in recording.manifest


def test_stored_means_read_back_and_the_segments_open_for_nobody(gathered: Recording):
    assert recording_keys.private_half(gathered.pk)
    recording = stored(gathered)
    assert recording.percent == 100
    with pytest.raises(KeyDestroyed):
        recording_keys.private_half(recording.pk)
    assert "recordings.drop_segments" in tasks()
    prefix = storage.segments_prefix(recording.organisation_id, recording.pk)
    assert list(storage.blobs().names(prefix))
    store.drop_segments(recording.pk)
    store.drop_segments(recording.pk)
    assert list(storage.blobs().names(prefix)) == []
    (row,) = deeds(Verb.RECORDING_STORE)
    assert row.subject == f"recording:{recording.pk}"
    film = StoredFilm.objects.first()
    name = storage.film_name(recording.organisation_id, recording.pk, film.pk)
    with pytest.raises(BlobLocked):
        storage.blobs().delete(name)
    held_until = storage.blobs().retained_until(name)
    assert held_until >= recording.delete_after - timedelta(seconds=1)


def test_segments_that_somebody_left_who_died_removing_them_are_removed_later(gathered: Recording):
    recording = stored(gathered)
    asked = tasks().count("recordings.drop_segments")
    store.advance()
    assert tasks().count("recordings.drop_segments") == asked, "whoever was asked may be at it"
    long_ago = database_now() - store.DROPPED_WITHIN - timedelta(seconds=1)
    Recording.objects.update(stored_at=long_ago)
    store.advance()
    assert tasks().count("recordings.drop_segments") == asked + 1
    store.drop_segments(recording.pk)
    store.advance()
    assert tasks().count("recordings.drop_segments") == asked + 1
    assert Recording.objects.get().segments_dropped_at


def test_the_same_task_twice_has_one_effect(gathered: Recording):
    recording = stored(gathered)
    before = recording.manifest, list(StoredFilm.objects.order_by("pk").values())
    store.make_films(recording.pk)
    recording.refresh_from_db()
    assert (recording.manifest, list(StoredFilm.objects.order_by("pk").values())) == before
    assert len(deeds(Verb.RECORDING_STORE)) == 1


def test_who_closes_it_second_leaves_no_deed(gathered: Recording):
    """Two beats at once: both found it open, and one was first."""
    assert gathered.state == RecordingState.GATHERING
    store._close(gathered)
    store._close(gathered)
    [row] = deeds(Verb.RECORDING_SEAL)
    assert row.subject == f"recording:{gathered.pk}"
    assert tasks().count("recordings.make_films") == 1
    assert not TrailRow.objects.filter(tag=Verb.RECORDING_SEAL.value, outcome="refused").exists()


def test_while_somebody_makes_films_nobody_else_does(gathered: Recording):
    store.advance()
    Recording.objects.update(maker_until=database_now() + timedelta(seconds=30))
    store.make_films(gathered.pk)
    assert not StoredFilm.objects.exists()
    before = len(tasks())
    store.advance()
    assert len(tasks()) == before
    Recording.objects.update(maker_until=database_now() - timedelta(seconds=1))
    store.advance()
    assert tasks()[before:] == ["recordings.make_films"]
    store.make_films(gathered.pk)
    assert Recording.objects.get().state == RecordingState.STORED


def test_who_reads_for_long_before_the_first_film_still_says_that_they_live(
    gathered: Recording, monkeypatch
):
    store.advance()
    monkeypatch.setattr(store, "SAY_EVERY", timedelta(0))
    kept = []

    def read_for_long(segments, started_us):
        Recording.objects.update(maker_until=database_now() - timedelta(seconds=1))
        for _ in segments():
            pass
        kept.append(Recording.objects.get().maker_until > database_now() + store.LEASE / 2)
        return plan.plan(segments, started_us)

    monkeypatch.setattr(store, "plan", read_for_long)
    store.make_films(gathered.pk)
    assert kept == [True]


class Killed(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("at", range(5))
def test_whoever_is_cut_off_at_any_step_leaves_one_of_each_in_the_end(
    gathered: Recording, monkeypatch, at: int
):
    store.advance()
    steps = 0

    def cut(original):
        def instead(*arguments, **named):
            nonlocal steps
            done = original(*arguments, **named)
            steps += 1
            if steps == at + 1:
                raise Killed
            return done

        return instead

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "upload", cut(LocalBlobs.upload))
        patched.setattr(store, "_read_back", cut(store._read_back))
        patched.setattr(store, "_store_manifest", cut(store._store_manifest))
        with pytest.raises(Killed):
            store.make_films(gathered.pk)
    assert Recording.objects.get().state == RecordingState.SEALING
    Recording.objects.update(maker_until=database_now() - timedelta(seconds=1))
    store.make_films(gathered.pk)
    assert Recording.objects.get().state == RecordingState.STORED
    folder = storage.folder(gathered.organisation_id, gathered.pk)
    assert len(list(storage.blobs().names(f"{folder}/films/"))) == 2
    assert len(list(storage.blobs().names(f"{folder}/manifest"))) == 1
    assert StoredFilm.objects.count() == 2


def test_a_storage_that_fails_loses_nothing_and_the_state_says_so(gathered: Recording, monkeypatch):
    store.advance()

    def away(*arguments, **named):
        raise BlobsUnavailable("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "upload", away)
        with pytest.raises(BlobsUnavailable):
            store.make_films(gathered.pk)
    recording = Recording.objects.get()
    assert (recording.state, recording.stored_at) == (RecordingState.SEALING, None)
    assert database_now() - recording.storage_trouble_since < timedelta(seconds=10)
    assert recording.maker_until <= database_now() + store.SAY_EVERY, "not for the whole lease"
    assert recording_keys.private_half(gathered.pk)
    Recording.objects.update(maker_until=None)
    store.make_films(gathered.pk)
    recording.refresh_from_db()
    assert (recording.state, recording.storage_trouble_since) == (RecordingState.STORED, None)
    said = [json.loads(row.body)["details"]["reason"] for row in deeds(Verb.RECORDING_FALTER)]
    assert said == ["storage_fails", "storage_answers"]


def test_nothing_is_called_stored_that_does_not_read_back(gathered: Recording, monkeypatch):
    store.advance()
    real = LocalBlobs.read

    def flipped(self, name: str, start: int, end: int) -> bytes:
        data = real(self, name, start, end)
        if "/films/" in name and start >= 156:
            return bytes([data[0] ^ 1]) + data[1:] if data else data
        return data

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "read", flipped)
        with pytest.raises(ObjectTampered):
            store.make_films(gathered.pk)
    assert Recording.objects.get().state == RecordingState.SEALING
    assert not StoredFilm.objects.filter(read_back_at__isnull=False).exists()


def test_a_run_that_never_said_its_last_word_is_waited_for_and_then_marked(call: Call):
    recording = call.recording()
    Recording.objects.update(started_at=datetime.fromtimestamp(studio.STARTED_US / 1e6, UTC))
    person = Person(place=call.guest.participation_id)
    feeds = [camera(person), microphone(person)]
    ship(call, recording, studio.run(feeds, 4, killed=True))
    capture.stop(acting_through(call.host), recording.pk)
    store.advance()
    assert Recording.objects.get().state == RecordingState.GATHERING
    long_ago = database_now() - store.PATIENCE - timedelta(seconds=1)
    Recording.objects.update(ended_at=long_ago)
    store.advance()
    assert Recording.objects.get().state == RecordingState.GATHERING, "segments came just now"
    Run.objects.update(newest_at=long_ago)
    Recording.objects.update(started_at=datetime.fromtimestamp(studio.STARTED_US / 1e6, UTC))
    recording = stored(recording)
    said = json.loads(recording.manifest)["manifest"]
    assert [run["finished"] for run in said["runs"]] == [False]


def test_a_recording_of_which_nothing_came_is_empty(call: Call):
    recording = call.recording()
    capture.stop(acting_through(call.host), recording.pk)
    Recording.objects.update(ended_at=database_now() - store.PATIENCE - timedelta(seconds=1))
    store.advance()
    assert Recording.objects.get().state == RecordingState.EMPTY
    assert tasks() == []


def test_segments_that_were_kept_and_never_acknowledged_stop_nothing(
    call: Call, gathered: Recording
):
    run = Run.objects.get()
    name = storage.segment_name(gathered.organisation_id, gathered.pk, run.pk, run.segments)
    storage.blobs().put(name, b"a segment whose worker died before it was told")
    stored(gathered)

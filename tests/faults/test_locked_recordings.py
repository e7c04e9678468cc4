"""A stored recording in a bucket with Object Lock: nobody deletes it early, a hold keeps it longer.

The bucket's owner, who has every right in it, speaks to it directly.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from access.verbs import Verb
from audit.clock import database_now
from foundation.blobs import BlobLocked
from foundation.sealing.records import Protection
from foundation.sealing.stored import ObjectReader, Wanted
from recordings import storage as kept_in
from recordings.actions import retire, store
from recordings.lifecycle import RecordingState
from recordings.models import Recording, StoredFilm
from tests.audit.reading import deeds, refused
from tests.foundation.blobs.conftest import Storage, gateway, owner, storage
from tests.recordings.calls import state_of, stored
from tests.recordings.conftest import call, gathered
from vault import recording_keys
from vault.recording_keys import KeyDestroyed

__all__ = ["call", "gateway", "gathered", "owner", "storage"]  # fixtures


@pytest.fixture(autouse=True)
def own_storage(settings: Any, storage: Storage) -> Iterator[None]:
    """Recordings go to a bucket of this test's."""
    bucket = storage.bucket
    settings.STORAGE_URL = f"s3://{bucket.name}/{bucket.prefix}?endpoint={bucket.endpoint}"
    settings.STORAGE_KEYS = {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
    settings.STORAGE_CA = bucket.authority
    kept_in.blobs.cache_clear()
    yield
    kept_in.blobs.cache_clear()


def names(recording: Recording) -> list[str]:
    """Two films and a manifest."""
    folder = kept_in.folder(recording.organisation_id, recording.pk)
    return list(kept_in.blobs().names(f"{folder}/"))


def kept_for(recording: Recording, seconds: float) -> Recording:
    """Stored, its segments gone, and locked until then."""
    store.advance()
    until = database_now() + timedelta(seconds=seconds)
    Recording.objects.filter(pk=recording.pk).update(delete_after=until)
    made = stored(recording)
    store.drop_segments(made.pk)
    assert len(names(made)) == 3
    return made


def plays(recording: Recording) -> None:
    """Every film opens, to its end."""
    for film in StoredFilm.objects.filter(recording=recording):
        name = kept_in.film_name(recording.organisation_id, recording.pk, film.pk)
        wanted = Wanted(
            recording.organisation_id,
            recording.pk,
            film.pk,
            bytes.fromhex(recording.consent_digest),
            Protection.NONE,
            bytes.fromhex(film.key_commitment),
        )
        key = recording_keys.data_key(recording.pk, film.pk)
        reader = ObjectReader(wanted, lambda a, b, n=name: kept_in.blobs().read(n, a, b), key)
        assert reader.whole(lambda piece: None).hex() == film.sha256


def test_nobody_deletes_a_stored_recording_before_its_date_or_moves_the_date(
    gathered: Recording, storage: Storage
):
    recording = kept_for(gathered, 3600)
    for name in names(recording):
        [version] = storage.versions(name)
        which = {
            "Bucket": storage.bucket.name,
            "Key": f"{storage.bucket.prefix}/{name}",
            "VersionId": version["VersionId"],
        }
        sooner = datetime.now(UTC) + timedelta(seconds=60)
        for attempt, more in (
            (storage.owner.delete_object, {}),
            (storage.owner.delete_object, {"BypassGovernanceRetention": True}),
            (
                storage.owner.put_object_retention,
                {"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": sooner}},
            ),
            (
                storage.owner.put_object_retention,
                {
                    "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": sooner},
                    "BypassGovernanceRetention": True,
                },
            ),
        ):
            with pytest.raises(ClientError) as caught:
                attempt(**which, **more)
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}
        with pytest.raises(BlobLocked):
            kept_in.blobs().delete(name)
        with pytest.raises(BlobLocked):
            kept_in.blobs().retain(name, sooner)
    # Nor the platform itself, were its row to say that the recording is shredded.
    Recording.objects.filter(pk=recording.pk).update(state=RecordingState.SHREDDED.value)
    assert retire.remove(Recording.objects.get(pk=recording.pk)) is False
    Recording.objects.filter(pk=recording.pk).update(state=RecordingState.STORED.value)
    assert len(names(recording)) == 3
    plays(recording)


def test_a_hold_keeps_a_recording_beyond_its_date_and_its_release_lets_it_go(
    gathered: Recording, cast: Any
):
    recording = kept_for(gathered, 8)
    officer = cast.acting(cast.officer)
    placed = retire.hold(officer, recording.pk, "A complaint was announced.")
    until = max(kept_in.blobs().retained_until(name) for name in names(recording))
    while datetime.now(UTC) <= until + timedelta(seconds=1):
        time.sleep(0.1)  # the storage's own clock, which nobody here moves
    retire.retire()
    with refused(Verb.RECORDING_SHRED, "recording_held"):
        retire.shred(recording.pk)
    assert state_of(recording.pk) == RecordingState.STORED
    assert len(names(recording)) == 3
    plays(recording)
    retire.release(officer, placed.pk)
    retire.retire()
    assert state_of(recording.pk) == RecordingState.REMOVED
    assert names(recording) == []
    for film in StoredFilm.objects.filter(recording=recording):
        with pytest.raises(KeyDestroyed):
            recording_keys.data_key(recording.pk, film.pk)
    assert len(deeds(Verb.RECORDING_REMOVE)) == 1

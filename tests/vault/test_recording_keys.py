"""A recording's keys: made once, bound to their place, counted, and gone when destroyed."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core import serializers
from django.db import IntegrityError, transaction
from joserfc.util import urlsafe_b64decode

from foundation.keys import WrapRefused
from vault import keyring, recording_keys, signing
from vault.models import DataKey, RecordingKey, SigningKey
from vault.recording_keys import KeyDestroyed


@pytest.fixture
def organisation(cast) -> UUID:
    return cast.hospital.pk


@pytest.fixture
def recording(organisation) -> UUID:
    recording_id = uuid4()
    recording_keys.make(organisation, recording_id)
    return recording_id


def stored(row: RecordingKey | DataKey) -> str:
    row.refresh_from_db()
    return serializers.serialize("json", [row])


def test_the_public_half_belongs_to_the_private_one(organisation):
    recording_id = uuid4()
    public = recording_keys.make(organisation, recording_id)
    private = recording_keys.private_half(recording_id)
    assert private.public_key().public_bytes_raw() == public
    assert bytes(RecordingKey.objects.get(pk=recording_id).public) == public


def test_a_recording_has_one_key(organisation, recording):
    before = stored(RecordingKey.objects.get(pk=recording))
    with pytest.raises(IntegrityError), transaction.atomic():
        recording_keys.make(organisation, recording)
    assert stored(RecordingKey.objects.get(pk=recording)) == before


def test_no_two_keys_are_alike(organisation, recording):
    other = uuid4()
    recording_keys.make(organisation, other)
    keys = {
        recording_keys.make_data_key(one, uuid4()) for one in (recording, recording, other, other)
    }
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)
    pair = [recording_keys.private_half(one).private_bytes_raw() for one in (recording, other)]
    assert pair[0] != pair[1]


def test_a_data_key_is_the_same_each_time_and_its_reading_is_counted(recording):
    object_id = uuid4()
    made = recording_keys.make_data_key(recording, object_id)
    assert recording_keys.make_data_key(recording, object_id) == made
    assert DataKey.objects.get(pk=object_id).uses == 0
    assert [recording_keys.data_key(recording, object_id) for _ in range(3)] == [made] * 3
    assert DataKey.objects.get(pk=object_id).uses == 3
    recording_keys.private_half(recording)
    assert RecordingKey.objects.get(pk=recording).private_uses == 1


def test_an_object_of_another_recording_has_no_key_here(organisation, recording):
    other, object_id = uuid4(), uuid4()
    recording_keys.make(organisation, other)
    recording_keys.make_data_key(recording, object_id)
    with pytest.raises(KeyDestroyed):
        recording_keys.data_key(other, object_id)
    with pytest.raises(KeyDestroyed):
        recording_keys.data_key(recording, uuid4())
    with pytest.raises(KeyDestroyed):
        recording_keys.data_key(uuid4(), object_id)


def swapped(one: RecordingKey | DataKey, other: RecordingKey | DataKey, field: str) -> None:
    type(one).objects.filter(pk=one.pk).update(**{field: getattr(other, field)})


def test_a_wrap_in_anothers_place_does_not_open(organisation, recording):
    other, mine, theirs = uuid4(), uuid4(), uuid4()
    recording_keys.make(organisation, other)
    recording_keys.make_data_key(recording, mine)
    recording_keys.make_data_key(recording, theirs)
    rows = [RecordingKey.objects.get(pk=pk) for pk in (recording, other)]
    with transaction.atomic():
        swapped(*rows, "private_wrapped")
        with pytest.raises(WrapRefused):
            recording_keys.private_half(recording)
        transaction.set_rollback(True)
    with transaction.atomic():
        swapped(*rows, "wrapped")
        with pytest.raises(WrapRefused):
            recording_keys.data_key(recording, mine)
        transaction.set_rollback(True)
    swapped(*(DataKey.objects.get(pk=pk) for pk in (mine, theirs)), "wrapped")
    with pytest.raises(WrapRefused):
        recording_keys.data_key(recording, mine)


def test_a_recording_moved_to_another_organisation_does_not_open(cast, recording):
    for change in (
        {"organisation_id": cast.elsewhere.pk},
        {"organisation_key_id": keyring.active_key_id(cast.elsewhere.pk)},
    ):
        with transaction.atomic():
            RecordingKey.objects.filter(pk=recording).update(**change)
            with pytest.raises(WrapRefused):
                recording_keys.private_half(recording)
            transaction.set_rollback(True)
    recording_keys.private_half(recording)


@pytest.mark.parametrize("field", ["wrapped", "private_wrapped"])
def test_a_wrap_that_was_changed_or_cut_does_not_open(recording, field):
    row = RecordingKey.objects.get(pk=recording)
    raw = bytes(getattr(row, field))
    for at in range(0, len(raw), 7):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        for damaged in (changed, raw[:at]):
            if not damaged:
                continue
            RecordingKey.objects.filter(pk=recording).update(**{field: damaged})
            with pytest.raises(WrapRefused):
                recording_keys.private_half(recording)


def test_both_the_organisations_key_and_the_master_key_are_needed(recording, tmp_path, monkeypatch):
    from foundation.keys import localfile

    stolen = tmp_path / "another.json"
    localfile.create(stolen)
    service = localfile.LocalKeyFile(stolen)
    with monkeypatch.context() as patched:
        patched.setattr(keyring, "key_service", lambda: service)
        with pytest.raises(WrapRefused):
            recording_keys.private_half(recording)
    with monkeypatch.context() as patched:
        patched.setattr(keyring, "derived", lambda key_id, purpose: b"k" * 32)
        with pytest.raises(WrapRefused):
            recording_keys.private_half(recording)


def test_the_private_half_is_destroyed_and_the_films_still_open(recording):
    object_id = uuid4()
    made = recording_keys.make_data_key(recording, object_id)
    recording_keys.destroy_private_half(recording)
    destroyed = RecordingKey.objects.get(pk=recording)
    recording_keys.destroy_private_half(recording)
    row = RecordingKey.objects.get(pk=recording)
    assert row.private_destroyed_at == destroyed.private_destroyed_at
    assert bytes(row.private_wrapped) == b""
    with pytest.raises(KeyDestroyed):
        recording_keys.private_half(recording)
    assert recording_keys.data_key(recording, object_id) == made


def test_what_was_shredded_opens_for_nobody(recording):
    object_id = uuid4()
    recording_keys.make_data_key(recording, object_id)
    assert not recording_keys.is_shredded(recording)
    assert recording_keys.shred(recording)
    assert not recording_keys.shred(recording), "only once"
    assert recording_keys.is_shredded(recording)
    row = RecordingKey.objects.get(pk=recording)
    assert (bytes(row.wrapped), bytes(row.private_wrapped)) == (b"", b"")
    assert bytes(DataKey.objects.get(pk=object_id).wrapped) == b""
    for ask in (
        lambda: recording_keys.private_half(recording),
        lambda: recording_keys.data_key(recording, object_id),
        lambda: recording_keys.make_data_key(recording, object_id),
        lambda: recording_keys.make_data_key(recording, uuid4()),
    ):
        with pytest.raises(KeyDestroyed):
            ask()


def test_one_wrap_from_a_backup_is_enough_while_the_master_key_is_the_same(recording):
    """Why shredding is complete only when the master key's generation has ended."""
    object_id = uuid4()
    made = recording_keys.make_data_key(recording, object_id)
    backup = RecordingKey.objects.get(pk=recording), DataKey.objects.get(pk=object_id)
    recording_keys.shred(recording)
    for row in backup:
        row.save()
    assert recording_keys.data_key(recording, object_id) == made


def test_no_key_stands_in_the_database(recording):
    object_id = uuid4()
    secrets = [
        recording_keys.make_data_key(recording, object_id),
        recording_keys.private_half(recording).private_bytes_raw(),
    ]
    rows = (RecordingKey.objects.get(pk=recording), DataKey.objects.get(pk=object_id))
    raw = b"".join(
        bytes(value)
        for row in rows
        for value in row.__dict__.values()
        if isinstance(value, bytes | memoryview)
    )
    assert all(secret not in raw for secret in secrets)
    assert all(secret.hex() not in repr(row) for secret in secrets for row in rows)


def test_a_manifest_is_signed_by_a_key_that_signs_nothing_else(cast):
    kid, signature = signing.sign_bytes(SigningKey.Purpose.MANIFEST, b"said")
    public = dict(signing.public_keys(SigningKey.Purpose.MANIFEST))[kid]
    Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(public.encode())).verify(
        signature, b"said"
    )
    others = [SigningKey.Purpose.TICKET, SigningKey.Purpose.LEASE]
    assert not {kid} & {kid for purpose in others for kid, _ in signing.public_keys(purpose)}

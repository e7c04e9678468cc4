"""The end of a recording: on its date, never under a hold, and for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access.verbs import Verb
from audit.clock import database_now
from audit.models import TrailRow
from recordings import storage
from recordings.actions import retire
from recordings.lifecycle import RecordingState
from recordings.models import Hold, Recording, StoredFilm
from tests.audit.reading import deeds, refused
from tests.recordings.calls import Call, state_of
from vault import recording_keys
from vault.recording_keys import KeyDestroyed


def come_to_its_date(recording: Recording) -> None:
    Recording.objects.filter(pk=recording.pk).update(
        delete_after=database_now() - timedelta(seconds=1)
    )


def test_before_its_date_nothing_happens(kept: Recording):
    retire.retire()
    assert state_of(kept.pk) == RecordingState.STORED
    with refused(Verb.RECORDING_SHRED, "wrong_state"):
        retire.shred(kept.pk)
    film = StoredFilm.objects.first()
    assert recording_keys.data_key(kept.pk, film.pk)


def test_on_its_date_it_opens_for_nobody_and_locked_bytes_stay_until_their_lock_ends(
    kept: Recording, monkeypatch
):
    come_to_its_date(kept)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.SHREDDED
    for film in StoredFilm.objects.all():
        with pytest.raises(KeyDestroyed):
            recording_keys.data_key(kept.pk, film.pk)
    folder = storage.folder(kept.organisation_id, kept.pk)
    assert len(list(storage.blobs().names(folder))) == 3, "two films and a manifest"
    assert deeds(Verb.RECORDING_SHRED)
    # The lock ends.
    unlock(monkeypatch)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.REMOVED
    assert list(storage.blobs().names(folder)) == []
    assert deeds(Verb.RECORDING_REMOVE)
    retire.retire()
    assert len(deeds(Verb.RECORDING_REMOVE)) == 1


def unlock(monkeypatch) -> None:
    """A day on which every lock has ended."""
    from foundation.blobs import local

    real = local.datetime

    class Later(real):
        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + timedelta(days=5_000)

    monkeypatch.setattr(local, "datetime", Later)


def test_a_hold_always_wins(call: Call, cast, kept: Recording):
    officer = cast.acting(cast.officer)
    placed = retire.hold(officer, kept.pk, "A complaint was announced.")
    come_to_its_date(kept)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.STORED
    with refused(Verb.RECORDING_SHRED, "recording_held"):
        retire.shred(kept.pk)
    retire.release(officer, placed.pk)
    with refused(Verb.RECORDING_RELEASE, "wrong_state"):
        retire.release(officer, placed.pk)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.SHREDDED


def test_two_holds_are_two(cast, kept: Recording):
    officer = cast.acting(cast.officer)
    first, second = (retire.hold(officer, kept.pk, f"Reason {n}") for n in range(2))
    come_to_its_date(kept)
    retire.release(officer, first.pk)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.STORED
    retire.release(officer, second.pk)
    retire.retire()
    assert state_of(kept.pk) == RecordingState.SHREDDED


def test_only_an_officer_of_this_house_holds_and_releases(call: Call, cast, kept: Recording):
    placed = retire.hold(cast.acting(cast.officer), kept.pk, "A complaint was announced.")
    for somebody, reason in (
        (call.clinician, "not_permitted"),
        (call.patient, "not_permitted"),
        (cast.acting(cast.foreign_officer), "not_found"),
        (cast.acting(cast.officer, mfa=False), "second_factor_required"),
    ):
        with refused(Verb.RECORDING_HOLD, reason):
            retire.hold(somebody, kept.pk, "A reason.")
        with refused(Verb.RECORDING_RELEASE, reason):
            retire.release(somebody, placed.pk)
    assert Hold.objects.filter(released_at__isnull=True).count() == 1


def test_a_hold_has_a_reason_and_the_trail_does_not_repeat_it(cast, kept: Recording):
    officer = cast.acting(cast.officer)
    for reason in ("", "  ", "x" * 501):
        with refused(Verb.RECORDING_HOLD, "form_invalid"):
            retire.hold(officer, kept.pk, reason)
    retire.hold(officer, kept.pk, "Canaryreason of somebody.")
    assert Hold.objects.get().reason == "Canaryreason of somebody."
    assert not TrailRow.objects.filter(body__contains="Canaryreason").exists()


def test_what_was_shredded_cannot_be_held(cast, kept: Recording):
    come_to_its_date(kept)
    retire.retire()
    with refused(Verb.RECORDING_HOLD, "wrong_state"):
        retire.hold(cast.acting(cast.officer), kept.pk, "Too late.")

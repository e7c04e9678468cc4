"""From what was gathered to what is stored: films, sealed, read back, and a signed manifest.

Every step may be cut off and repeated: a film has a name and a key of its own that stay, and one
that lies in the storage already is read back instead of being made again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.db.models import Q

from access import gate
from access.actions import action
from access.verbs import Verb
from audit import trail
from audit.clock import database_now
from foundation.actor import service
from foundation.blobs import BlobMissing, BlobsUnavailable
from foundation.fault_points import reached
from foundation.sealing.errors import Refused
from foundation.sealing.reading import SegmentsReader
from foundation.sealing.records import Protection
from foundation.sealing.stored import HEAD_BYTES, ObjectHeader, ObjectReader, ObjectWriter, Wanted
from meetings.lifecycle import next_state
from meetings.rooms import room_changed
from outbox.publishing import publish
from outbox.topics import TASK_TOPIC
from recordings import manifests
from recordings.actions import trouble
from recordings.films.clock import Segment
from recordings.films.plan import Film, Plan, plan, write
from recordings.lifecycle import RECORDING, RecordingState
from recordings.models import Recording, Run, StoredFilm
from recordings.segments import reader
from recordings.storage import blobs, film_name, manifest_name, segments_prefix
from vault import recording_keys

MAKER = service("recordings")

#: A worker that was killed is back and has shipped its spool well within this.
PATIENCE = timedelta(minutes=2)

#: Who makes films says so at least this often; after the lease somebody else begins anew.
LEASE = timedelta(seconds=60)
SAY_EVERY = timedelta(seconds=5)

#: Segments of a stored recording that are still there then: whoever removed them died.
DROPPED_WITHIN = timedelta(minutes=1)


class SomebodyElseMakesIt(RuntimeError):
    """The lease ran out under our hands."""


def advance() -> None:
    """What the beat does: closes what was gathered, and has films made that nobody makes."""
    now = database_now()
    for recording in Recording.objects.filter(state=RecordingState.GATHERING):
        _close(recording)
    waiting = Recording.objects.filter(state=RecordingState.SEALING).filter(
        Q(maker_until__isnull=True) | Q(maker_until__lt=now)
    )
    for recording in waiting:
        with transaction.atomic():
            _ask_for_films(recording)
    left = Recording.objects.filter(
        state=RecordingState.STORED,
        segments_dropped_at__isnull=True,
        stored_at__lt=now - DROPPED_WITHIN,
    )
    for recording in left:
        with transaction.atomic():
            _ask_for("recordings.drop_segments", recording)


def _close(recording: Recording) -> None:
    """Every run has said its last word, or enough time has passed. Then nothing more is taken.

    Not an ``action``: who comes second has done nothing, and the trail says nothing of it.
    """
    with transaction.atomic(durable=True):
        gathering = Recording.objects.filter(pk=recording.pk, state=RecordingState.GATHERING)
        locked = gathering.select_for_update().first()
        if locked is None:
            return
        runs = list(locked.runs.all())
        if not _nothing_more_comes(locked, runs):
            return
        gate.check(MAKER, Verb.RECORDING_SEAL, locked)
        assert locked.ended_at is not None
        until = locked.ended_at + timedelta(days=locked.policy.keep_days)
        to = next_state(RECORDING, locked.state, "seal" if runs else "give_up")
        gathering.update(state=to, delete_after=until)
        trail.record(
            MAKER,
            Verb.RECORDING_SEAL.value,
            trail.Outcome.DONE,
            subject=locked.trail_name,
            organisation_id=locked.organisation_id,
            details={
                "from": RecordingState.GATHERING.value,
                "to": to.value,
                "runs": len(runs),
                "unfinished": sum(not run.finished for run in runs),
            },
        )
        room_changed(locked.meeting)
        if runs:
            _ask_for_films(locked)


def _nothing_more_comes(recording: Recording, runs: list[Run]) -> bool:
    assert recording.ended_at is not None
    if runs and all(run.finished for run in runs):
        return True
    newest = max([recording.ended_at, *(run.newest_at for run in runs)])
    return database_now() >= newest + PATIENCE


def _ask_for_films(recording: Recording) -> None:
    _ask_for("recordings.make_films", recording)


def _ask_for(task: str, recording: Recording) -> None:
    publish(TASK_TOPIC, recording.organisation_id, {"name": task, "args": [str(recording.pk)]})


def make_films(recording_id: UUID) -> None:
    """Make, store and read back everything of one recording. Repeating it is harmless.

    Raises what the storage, the vault and the segments' reader raise; the row says what of it
    lasts. The lease then lapses and the beat asks again.
    """
    me = uuid4()
    if not _take(recording_id, me):
        return
    recording = Recording.objects.select_related("policy", "text", "meeting").get(pk=recording_id)
    gate.require(MAKER, Verb.RECORDING_SEAL, recording)
    try:
        with trouble.of_storage(recording):
            _make(recording, _Progress(recording, me))
    except Refused as refusal:
        trouble.refuse_segments(recording, refusal)
        raise
    except BlobsUnavailable:
        # Not for the whole lease: the storage may be back before.
        mine = Recording.objects.filter(pk=recording_id, maker=me)
        mine.update(maker_until=database_now() + SAY_EVERY)
        raise


def _make(recording: Recording, progress: _Progress) -> None:
    segments = reader(recording)
    reached("films.key_unwrapped")
    assert recording.started_at is not None
    started_us = int(recording.started_at.timestamp() * 1_000_000)
    seen = plan(lambda: progress.through(segments), started_us)
    _fix_consents(recording)
    progress.total = 2 * sum(film.plaintext_bytes for film in seen.films)
    films = [_store(recording, film, segments, progress) for film in seen.films]
    _store_manifest(recording, seen, films)
    progress.say(100)
    _stored(recording, seen, films)
    reached("films.stored")


def drop_segments(recording_id: UUID) -> None:
    """What the films were made of goes; it opens for nobody any more. May be repeated."""
    recording = Recording.objects.get(pk=recording_id)
    if recording.state != RecordingState.STORED:
        return
    with trouble.of_storage(recording):
        for name in list(blobs().names(segments_prefix(recording.organisation_id, recording.pk))):
            blobs().delete(name)
            reached("segments.dropping")
    Recording.objects.filter(pk=recording_id).update(segments_dropped_at=database_now())


# ---------------------------------------------------------------- one maker at a time


def _take(recording_id: UUID, me: UUID) -> bool:
    now = database_now()
    return bool(
        Recording.objects.filter(pk=recording_id, state=RecordingState.SEALING)
        .filter(Q(maker_until__isnull=True) | Q(maker_until__lt=now))
        .update(maker=me, maker_until=now + LEASE, percent=0)
    )


@dataclass
class _Progress:
    """Says how far we are, and with that that we live. Raises ``SomebodyElseMakesIt``."""

    recording: Recording
    me: UUID
    total: int = 1
    done: int = 0

    def __post_init__(self) -> None:
        self._said_at = time.monotonic()

    def add(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self._said_at >= SAY_EVERY.total_seconds():
            self.say(min(99, 100 * self.done // max(1, self.total)))

    def through(self, segments: SegmentsReader) -> Iterator[Segment]:
        """The segments; reading those of hours takes longer than the lease, before a byte comes."""
        for segment in segments:
            self.add(0)
            yield segment

    def say(self, percent: int) -> None:
        self._said_at = time.monotonic()
        now = database_now()
        mine = Recording.objects.filter(pk=self.recording.pk, maker=self.me)
        with transaction.atomic():
            if not mine.update(maker_until=now + LEASE, percent=percent):
                raise SomebodyElseMakesIt
            room_changed(self.recording.meeting)  # the call may go on, and its pages show it


# ---------------------------------------------------------------- films


def _fix_consents(recording: Recording) -> None:
    """The recording has ended: what was agreed to and withdrawn is fixed, once."""
    if not recording.consent_digest:
        digest = manifests.consent_digest(recording).hex()
        Recording.objects.filter(pk=recording.pk, consent_digest="").update(consent_digest=digest)
        recording.refresh_from_db(fields=["consent_digest"])


def _store(
    recording: Recording, film: Film, segments: SegmentsReader, progress: _Progress
) -> StoredFilm:
    row, _ = StoredFilm.objects.get_or_create(
        pk=uuid5(recording.pk, f"{film.place}/{'+'.join(film.sources)}"),
        defaults={
            "organisation_id": recording.organisation_id,
            "recording": recording,
            "place_id": film.place,
            "sources": list(film.sources),
            "starts_ms": film.starts_ms,
            "duration_ms": film.duration_ms,
            "plaintext_bytes": film.plaintext_bytes,
        },
    )
    if row.read_back_at is not None:
        progress.add(2 * film.plaintext_bytes)
        return row
    key = recording_keys.make_data_key(recording.pk, row.pk)
    name = film_name(recording.organisation_id, recording.pk, row.pk)
    if not _lies_there(name):
        header = ObjectHeader(
            recording.organisation_id,
            recording.pk,
            row.pk,
            bytes.fromhex(recording.consent_digest),
            Protection.NONE,
            film.plaintext_bytes,
        )
        pieces = write(film, lambda: progress.through(segments))
        sealed = _sealed(ObjectWriter(header, key), pieces, progress)
        blobs().upload(name, sealed, retain_until=recording.delete_after)
        reached("films.uploaded")
    else:
        progress.add(film.plaintext_bytes)
    _read_back(recording, row, name, key, progress)
    return row


def _sealed(writer: ObjectWriter, pieces: Iterator[bytes], progress: _Progress) -> Iterator[bytes]:
    yield writer.begin()
    for piece in pieces:
        progress.add(len(piece))
        stored = writer.write(piece)
        if stored:
            yield stored
    yield writer.finish()


def _lies_there(name: str) -> bool:
    try:
        blobs().size(name)
    except BlobMissing:
        return False
    return True


def _read_back(
    recording: Recording, row: StoredFilm, name: str, key: bytes, progress: _Progress
) -> None:
    """From the storage, to its end, every chunk opened. Raises ``sealing.errors.Refused``."""

    def fetch(start: int, end: int) -> bytes:
        return blobs().read(name, start, end)

    commitment = fetch(0, HEAD_BYTES)[-32:]
    wanted = Wanted(
        recording.organisation_id,
        recording.pk,
        row.pk,
        bytes.fromhex(recording.consent_digest),
        Protection.NONE,
        commitment,
    )
    stored = ObjectReader(wanted, fetch, key)
    row.sha256 = stored.whole(lambda piece: progress.add(len(piece))).hex()
    row.key_commitment = commitment.hex()
    row.size = stored.bytes
    row.plaintext_bytes = stored.header.plaintext_bytes
    row.read_back_at = database_now()
    reached("films.checked")
    row.save()
    reached("films.read_back")


def _store_manifest(recording: Recording, seen: Plan, films: list[StoredFilm]) -> None:
    if not recording.manifest:
        written = manifests.write(recording, seen, films)
        Recording.objects.filter(pk=recording.pk, manifest="").update(manifest=written)
        recording.refresh_from_db(fields=["manifest"])
    reached("manifest.signed")
    name = manifest_name(recording.organisation_id, recording.pk)
    data = recording.manifest.encode()
    blobs().upload(name, [data], retain_until=recording.delete_after)
    if blobs().read(name, 0, len(data) + 1) != data:
        raise RuntimeError("the manifest in the storage is not the one that was signed")
    reached("manifest.stored")


def _stored(recording: Recording, seen: Plan, films: list[StoredFilm]) -> None:
    """Only now is it called stored; what opens the segments is destroyed with that."""
    with action(MAKER, Verb.RECORDING_STORE, Recording.objects.filter(pk=recording.pk)) as act:
        to = next_state(RECORDING, act.subject.state, "store")
        done = {"stored_at": database_now(), "maker": None, "maker_until": None}
        act.move(act.subject, to, **done, seal_refusal="", trouble="")
        recording_keys.destroy_private_half(recording.pk)
        act.details |= {
            "films": len(films),
            "bytes": sum(film.size for film in films),
            "consents": recording.consent_digest,
            # From when to when no worker recorded, as the manifest says it.
            "away_ms": [[gap.from_ms, gap.to_ms] for gap in seen.gaps if gap.reason == "away"],
        }
        act.publish(TASK_TOPIC, {"name": "recordings.drop_segments", "args": [str(recording.pk)]})
        room_changed(recording.meeting)

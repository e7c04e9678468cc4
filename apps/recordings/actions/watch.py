"""Looking at what is stored: a viewing is opened, films are read by it; the trail has both."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import F

from access import gate
from access.actions import action
from access.verbs import Verb
from audit.clock import database_now
from foundation.actor import Actor
from foundation.blobs import BlobMissing, BlobsError
from foundation.errors import ConsiliumError
from foundation.sealing.errors import ObjectMissing, Refused
from foundation.sealing.stored import ObjectReader
from recordings import viewings
from recordings.actions import trouble
from recordings.models import FilmRead, Recording, StoredFilm, Viewing
from recordings.ranges import Span
from recordings.viewings import Screen
from vault.recording_keys import KeyDestroyed

log = logging.getLogger(__name__)

#: An hour's visit is seen in two; who needs longer opens another and says why again.
LASTS = timedelta(minutes=30)

MAX_REASON_CHARS = 500


def play(actor: Actor, recording_id: UUID, session: str, reason: str = "") -> Viewing:
    """The clinician who hosted looks again, if the recording's own policy allows that.

    ``session``: ``viewings.session_name``. Refused: ``playing_not_allowed``, ``reason_missing`` (a
    reason that is too long), and what the gate says.
    """
    with action(actor, Verb.RECORDING_PLAY, Recording.objects.filter(pk=recording_id)) as act:
        if not act.subject.policy.clinician_may_play:
            raise ConsiliumError("playing_not_allowed")
        viewing = _open(actor, act.subject, session, reason.strip())
        act.details |= {"viewing": str(viewing.pk), "minutes": _minutes()}
        return viewing


def inspect(actor: Actor, recording_id: UUID, session: str, reason: str) -> Viewing:
    """A compliance officer looks, for a reason. Refused: ``reason_missing``, and by the gate."""
    with action(actor, Verb.RECORDING_INSPECT, Recording.objects.filter(pk=recording_id)) as act:
        if not reason.strip():
            raise ConsiliumError("reason_missing")
        viewing = _open(actor, act.subject, session, reason.strip())
        act.details |= {"viewing": str(viewing.pk), "minutes": _minutes()}
        return viewing


def _open(actor: Actor, recording: Recording, session: str, reason: str) -> Viewing:
    if len(reason) > MAX_REASON_CHARS:
        raise ConsiliumError("reason_missing")
    assert actor.id is not None, "whoever may look is a person"
    now = database_now()
    return Viewing.objects.create(
        organisation_id=recording.organisation_id,
        recording=recording,
        person_id=actor.id,
        reason=reason,
        session=session,
        opened_at=now,
        until=now + LASTS,
    )


def _minutes() -> int:
    return int(LASTS.total_seconds() // 60)


def film_of(actor: Actor, screen: Screen, film_id: UUID) -> StoredFilm:
    """A film that may be read now; the first time it is, the trail says so. Refused by the gate."""
    gate.require(actor, Verb.VIEWING_READ, screen)
    recording = screen.viewing.recording
    film = StoredFilm.objects.filter(
        pk=film_id, recording=recording, read_back_at__isnull=False
    ).first()
    if film is None:
        raise ConsiliumError("not_found")
    if not FilmRead.objects.filter(viewing=screen.viewing, film=film).exists():
        with action(actor, Verb.VIEWING_READ, screen) as act:
            now = database_now()
            _, is_new = FilmRead.objects.get_or_create(
                viewing=screen.viewing,
                film=film,
                defaults={
                    "organisation_id": recording.organisation_id,
                    "first_at": now,
                    "latest_at": now,
                },
            )
            act.details |= {"recording": str(recording.pk), "film": str(film.pk)}
            if not is_new:
                act.details |= {"again": True}  # two requests for it came at once
    return film


def read(actor: Actor, screen: Screen, film: StoredFilm, span: Span) -> Iterator[bytes]:
    """Those bytes of the film, in pieces, each of which was authenticated before it is given.

    The viewing is looked at again before each mebibyte: who shreds waits for nobody. Raises, also
    in the middle, ``viewing_over``, ``recording_damaged`` or ``try_later``, which are on the trail
    then. What was given is counted.
    """
    given = 0
    try:
        with trouble.of_storage(screen.viewing.recording):
            opened = viewings.reader(screen.viewing.recording, film)
            for start in range(span.start, span.end, _LOOK_EVERY_BYTES):
                end = min(start + _LOOK_EVERY_BYTES, span.end)
                if given:
                    screen.viewing.recording.refresh_from_db(fields=["state"])
                    gate.check(actor, Verb.VIEWING_READ, screen)
                for piece in _pieces(opened, start, end):
                    given += len(piece)
                    yield piece
    except (BlobsError, Refused, KeyDestroyed, ConsiliumError) as problem:
        raise _refusal(actor, screen, film, problem) from None
    finally:
        FilmRead.objects.filter(viewing=screen.viewing, film=film).update(
            answers=F("answers") + 1,
            given_bytes=F("given_bytes") + given,
            latest_at=database_now(),
        )


#: What the storage is asked for at once; see ``foundation.sealing.stored``.
_LOOK_EVERY_BYTES = 1 << 20
_PIECE_BYTES = 1 << 18


def _pieces(opened: ObjectReader, start: int, end: int) -> Iterator[bytes]:
    """Larger ones than chunks: each costs the server a turn of its loop."""
    held = bytearray()
    for chunk in opened.read(start, end):
        held += chunk
        if len(held) >= _PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _refusal(
    actor: Actor,
    screen: Screen,
    film: StoredFilm,
    problem: BlobsError | Refused | KeyDestroyed | ConsiliumError,
) -> ConsiliumError:
    """What whoever looks is told, once it is on the trail and its cause in the log."""
    if isinstance(problem, ConsiliumError):
        refusal = problem
    elif isinstance(problem, KeyDestroyed):
        refusal = ConsiliumError("viewing_over")
    else:
        # Names and numbers only: neither error ever holds contents.
        log.error("film %s cannot be read: %s", film.pk, problem)
        if isinstance(problem, BlobMissing):
            problem = ObjectMissing({"object": str(film.pk)})
        damaged = isinstance(problem, Refused)
        if damaged:
            trouble.damaged(screen.viewing.recording)
        refusal = ConsiliumError("recording_damaged" if damaged else "try_later")
    gate.record_refusal(actor, Verb.VIEWING_READ, refusal, screen)
    return refusal

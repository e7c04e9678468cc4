"""A viewing as one screen holds it: whose it is, whether it is open, and what can be read by it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from access.facts import Facts
from audit.clock import database_now
from foundation.actor import Actor, ActorKind
from foundation.errors import ConsiliumError
from foundation.sealing.records import Protection
from foundation.sealing.stored import ObjectReader, Wanted
from recordings.lifecycle import RecordingState, ViewingState
from recordings.models import Recording, StoredFilm, Viewing
from recordings.storage import blobs, film_name
from vault import recording_keys, sealing

#: Whoever may open a viewing; who is neither any more reads no further.
_MAY_LOOK = frozenset({"clinician_who_hosted", "compliance_officer"})


def session_name(session_key: str | None) -> str:
    """What a viewing keeps of the session that opened it. Raises ``ConsiliumError`` for none."""
    if not session_key:
        raise ConsiliumError("sign_in_required")
    return sealing.keyed_hash("viewing", session_key)


@dataclass(frozen=True, slots=True)
class Screen:
    """A viewing on the screen of one session. ``viewer``: its person, where it was opened."""

    viewing: Viewing
    session: str

    def facts_for(self, actor: Actor) -> Facts:
        facts = self.viewing.recording.facts_for(actor)
        is_theirs = (
            actor.kind is ActorKind.PERSON
            and self.viewing.person_id == actor.id
            and self.viewing.session == self.session
            and bool(facts.roles & _MAY_LOOK)
        )
        return Facts(
            same_organisation=facts.same_organisation,
            roles=facts.roles | ({"viewer"} if is_theirs else frozenset()),
            state=state_of(self.viewing).value,
            assurance=actor.assurance,
        )

    @property
    def trail_name(self) -> str:
        return self.viewing.trail_name

    @property
    def trail_organisation_id(self) -> UUID:
        return self.viewing.organisation_id


def state_of(viewing: Viewing) -> ViewingState:
    """Shredding ends every viewing at once, and so does the clock."""
    is_open = viewing.recording.state == RecordingState.STORED and database_now() < viewing.until
    return ViewingState.OPEN if is_open else ViewingState.ENDED


def find(recording_id: UUID, viewing_id: UUID, session: str) -> Screen:
    """As it is now. Raises ``not_found``."""
    viewing = (
        Viewing.objects.select_related("recording__meeting", "recording__keeper")
        .filter(pk=viewing_id, recording_id=recording_id)
        .first()
    )
    if viewing is None:
        raise ConsiliumError("not_found")
    return Screen(viewing, session)


def reader(recording: Recording, film: StoredFilm) -> ObjectReader:
    """Opens any part of a stored film. It holds the data key: keep it for one answer.

    Raises ``KeyDestroyed``, and what the storage and FORMAT.md name.
    """
    name = film_name(recording.organisation_id, recording.pk, film.pk)
    wanted = Wanted(
        recording.organisation_id,
        recording.pk,
        film.pk,
        bytes.fromhex(recording.consent_digest),
        Protection.NONE,
        bytes.fromhex(film.key_commitment),
    )
    key = recording_keys.data_key(recording.pk, film.pk)
    return ObjectReader(wanted, lambda start, end: blobs().read(name, start, end), key)

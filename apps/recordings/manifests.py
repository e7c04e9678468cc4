"""The manifest of a recording, from its rows. See foundation/sealing/FORMAT.md section 4."""

from __future__ import annotations

import base64
from datetime import datetime

from audit.clock import database_now
from foundation.sealing import manifest as sealing
from foundation.sealing.shape import Attestation, Consent, GapEntry, Manifest, SourceName
from meetings.models import Consent as ConsentRow
from recordings.films.plan import Plan
from recordings.models import Recording, StoredFilm
from vault import signing
from vault.models import SigningKey


def consents_of(recording: Recording) -> list[Consent]:
    rows = ConsentRow.objects.filter(
        participation__meeting_id=recording.meeting_id, question=recording.pk
    ).order_by("given_at", "pk")
    return [
        Consent(
            place=str(row.participation_id),
            text=str(row.text_id),
            text_sha256=recording.text.sha256,
            given_at=moment(row.given_at),
            withdrawn_at=moment(row.withdrawn_at) if row.withdrawn_at else None,
        )
        for row in rows
    ]


def attestations_of(recording: Recording) -> list[Attestation]:
    return [
        Attestation(by=str(row.by_id), at=moment(row.at), others=row.others)
        for row in recording.attestations.order_by("at", "pk")
    ]


def consent_digest(recording: Recording) -> bytes:
    """Binds objects to the consents; computed when the recording has ended."""
    return sealing.consent_digest(consents_of(recording), attestations_of(recording))


def write(recording: Recording, plan: Plan, films: list[StoredFilm]) -> str:
    """The signed manifest of a recording whose films were all read back."""
    assert recording.started_at is not None
    assert recording.ended_at is not None
    assert recording.delete_after is not None
    said = Manifest(
        format="consilium/manifest",
        version=1,
        critical=[],
        organisation=str(recording.organisation_id),
        recording=str(recording.pk),
        meeting=str(recording.meeting_id),
        mode="governed",
        made_at=moment(database_now()),
        started_at=moment(recording.started_at),
        ended_at=moment(recording.ended_at),
        policy={
            "id": str(recording.policy_id),
            "version": recording.policy.version,
            "sha256": recording.policy.sha256,
            "delete_after": moment(recording.delete_after),
        },
        consents=consents_of(recording),
        attestations=attestations_of(recording),
        consent_digest=recording.consent_digest,
        runs=[
            {
                "run": str(run.pk),
                "segments": run.segments,
                "head": run.head,
                "finished": run.finished,
            }
            for run in recording.runs.order_by("number")
        ],
        gaps=_gaps(plan, films),
        objects=[
            {
                "object": str(film.pk),
                "place": str(film.place_id),
                "sources": film.sources,
                "starts_ms": film.starts_ms,
                "plaintext_bytes": film.plaintext_bytes,
                "bytes": film.size,
                "sha256": film.sha256,
                "key_commitment": film.key_commitment,
            }
            for film in films
        ],
    )
    purpose = SigningKey.Purpose.MANIFEST
    keys = {
        kid: base64.urlsafe_b64decode(public + "==") for kid, public in signing.public_keys(purpose)
    }
    return sealing.sign_by(said, lambda data: signing.sign_bytes(purpose, data), keys).decode()


def moment(at: datetime) -> str:
    """UTC, in whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _gaps(plan: Plan, films: list[StoredFilm]) -> list[GapEntry]:
    """Those of a source that is in no film have nothing to be a gap of."""
    object_of: dict[tuple[str, SourceName], str] = {
        (str(film.place_id), source): str(film.pk) for film in films for source in film.sources
    }
    found = []
    for gap in plan.gaps:
        name = None
        if gap.place is not None:
            name = object_of.get((str(gap.place), gap.source))  # type: ignore[arg-type]
            if name is None:
                continue
        found.append(
            GapEntry(from_ms=gap.from_ms, to_ms=gap.to_ms, object=name, reason=gap.reason)  # type: ignore[typeddict-item]
        )
    return found

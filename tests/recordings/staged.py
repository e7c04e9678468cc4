"""A recording whose call never was: what a worker shipped, for an installation that runs.

Its own Celery makes the films of it. Whatever would tell a real media worker something is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import Membership, Person, email_index
from audit.clock import database_now
from foundation.sealing.records import EVERY_STREAM, Gap, GapReason
from foundation.wire.browser import Mode
from media.models import MediaWorker, Placement
from meetings import consents
from meetings.actions import plan
from meetings.lifecycle import PlaceState
from meetings.models import Consent, Participation
from recordings import policies
from recordings.lifecycle import RecordingState
from recordings.models import Attestation, Recording
from tests.recordings.calls import ship_by
from tests.recordings.films import studio
from vault import recording_keys

#: Seconds of the recording.
LENGTH, GUEST_COMES, PAUSED, RESUMED, WITHDRAWS = 60, 2, 30, 34, 50


def stage(email: str, patient: str = "Rosa Marchetti") -> Recording:
    """One of the clinician with this e-mail address and a patient, who shares a screen for a while.

    The patient comes later, the recording pauses once, and in the end they withdraw.
    """
    clinician = Person.objects.get_by_natural_key(email_index(email))
    hospital = Membership.objects.get(person=clinician).organisation
    meeting, issued = plan.create_meeting(
        actor_for(clinician, mfa=True),
        hospital,
        department=None,
        title="",
        mode=Mode.GOVERNED,
        relay_only=False,
        starts_at=timezone.now(),
        guest=plan.NewGuest(patient, "staged@example.test"),
    )
    here = {"organisation_id": hospital.pk}
    host = Participation.objects.create(
        **here, meeting=meeting, person=clinician, role="host", state=PlaceState.LEFT
    )
    guest = issued.invitation.participation
    began = datetime.fromtimestamp(studio.STARTED_US / 1e6, UTC)
    with transaction.atomic():
        text = consents.current_text(hospital.pk)
        policy = policies.write(hospital.pk, may_record=True)
    question = uuid4()
    for place, withdrawn_at in ((host, None), (guest, began + timedelta(seconds=WITHDRAWS))):
        Consent.objects.create(
            **here,
            participation=place,
            text=text,
            question=question,
            given_at=began,
            withdrawn_at=withdrawn_at,
        )
    recording = Recording.objects.create(
        **here,
        id=question,
        meeting=meeting,
        state=RecordingState.RECORDING,
        asked_by=host,
        keeper=host,
        text=text,
        policy=policy,
        started_at=began,
    )
    Attestation.objects.create(**here, recording=recording, by=host, others=0, at=database_now())
    with transaction.atomic():
        recording.public_key = recording_keys.make(hospital.pk, recording.pk)
    recording.save()
    worker, _ = MediaWorker.objects.get_or_create(name="staged", public_key="s" * 43)
    Placement.objects.create(**here, meeting=meeting, worker=worker, ended_at=database_now())
    ship_by(worker, recording, _with_pause(studio.run(_feeds(host, guest), LENGTH)))
    Recording.objects.filter(pk=recording.pk).update(
        state=RecordingState.GATHERING,
        ended_at=began + timedelta(seconds=LENGTH),
        end_reason="stopped",
    )
    return recording


def _feeds(host: Participation, guest: Participation) -> list[studio.Feed]:
    """Zeros behind a picture are ignored, and make it as large as one of a face."""
    feeds = []
    for number, (place, begins, ends) in enumerate(
        ((host, 0, LENGTH), (guest, GUEST_COMES, WITHDRAWS))
    ):
        person = studio.Person(place=place.pk)
        spans = ((begins, PAUSED), (RESUMED, ends))
        large = tuple(picture + bytes(8_000) for picture in studio.pictures(320, 240))
        feeds += [
            studio.camera(person, 10 * number + 1, spans=spans, content=((0, large),)),
            studio.microphone(person, 10 * number + 2, spans=spans),
        ]
        if number:
            feeds.append(
                studio.screen(person, 10 * number + 3, spans=((10, PAUSED), (RESUMED, 40)))
            )
    return feeds


def _with_pause(segments: Iterable[studio.Segment]) -> Iterator[studio.Segment]:
    for segment in segments:
        if segment.sequence == RESUMED:
            pause = Gap(EVERY_STREAM, PAUSED * 1_000_000, RESUMED * 1_000_000, GapReason.PAUSED)
            opening, *rest = segment.records
            sources = [r for r in rest if type(r).__name__ == "Source"]
            others = [r for r in rest if type(r).__name__ != "Source"]
            yield segment._replace(records=(opening, *sources, pause, *others))
        else:
            yield segment

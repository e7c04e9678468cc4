"""Processes on data of their own that take a recording's segments, and make its films.

``feed`` does what the platform's door does with each segment of a call; ``films`` what Celery does
afterwards. Each prints one line of JSON. Apart, because memory and processor time are each one's
own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from foundation.sealing.records import Record
    from tests.benchmarks.prepared import Prepared

#: Frames arrive this long after they were made, and up to so much more.
_TRAVELS_US, _JITTERS_US = 20_000, 7_000


def feed(seconds: int, people: int, media: Prepared) -> dict[str, Any]:
    """A recording of so long, over and on the roll. The worker's sealing is not counted."""
    from django.conf import settings
    from django.core.management import call_command

    from foundation.keys import localfile

    localfile.create(settings.KEY_FILE)
    call_command("migrate", verbosity=0, interactive=False)

    from foundation.sealing.runs import RunWriter
    from recordings.actions import capture, roll
    from recordings.models import Recording
    from tests.cast import assemble
    from tests.meetings.visit import acting_through
    from tests.recordings.calls import begun

    call = begun(assemble())
    recording = call.recording()
    assert recording.started_at is not None
    began = recording.started_at - timedelta(seconds=seconds)
    Recording.objects.filter(pk=recording.pk).update(started_at=began)
    places = [call.host.participation_id, call.guest.participation_id][:people]
    run = RunWriter(recording.organisation_id, recording.pk, bytes(recording.public_key))
    cost = 0.0
    for second in range(seconds):
        at_us = second * 1_000_000
        records = list(_records(at_us, int(began.timestamp() * 1e6), places, media, seconds))
        number = run.sequence
        body = run.seal(records, last=second == seconds - 1)
        before = time.process_time()
        roll.take_segment(call.worker, recording.pk, run.run, number, body)
        cost += time.process_time() - before
    capture.stop(acting_through(call.host), recording.pk)
    return {"recording": str(recording.pk), "cpu_ms": cost * 1_000}


def _records(
    at_us: int, began_us: int, places: list[UUID], media: Prepared, seconds: int
) -> Iterator[Record]:
    from foundation.sealing.records import Closing, Codec, Frame, Kind, Opening, Report, Source, Why
    from tests.benchmarks.prepared import PACKETS_A_SECOND, PICTURES_A_SECOND

    second = at_us // 1_000_000
    yield Opening(at_us, began_us + at_us, 1_000_000)
    arrives_us = at_us + _TRAVELS_US + second * 1_000 % _JITTERS_US
    for number, place in enumerate(places):
        sound, picture = 10 * number + 1, 10 * number + 2
        yield Source(sound, place, Kind.MICROPHONE, Codec.OPUS)
        yield Source(picture, place, Kind.CAMERA, Codec.VP8)
        ntp = (3_900_000_000 + second) << 32
        yield Report(sound, ntp, second * 48_000 % 2**32, arrives_us)
        yield Report(picture, ntp, second * 90_000 % 2**32, arrives_us)
        for index in range(PACKETS_A_SECOND):
            packet = second * PACKETS_A_SECOND + index
            payload = media.sounds[packet % len(media.sounds)]
            moment = arrives_us + index * 20_000
            yield Frame(sound, True, packet * 960 % 2**32, moment, packet % 65_536, 1, payload)
            if index % 2:
                continue
            shown = second * PICTURES_A_SECOND + index // 2
            payload = media.pictures[shown % len(media.pictures)]
            key = media.is_key(shown)
            yield Frame(picture, key, shown * 3_600 % 2**32, moment, shown % 65_536, 1, payload)
    if second == seconds - 1:
        yield Closing(Why.STOPPED)


def films(recording_id: UUID) -> dict[str, Any]:
    """Made, sealed, stored, read back, and the segments dropped."""
    from recordings.actions import store
    from recordings.lifecycle import RecordingState
    from recordings.models import Recording
    from tests.benchmarks.process import forget_peak, memory_mb

    Recording.objects.get(pk=recording_id)  # the database is open
    store.advance()
    forget_peak()
    idle_mb = memory_mb("VmRSS")
    began, before = time.monotonic(), time.process_time()
    store.make_films(recording_id)
    store.drop_segments(recording_id)
    cost, took = time.process_time() - before, time.monotonic() - began
    recording = Recording.objects.get(pk=recording_id)
    assert recording.state == RecordingState.STORED
    return {
        "cpu_ms": cost * 1_000,
        "seconds": took,
        "idle_mb": idle_mb,
        "peak_mb": memory_mb("VmHWM"),
        "films_mb": sum(film.size for film in recording.films.all()) / 1e6,
        "films": recording.films.count(),
    }


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "consilium.settings"
    import django

    django.setup()
    if sys.argv[1] == "feed":
        from tests.benchmarks.prepared import prepared

        said = feed(int(sys.argv[2]), int(sys.argv[3]), prepared(Path(sys.argv[4])))
    else:
        said = films(UUID(sys.argv[2]))
    print("SAID" + json.dumps(said))


if __name__ == "__main__":
    main()

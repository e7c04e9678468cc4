"""An installation that keeps recordings in a bucket, with everything in the way that can fail.

Web, media worker, Celery and beat are real processes; so are the S3 server, which is reached
through a proxy that meddles, and Redis. A governed call of two goes on in it.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from consilium.launch import plan
from tests.faults.callers import Caller
from tests.flows.back_room import BackRoom
from tests.flows.http_door import Browser
from tests.flows.people import code_of
from tests.flows.trail import Trail
from tests.media_worker.people import on_loopback
from tests.servers import authority, bucket
from tests.servers.installation import Installation
from tests.servers.meddler import Meddler
from tests.servers.processes import wait_for
from tests.servers.radosgw import Gateway
from tests.servers.redis import Redis
from tests.servers.server import Server, artefacts

HOST = "colleague@example.test"

_numbers = itertools.count(1)

#: Names and words that are searched for afterwards.
PATIENT = "Quillonel Recorded"
TITLE = "Zwitscherling title"

_MAY_RECORD = """
from accounts.models import Organisation
from recordings import policies
policies.write(Organisation.objects.get(name="Riverside Hospital").pk, may_record=True)
"""

_SEGMENTS = """
from uuid import UUID
from foundation.sealing import records
from recordings.models import Recording
from recordings.segments import reader
answer = []
for segment in reader(Recording.objects.get(pk=recording)):
    opening, streams = segment.records[0], {}
    for record in segment.records:
        if isinstance(record, records.Source):
            streams[record.stream] = record
        elif isinstance(record, records.Frame):
            source = streams[record.stream]
            at = opening.wall_us + record.arrival_us - opening.clock_us
            answer.append([str(segment.run), segment.sequence, str(source.place),
                           source.kind.name.lower(), at / 1e6])
"""


#: Recordings of which everything was gathered, as if workers had just shipped it.
_PREPARE = """
from datetime import UTC, datetime, timedelta
from uuid import UUID
from django.db import transaction
from audit.clock import database_now
from foundation.sealing.records import Closing
from foundation.sealing.runs import RunWriter
from media.models import Placement
from meetings import consents
from meetings.models import Meeting, Participation
from recordings import policies
from recordings.actions import roll
from recordings.models import Recording
from tests.recordings.films import studio
from vault import recording_keys
meeting = Meeting.objects.get(pk=meeting)
worker = Placement.objects.filter(meeting=meeting).first().worker
people = [studio.Person(place=UUID(place)) for place in places]
answer = []
for number in range(count):
    with transaction.atomic():
        recording = Recording(
            organisation_id=meeting.organisation_id, meeting=meeting, state="gathering",
            asked_by_id=places[0], keeper_id=places[0],
            text=consents.current_text(meeting.organisation_id),
            policy=policies.current(meeting.organisation_id),
            started_at=datetime.fromtimestamp(studio.STARTED_US / 1e6, UTC),
            ended_at=database_now(), delete_after=database_now() + timedelta(days=1),
        )
        recording.public_key = recording_keys.make(meeting.organisation_id, recording.pk)
        recording.save(force_insert=True)
    run = RunWriter(recording.organisation_id, recording.pk, bytes(recording.public_key))
    feeds = [feed for n, person in enumerate(people)
             for feed in (studio.camera(person, 2 * n + 1), studio.microphone(person, 2 * n + 2))]
    for segment in studio.run(feeds, 2):
        sequence = run.sequence
        body = run.seal(segment.records, last=isinstance(segment.records[-1], Closing))
        roll.take_segment(worker, recording.pk, run.run, sequence, body)
    Recording.objects.filter(pk=recording.pk).update(state="sealing")
    answer.append(str(recording.pk))
"""

_LET_LEASES_LAPSE = """
from datetime import timedelta
from audit.clock import database_now
from recordings.models import Recording
Recording.objects.filter(pk__in=recordings, maker_until__isnull=False).update(
    maker_until=database_now() - timedelta(seconds=1))
Recording.objects.filter(pk__in=recordings, stored_at__isnull=False).update(
    stored_at=database_now() - timedelta(minutes=2))
"""

_SEND = """
from consilium.celery import app
for _ in range(times):
    app.send_task(task, [recording], queue=queue)
"""


@dataclass(frozen=True)
class Frame:
    """One frame of a recording, and when it arrived by the platform's time."""

    run: str
    sequence: int
    place: str
    kind: str
    at: float


class Kept:
    """See the module. ``leave`` ends it."""

    def __init__(self, directory: Path, gateway: Gateway) -> None:
        self.bucket = f"kept-{os.getpid()}"
        self.owner = bucket.owner_of(gateway)
        self.owner.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=True)
        self.storage = Meddler(gateway.clear_port)
        tls = authority.issue(directory / "tls")
        self.redis = Redis(directory / "redis", tls, "faults-redis")
        self.redis.start()
        self.point = directory / "fault-point"
        self.installation = Installation(
            directory,
            "faults-kept",
            CONSILIUM_STORAGE_URL=(
                f"s3://{self.bucket}/one?endpoint=http://127.0.0.1:{self.storage.port}"
            ),
            CONSILIUM_STORAGE_ACCESS_KEY=gateway.access_key,
            CONSILIUM_STORAGE_SECRET_KEY=gateway.secret_key,
            CONSILIUM_FAULT_POINT=str(self.point),
            **self.redis.settings,
        )
        self.installation.start()
        self.installation.wait_for_worker()
        self.back_room = BackRoom(self.installation)
        self.trail = Trail(self.installation)
        self.back_room.do(_MAY_RECORD)
        #: The recording of which a part is asked for and not answered.
        self.held = ""

    def leave(self) -> None:
        self.back_room.leave()
        self.installation.stop()
        self.redis.stop()
        self.storage.stop()

    # ------------------------------------------------------------ what is done to it
    @contextmanager
    def asleep(self, *names: str) -> Iterator[None]:
        """These processes stand still meanwhile."""
        pids = [self.installation.pid_of(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def dies_at(self, point: str, name: str, seconds: float = 20) -> float:
        """Whoever is called ``name`` is killed at ``point``; returns when, by time.time()."""
        old = self.installation.pid_of(name)
        self.order(self.point, point)
        wait_for(lambda: not self.point.exists(), f"{name} reaches {point}", seconds)
        died = time.time()
        self.installation.wait_for_restart(name, old, 20)
        return died

    @staticmethod
    def order(file: Path, point: str) -> None:
        """Written whole, or somebody reads half of it."""
        fresh = file.with_suffix(".new")
        fresh.write_text(point)
        fresh.replace(file)

    def gathered(self, call: Call, count: int) -> list[str]:
        """``count`` recordings that wait for films to be made; nobody was asked to."""
        return list(
            self.back_room.do(
                _PREPARE,
                count=count,
                meeting=call.host.meeting,
                places=[caller.id for caller in call.people],
            )
        )

    def send(self, task: str, recording: str, *, times: int = 1, queue: str = "celery") -> None:
        """By the broker, as the outbox does."""
        self.back_room.do(_SEND, task=task, recording=recording, times=times, queue=queue)

    def lets_patience_run_out(self) -> None:
        """Two minutes passed in which a worker that died might have shipped more."""
        self.back_room.do(
            "from datetime import timedelta\n"
            "from recordings.actions import store\n"
            "patience, store.PATIENCE = store.PATIENCE, timedelta(0)\n"
            "store.advance()\n"
            "store.PATIENCE = patience\n"
        )

    def let_leases_lapse(self, recordings: list[str]) -> None:
        """A minute and two passed for whoever made films, or removed what they were made of."""
        self.back_room.do(_LET_LEASES_LAPSE, recordings=recordings)

    # ------------------------------------------------------------ what is seen of it
    def recording(self, recording: str) -> dict[str, Any]:
        rows = self.trail.ask(
            "SELECT state, storage_trouble_since, seal_refusal, manifest, ended_at,"
            " segments_dropped_at FROM recordings_recording WHERE id = ?",
            recording.replace("-", ""),
        )
        names = ("state", "trouble", "refusal", "manifest", "ended_at", "dropped_at")
        return dict(zip(names, rows[0], strict=True))

    def becomes(self, recording: str, state: str, seconds: float = 25) -> dict[str, Any]:
        wait_for(lambda: self.recording(recording)["state"] == state, f"{state}", seconds)
        return self.recording(recording)

    def deeds(self, tag: str, recording: str) -> list[dict[str, Any]]:
        """What the trail has under this verb about ``recording``: its details."""
        rows = self.trail.ask(
            "SELECT body FROM audit_trailrow WHERE tag = ? AND subject = ? AND outcome = 'done'"
            " ORDER BY id",
            tag,
            f"recording:{recording}",
        )
        return [json.loads(body)["details"] for (body,) in rows]

    def roll(self, recording: str) -> list[tuple[Any, ...]]:
        """(run, its number, finished, sequence) of every segment that was taken, in order."""
        return self.trail.ask(
            "SELECT run.id, run.number, run.finished, line.sequence FROM recordings_segment line"
            " JOIN recordings_run run ON run.id = line.run_id WHERE run.recording_id = ?"
            " ORDER BY run.number, line.sequence",
            recording.replace("-", ""),
        )

    def frames(self, recording: str) -> list[Frame]:
        """Every frame that was taken; the recording is not stored yet."""
        return [Frame(*one) for one in self.back_room.do(_SEGMENTS, recording=recording)]

    def versions(self, recording: str, what: str) -> list[dict[str, Any]]:
        """Everything that the bucket has of it below ``what``, older versions too."""
        found: list[dict[str, Any]] = []
        pages = self.owner.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket, Prefix="one/recordings/"):
            found += [
                entry
                for entry in page.get("Versions", [])
                if f"/{recording}/{what}" in entry["Key"]
            ]
        return found


class Doomed(Server):
    """A Celery worker with a queue of its own, whose pool's process dies where it is told."""

    queue = "doomed"

    def __init__(self, kept: Kept) -> None:
        super().__init__("doomed", artefacts("faults-kept") / "doomed.log")
        self._environment = kept.installation.environment
        self._point = kept.point.with_name("point-of-the-doomed")
        self._deaths = 0

    def start(self) -> None:
        self._launch(
            plan._celery("worker", "--pool=prefork", "--concurrency=1", "-Q", self.queue),
            {**self._environment, "CONSILIUM_FAULT_POINT": str(self._point)},
        )

    def dies_at(self, kept: Kept, point: str, task: str, recording: str) -> None:
        """The process that does ``task`` is killed at ``point``."""
        self._point.write_text(point)
        kept.send(task, recording, queue=self.queue)
        self._wait_while_running(lambda: not self._point.exists(), f"it reaches {point}", 20)
        lost = r"(?s)(signal 9 \(SIGKILL\).*)"
        self._deaths += 1
        self.wait_for_log(f"{lost}{{{self._deaths}}}", 10)


class Call:
    """A governed call of two in ``kept``: the host keeps recordings, the patient agrees."""

    def __init__(self, kept: Kept, host: Browser | None = None) -> None:
        on_loopback()
        self.kept = kept
        self._text: str | None = None
        host = host or Browser(kept.installation).sign_in(kept.installation.people[HOST])
        email = f"{PATIENT.split(maxsplit=1)[0].lower()}.{next(_numbers)}@example.test"
        invited = host.plan("governed", PATIENT, email, TITLE)
        host.open(f"/meetings/{invited.meeting}/room/")
        guest = Browser(kept.installation)
        assert guest.redeem(invited.secret).status == 200
        path = f"/meetings/{invited.meeting}/verification/"
        assert guest.post(f"{path}send").status == 200
        code = code_of(kept.installation, invited.email)
        assert guest.post(f"{path}check", {"code": code}).status == 200
        self.host = Caller(host, invited.meeting, 60)
        self.patient = Caller(guest, invited.meeting, 200)
        self.host.dial()
        waiting = self.patient.dial("wait")
        self.host.line.say("admit", participation=invited.guest)
        self.patient.come_in(waiting.hears("admitted")["ticket"])
        for caller in self.people:
            caller.connected()

    @property
    def people(self) -> tuple[Caller, Caller]:
        return self.host, self.patient

    def record(self) -> str:
        """A recording that runs, of both; its id."""
        self.host.line.say("ask_recording", others_in_room=0)
        wait_for(lambda: self._of_state("asked"), "a question", 5)
        # The words are the same each time; screens ask for them the first time.
        for caller in reversed(self.people):
            self._text = caller.agree(self._text)
        wait_for(lambda: self._of_state("recording"), "a recording that runs", 5)
        return self._of_state("recording")

    def _of_state(self, state: str) -> str:
        """This meeting's recording that is in ``state``; empty without one."""
        rows = self.kept.trail.ask(
            "SELECT id FROM recordings_recording WHERE state = ? AND meeting_id = ?",
            state,
            self.host.meeting.replace("-", ""),
        )
        return str(UUID(rows[0][0])) if rows else ""

    def has_segments(self, recording: str, more: int, seconds: float = 15) -> None:
        """Waits for ``more`` further segments on the roll."""
        wanted = len(self.kept.roll(recording)) + more
        wait_for(lambda: len(self.kept.roll(recording)) >= wanted, "segments", seconds)

    def stop(self) -> None:
        self.host.line.say("stop_recording")

    def is_whole(self, recording: str, seconds: float = 15) -> None:
        """Waits for the last word of its newest run."""
        wait_for(lambda: self.kept.roll(recording)[-1][2], "the last segment", seconds)

    def leave(self) -> None:
        for caller in self.people:
            caller.leave()

"""Recordings of a real call survive what is done to them: faults by their numbers, see ``kept``."""

from __future__ import annotations

import base64
import itertools
import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import sync_playwright

from tests.faults import plain
from tests.faults.callers import Caller
from tests.faults.kept import PATIENT, TITLE, Call, Doomed, Kept
from tests.flows.people import Visitor
from tests.servers.meddler import Answer, Cut, CutAnswer, Hold
from tests.servers.processes import wait_for
from tests.servers.radosgw import borrow

pytestmark = [pytest.mark.browser, pytest.mark.timed]

#: What a killed worker may lose of a recording, and how long people may be gone.
LOST_SECONDS, GONE_SECONDS = 2.0, 10.0


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with borrow() as gateway:
        made = Kept(tmp_path_factory.mktemp("kept"), gateway)
        yield made
        made.leave()


@pytest.fixture(scope="module")
def call(kept: Kept) -> Iterator[Call]:
    made = Call(kept)
    yield made
    made.leave()


def each_segment_once(kept: Kept, recording: str) -> Counter[str]:
    """The numbers of each run's segments on the roll, without a hole; how many, by run."""
    roll = kept.roll(recording)
    counts = Counter(run for run, *_ in roll)
    for run, count in counts.items():
        assert [line[3] for line in roll if line[0] == run] == list(range(count))
    return counts


def one_of_each(kept: Kept, recording: str) -> None:
    """What is stored lies there once, and there is one manifest."""
    films = kept.versions(recording, "films/")
    assert len(films) == len({film["Key"] for film in films}) == 2
    assert len(kept.versions(recording, "manifest.json")) == 1
    assert len(kept.deeds("recordings:recording:store", recording)) == 1


# ---------------------------------------------------------------- 34


def test_34_who_withdraws_is_not_taken_from_within_a_second(kept: Kept, call: Call) -> None:
    call = Call(kept, call.host.browser)
    recording = call.record()
    call.has_segments(recording, 2)
    call.patient.line.say("withdraw_consent")
    call.has_segments(recording, 3)
    # Of its film a part is asked for and not answered; the last test here looks what came of it.
    kept.storage.meddle("GET .*/films/", Hold())
    with kept.asleep("beat"):  # so that nobody seals it before it was looked at
        call.stop()
        call.is_whole(recording)
        ((withdrawn,),) = kept.trail.ask(
            "SELECT withdrawn_at FROM meetings_consent WHERE withdrawn_at IS NOT NULL"
        )
        at = datetime.fromisoformat(withdrawn).replace(tzinfo=UTC).timestamp()
        frames = kept.frames(recording)
    last = {
        caller.id: max(frame.at for frame in frames if frame.place == caller.id)
        for caller in call.people
    }
    assert last[call.patient.id] - at <= 1.0
    assert last[call.host.id] - at > 1.0
    assert len(kept.deeds("recordings:place:spare", recording)) == 1
    kept.held = recording
    call.leave()


# ---------------------------------------------------------------- 1


def test_01_killed_media_worker_costs_two_seconds_and_a_gap_that_is_marked(
    kept: Kept, call: Call, record_property
) -> None:
    recording = call.record()
    deaths = []
    for point in ("segments.sealed", "segments.spooled", "segments.shipped"):
        call.has_segments(recording, 2)
        epochs = [caller.epoch for caller in call.people]
        deaths.append(kept.dies_at(point, "media-worker"))
        for caller, epoch in zip(call.people, epochs, strict=True):
            caller.connected(after=epoch)
        gone = time.time() - deaths[-1]
        record_property(f"back after {point} (s)", round(gone, 2))
        assert gone <= GONE_SECONDS
    call.has_segments(recording, 2)
    with kept.asleep("beat"):
        call.stop()
        call.is_whole(recording)
        frames = kept.frames(recording)
    runs = each_segment_once(kept, recording)
    assert len(runs) == 4
    for died in deaths:
        before = max(frame.at for frame in frames if frame.at <= died)
        record_property("lost (s)", round(died - before, 2))
        assert died - before <= LOST_SECONDS
    kept.lets_patience_run_out()
    row = kept.becomes(recording, "stored", 30)
    one_of_each(kept, recording)
    manifest = json.loads(row["manifest"])["manifest"]
    away = [[gap["from_ms"], gap["to_ms"]] for gap in manifest["gaps"] if gap["reason"] == "away"]
    assert len(away) == 3
    started = datetime.fromisoformat(manifest["started_at"]).timestamp()
    for (begins, ends), died in zip(away, deaths, strict=True):
        # The manifest's times are of whole seconds at its beginning.
        assert died - LOST_SECONDS - 1 <= started + begins / 1000 <= died + 1
        assert ends - begins <= 1000 * (LOST_SECONDS + GONE_SECONDS)
    assert [run["finished"] for run in manifest["runs"]] == [False, False, False, True]
    assert kept.deeds("recordings:recording:store", recording)[0]["away_ms"] == away
    assert kept.deeds("recordings:recording:seal", recording)[0]["unfinished"] == 3


def test_01_killed_web_costs_nothing_of_a_recording(kept: Kept, call: Call) -> None:
    recording = call.record()
    for point in ("roll.kept", "roll.written"):
        call.has_segments(recording, 2)
        kept.dies_at(point, "web")
        kept.installation.wait_for_web()
        for caller in call.people:
            caller.dial_again()
    call.has_segments(recording, 2)
    with kept.asleep("beat"):
        call.stop()
        call.is_whole(recording)
        frames = kept.frames(recording)
    assert len(each_segment_once(kept, recording)) == 1
    for caller in call.people:
        arrived = sorted(f.at for f in frames if (f.place, f.kind) == (caller.id, "microphone"))
        # Less than a web process takes to come back; a busy machine holds up a caller, too.
        assert max(b - a for a, b in itertools.pairwise(arrived)) < 1.5
    row = kept.becomes(recording, "stored")
    one_of_each(kept, recording)
    manifest = json.loads(row["manifest"])["manifest"]
    assert [gap for gap in manifest["gaps"] if gap["reason"] == "away"] == []


# ---------------------------------------------------------------- 7


def test_07_storage_that_fails_for_a_while_loses_nothing_and_the_row_says_so(
    kept: Kept, call: Call
) -> None:
    recording = call.record()
    call.has_segments(recording, 1)
    for _ in range(2):
        for mischief in (
            Answer("500 Internal Server Error"),
            Answer("503 Slow Down"),
            Cut(0),
            CutAnswer(),
        ):
            kept.storage.meddle("PUT .*/segments/", mischief)
    wait_for(lambda: kept.recording(recording)["trouble"], "a trouble that is told")
    assert kept.recording(recording)["state"] == "recording"
    wait_for(lambda: not kept.recording(recording)["trouble"], "its end", 20)
    assert kept.storage.is_done or kept.held
    call.has_segments(recording, 2)
    # And while films are made: given up after four attempts, and begun anew.
    kept.storage.meddle("POST .*/films/.*uploads", Answer("503 Slow Down"), times=4)
    call.stop()
    call.is_whole(recording)
    wait_for(lambda: kept.recording(recording)["trouble"], "the trouble of the films", 20)
    assert kept.recording(recording)["state"] == "sealing"
    row = kept.becomes(recording, "stored", 30)
    wait_for(lambda: not kept.recording(recording)["trouble"], "nothing to tell", 5)
    assert len(each_segment_once(kept, recording)) == 1
    one_of_each(kept, recording)
    manifest = json.loads(row["manifest"])["manifest"]
    assert {gap["reason"] for gap in manifest["gaps"]} <= {"lost"}
    said = [deed["reason"] for deed in kept.deeds("recordings:recording:falter", recording)]
    assert said == ["storage_fails", "storage_answers"] * 2


# ---------------------------------------------------------------- 5


def test_05_redis_flushed_loses_neither_orders_nor_work(kept: Kept, call: Call) -> None:
    recording = call.record()
    call.has_segments(recording, 1)
    with kept.redis.client() as redis:
        redis.flushall()
        # The worker's link is found again, or nothing could be told to it.
        wait_for(lambda: redis.keys("*group:worker.*"), "the worker's group", 5)
        with kept.asleep("celery"):
            call.stop()
            call.is_whole(recording)
            kept.back_room.do("from recordings.actions import store; store.advance()")
            wait_for(
                lambda: any(b"recordings.make_films" in m for m in redis.lrange("celery", 0, -1)),
                "a task in the broker",
            )
            redis.flushall()
            assert redis.llen("celery") == 0
    kept.becomes(recording, "stored", 20)
    one_of_each(kept, recording)


# ---------------------------------------------------------------- 2 and 3

#: From taking the key out of the vault to removing what the films were made of.
STEPS = (
    "films.key_unwrapped",
    "blobs.part_uploaded",
    "films.uploaded",
    "films.checked",
    "films.read_back",
    "manifest.signed",
    "manifest.stored",
    "films.stored",
    "segments.dropping",
)


def test_02_and_03_celery_killed_at_each_step_and_ten_deliveries_leave_one_of_each(
    kept: Kept, call: Call
) -> None:
    doomed = Doomed(kept)
    doomed.start()
    try:
        with kept.asleep("beat", "celery"):
            recordings = kept.gathered(call, len(STEPS))
            for step, recording in zip(STEPS, recordings, strict=True):
                if step == "segments.dropping":
                    kept.send("recordings.make_films", recording, queue=doomed.queue)
                    kept.becomes(recording, "stored")
                    doomed.dies_at(kept, step, "recordings.drop_segments", recording)
                else:
                    doomed.dies_at(kept, step, "recordings.make_films", recording)
                assert (kept.recording(recording)["state"] == "stored") == (step in STEPS[-2:])
            kept.let_leases_lapse(recordings)
            for recording in recordings:
                kept.send("recordings.make_films", recording, times=10)
    finally:
        doomed.stop()
    for recording in recordings:
        kept.becomes(recording, "stored", 40)
        one_of_each(kept, recording)
    for recording in recordings:
        wait_for(lambda r=recording: kept.recording(r)["dropped_at"], "an empty place", 20)
        assert kept.versions(recording, "segments/") == []


# ---------------------------------------------------------------- nothing in plain


@pytest.fixture(scope="module")
def patient(kept: Kept) -> Iterator[Visitor]:
    """At a real browser, whose encoded frames are watched as they leave."""
    with sync_playwright() as playwright:
        # The tap is a script of the test's, which the pages' own policy would not let in.
        person = Visitor(playwright, "patient", kept.installation.url, bypass_csp=True)
        person.page.add_init_script(plain.TAP)
        yield person
        person.close()


SAID = "Zwitscherling said that the biopsy was benign"


def test_nothing_of_a_recorded_call_lies_anywhere_in_plain(
    kept: Kept, call: Call, patient: Visitor
) -> None:
    monitor = plain.Monitor(kept.redis)
    email = f"browser.{PATIENT.split(maxsplit=1)[0].lower()}@example.test"
    invited = call.host.browser.plan("governed", PATIENT, email, TITLE)
    call.host.browser.open(f"/meetings/{invited.meeting}/room/")
    host = Caller(call.host.browser, invited.meeting, 90)
    link = f"{kept.installation.url}/visit/#{invited.secret}"
    patient.arrive(kept.installation, link, email, 1)
    host.dial()
    host.line.say("admit", participation=invited.guest)
    host.connected()
    patient.connected()
    patient.say(SAID)
    wait_for(lambda: any(SAID in text for text in host.heard), "the chat")

    host.line.say("ask_recording", others_in_room=0)
    text = host.agree()
    patient.page.evaluate(
        "(text) => theSocket.send(JSON.stringify({type: 'give_consent', text}))", text
    )
    running = "SELECT id FROM recordings_recording WHERE state = 'recording' AND meeting_id = ?"
    meeting = invited.meeting.replace("-", "")
    ((recording,),) = wait_for(lambda: kept.trail.ask(running, meeting), "a recording", 5)
    recording = str(UUID(recording))
    wait_for(lambda: len(kept.roll(recording)) >= 2, "segments")
    # The storage fails, so that segments are seen where they wait.
    kept.storage.meddle("PUT .*/segments/", Answer("503 Slow Down"), times=8)
    spool = kept.installation.data / "worker" / "spool"
    wait_for(lambda: len(list(spool.glob("*.segment"))) >= 2, "segments that wait")
    during = plain.places(kept, monitor)
    assert len(during["spool"]) > 10_000
    host.line.say("stop_recording")
    kept.becomes(recording, "stored", 40)
    one_of_each(kept, recording)
    after = plain.places(kept, monitor)

    frames = patient.page.evaluate("frameWindows")
    windows = [base64.b64decode(one) for kind in ("audio", "video") for one in frames[kind][::2]]
    assert len(frames["audio"]) > 5
    assert len(frames["video"]) > 50
    # The windows are the frames': opened with its key, a film has those of the time it shows.
    assert plain.in_films(kept, recording, windows) > 20
    needles = {
        "frame": windows,
        "film": [plain.EBML, plain.DOCUMENT],
        "voice": [plain.OPUS],
        "chat": [SAID.encode(), SAID[:20].encode()],
        "name": [PATIENT.encode(), PATIENT.split(maxsplit=1)[0].encode(), email.encode()],
        "title": [TITLE.encode()],
    }
    assert plain.found(needles, during) == set()
    assert plain.found(needles, after) == set()
    for name in kept.installation.pids():
        core = resource.prlimit(kept.installation.pid_of(name), resource.RLIMIT_CORE)
        assert core == (0, 0), name

    # The control: with encryption switched off, the same search finds them.
    ((organisation,),) = kept.trail.ask(
        "SELECT organisation_id FROM recordings_recording WHERE id = ?", recording.replace("-", "")
    )
    plain.unsealed(kept, windows[:200], [PATIENT, email, SAID, TITLE], organisation)
    control = plain.found(needles, plain.places(kept, monitor))
    monitor.stop()
    for place in ("spool", "bucket", "redis", "redis, monitored"):
        assert ("frame", place) in control, control
    assert {
        ("film", "bucket"),
        ("voice", "bucket"),
        ("name", "data directory"),
        ("name", "database"),
    } <= control
    for kind in ("name", "title", "chat"):
        assert {(kind, "redis"), (kind, "redis, monitored")} <= control
    # What nobody of ours could write there is laid out there.
    for place, content in after.items():
        for kind, texts in needles.items():
            assert plain.found({kind: texts[-1:]}, {place: content + texts[-1]}) == {(kind, place)}
    host.leave()


# ---------------------------------------------------------------- what took its time


def test_07_storage_that_takes_a_question_and_says_nothing_is_asked_again(kept: Kept) -> None:
    kept.becomes(kept.held, "stored", 40)
    one_of_each(kept, kept.held)

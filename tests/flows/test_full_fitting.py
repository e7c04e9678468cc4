"""Calls on the full installation: people on different web processes, rooms on both media workers.

Every part is a real server (``tests.servers.full``), production is on, and all media goes through
the relay over TLS: nobody's address reaches the other side (N1, N2). With
CONSILIUM_TEST_FITTING=full the other flows run on it as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.flows.conftest import CLINICIAN, COLLEAGUE
from tests.flows.http_door import Browser
from tests.flows.people import Visitor
from tests.flows.test_recorded_call import Tape, answer, asks, banner, is_asked
from tests.servers import bucket as buckets
from tests.servers.full import FullInstallation
from tests.servers.processes import wait_for

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 640}

#: Addresses in a description or candidate, IPv4 and IPv6.
ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullInstallation]:
    running = FullInstallation(tmp_path_factory.mktemp("full"), "full-fitting")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def arrive(installation: FullInstallation, web: int, person: Visitor, link: str, email: str):
    """From the invitation to the waiting room, at the web process ``web``."""
    installation.proxy.only(web)
    person.arrive(installation, link, email, 1)
    installation.proxy.both()


def enter(installation: FullInstallation, web: int, person: Visitor, meeting: str) -> None:
    installation.proxy.only(web)
    person.enter(meeting)
    installation.proxy.both()


def is_hidden_behind_the_relay(person: Visitor) -> None:
    """They reach others through the relay over TLS only, and were told no address of theirs."""
    local = [c for c in person.statistics()["candidates"] if c[0] == "local-candidate"]
    assert local
    assert {(kind, protocol) for _, kind, _, protocol in local} == {("relay", "tls")}
    for message in map(json.loads, person.received):
        match message["type"]:
            case "media":
                assert message["relay_only"]
            case "remote_candidate":
                assert " typ relay " in message["candidate"] + " "
                assert "raddr 0.0.0.0 rport 0" in message["candidate"]
            case "described" if message["link"] == "peer":
                # No address but the placeholders, and the relay's own in relayed candidates.
                sdp = message["description"]["sdp"]
                rest = "\n".join(line for line in sdp.splitlines() if "typ relay" not in line)
                assert set(ADDRESS.findall(rest)) <= {"0.0.0.0", "127.0.0.1"}
                assert not re.search(r"typ (host|srflx|prflx)", sdp)
                assert not re.search(r"raddr (?!0\.0\.0\.0)", sdp)


def test_private_call_across_web_processes_outlives_one_of_them(
    installation, visitor, record_property
):
    doctor, patient = visitor("doctor"), visitor("patient", viewport=PHONE)
    doctor.sign_in(installation.people[CLINICIAN])
    meeting, link = doctor.plan("private", "Rosa Marchetti", "rosa.full@example.test")
    arrive(installation, 2, patient, link, "rosa.full@example.test")
    enter(installation, 1, doctor, meeting)
    # From one process to the other, through Redis: who waits, and who is let in.
    doctor.admit()
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
        person.hears()
        is_hidden_behind_the_relay(person)
    doctor.say("Can you hear me well?")
    patient.reads("Can you hear me well?")

    # The patient's web process dies: the call goes on, and the page is back on the other one.
    proxy = installation.proxy
    here, welcomes = proxy.sessions(1), patient.received.count_welcomes()
    assert proxy.sessions(2) >= 1
    old = installation.kill9("web-2")
    doctor.frames_go_on()
    patient.frames_go_on()
    back = patient.wait(
        lambda: patient.received.count_welcomes() > welcomes, "a socket at the other web", 10
    )
    record_property("web process killed, back on the other (s)", round(back, 2))
    wait_for(lambda: proxy.sessions(1) > here, "one more at the first web process")
    installation.wait_for_restart("web-2", old)
    installation.wait_until_back(2)

    # The trail is insert-only here, too: for the account the platform itself uses.
    with psycopg.connect(installation.parts.postgresql.url) as platform:
        for change in ("DELETE FROM", "TRUNCATE"):
            with pytest.raises(psycopg.errors.RaiseException, match="insert-only"):
                platform.execute(f"{change} audit_trailrow")
            platform.rollback()

    doctor.act("end")
    doctor.act("confirm")
    for person in (doctor, patient):
        person.ended_because("ended")
        assert person.violations == [], person.violations


def a_room_without_media(installation: FullInstallation, number: int) -> str:
    """A governed meeting whose host has come in, and sends nothing."""
    host = Browser(installation).sign_in(installation.people[CLINICIAN])
    name, email = f"Guest {number}", f"guest-{number}@example.test"
    meeting = host.plan("governed", name, email).meeting
    host.open(f"/meetings/{meeting}/room/")
    host.connect(meeting)
    wait_for(lambda: installation.worker_of(meeting), "a place for the room")
    return meeting


def test_rooms_are_on_both_media_workers_and_move_from_one_that_died(
    installation, visitor, record_property
):
    other = ""
    if installation.next_worker() != "worker-2":
        other = a_room_without_media(installation, 1)
        wait_for(lambda: installation.next_worker() == "worker-2", "word of who is there")

    doctor, patient = visitor("doctor"), visitor("patient", viewport=PHONE)
    doctor.sign_in(installation.people[COLLEAGUE])
    meeting, link = doctor.plan("governed", "Rosa Marchetti", "rosa.governed@example.test")
    arrive(installation, 2, patient, link, "rosa.governed@example.test")
    enter(installation, 1, doctor, meeting)
    doctor.admit()
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
        person.hears()
        is_hidden_behind_the_relay(person)
    assert installation.worker_of(meeting) == "worker-2"
    if not other:
        wait_for(lambda: installation.next_worker() == "worker-1", "word of who is there")
        other = a_room_without_media(installation, 1)
    assert installation.worker_of(other) == "worker-1"

    # It stays dead: nobody starts it again on its machine.
    epochs = [person.received.last_epoch() for person in (doctor, patient)]
    installation.second_worker.kill()
    for person, epoch in zip((doctor, patient), epochs, strict=True):
        healed = person.wait(
            lambda p=person, n=epoch: p.received.last_epoch() > n, "a new attempt", 20
        )
        record_property(f"media worker gone, {person.name} told anew (s)", round(healed, 2))
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
        person.hears()
    assert installation.worker_of(meeting) == "worker-1"
    assert installation.worker_of(other) == "worker-1"

    doctor.act("end")
    doctor.act("confirm")
    for person in (doctor, patient):
        person.ended_because("ended")
        assert person.violations == [], person.violations

    # Back with the identity it has: there is no second code.
    installation.second_worker.start()
    assert "enrolled as" not in installation.second_worker.text


def test_a_call_is_recorded_into_the_bucket_and_played_from_there(installation, visitor):
    doctor, patient = visitor("doctor"), visitor("patient", viewport=PHONE)
    doctor.sign_in(installation.people[COLLEAGUE])
    meeting, link = doctor.plan("governed", "Rosa Marchetti", "rosa.recorded@example.test")
    arrive(installation, 2, patient, link, "rosa.recorded@example.test")
    enter(installation, 1, doctor, meeting)
    doctor.admit()
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
    asks(doctor)
    for person in (doctor, patient):
        is_asked(person)
        answer(person, "call", "agree")
    for person in (doctor, patient):
        banner(person, "recording")
    tape = Tape(installation, meeting)
    tape.grows(3)
    doctor.act("stop-recording")
    tape.becomes("stored", 60)
    doctor.act("end")
    doctor.act("confirm")
    patient.ended_because("ended")

    # Two films and their manifest, locked; what they were made of is gone.
    parts = installation.parts
    bucket = buckets.owner_of(parts.gateway)

    def kept() -> list[str]:
        listed = bucket.list_objects_v2(Bucket=parts.bucket)
        return [one["Key"] for one in listed.get("Contents", [])]

    wait_for(lambda: len(kept()) == 3, "three objects in the bucket", 20)
    for name in kept():
        lock = bucket.get_object_retention(Bucket=parts.bucket, Key=name)["Retention"]
        assert lock["Mode"] == "COMPLIANCE", name

    doctor.open(f"/desk/meetings/{meeting}/")
    doctor.act("open-recording")
    doctor.act("play")
    doctor.page.wait_for_selector("#player[data-state=paused]")
    doctor.act("play")
    doctor.page.wait_for_function(
        "() => [...document.querySelectorAll('video[data-film]')].filter("
        "(video) => video.currentTime > 1).length === 2"
    )
    assert doctor.violations == [], doctor.violations


def test_nothing_of_it_was_kept_in_files_and_redis_holds_nothing_readable(installation):
    """The embedded parts' places are empty, and what lies in Redis names nobody."""
    assert not list(installation.data.glob("consilium.sqlite3*"))
    assert not any((installation.data / "mail").iterdir())
    assert not (installation.data / "celery" / "queue").exists()
    assert not (installation.data / "blobs").exists()
    assert installation.parts.smtp.mails()
    assert "cannot be reached" not in installation.text
    lies_there = installation.parts.redis.content()
    with installation.parts.redis.client() as redis:
        assert [key for key in redis.keys("*") if re.fullmatch(rb"[0-9a-f]{64}", key)], "throttles"
    for name in (b"Marchetti", b"rosa.", b"room.changed", b"127.0.0.1", b"clinician@"):
        assert name not in lies_there, name

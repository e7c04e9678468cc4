"""A governed call of two and then four people through the media worker, with what goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest

from tests.flows.conftest import COLLEAGUE
from tests.flows.people import Visitor, code_of
from tests.servers.full import is_asked_for
from tests.servers.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timed]

#: What DTLS and SRTP may be through the worker (T1): AEAD only.
AEAD = re.compile(r"GCM|CHACHA20")

#: The screen of the third and the fourth: less to paint.
PHONE = {"width": 360, "height": 640}

ALIVE = """() => window.consilium.peerConnections()
    .filter((pc) => pc.connectionState === 'connected').length"""


def kill_the_worker(installation: Installation, meeting: str, people: Sequence[Visitor]) -> float:
    """SIGKILL; returns the seconds until everybody is connected again, by a new attempt."""
    epochs = [person.received.last_epoch() for person in people]
    killed = time.monotonic()
    installation.kill_worker_of(meeting)
    for person, epoch in zip(people, epochs, strict=True):
        # Perhaps two: the pages ask for one, and the worker that is back asks for whom it lacks.
        person.wait(lambda p=person, n=epoch: p.received.last_epoch() > n, "a new attempt")
        person.connected()
    return time.monotonic() - killed


def test_governed_call_of_four_survives_worker_and_web(
    installation, visitor, cutter, record_property, times_slower
):
    doctor = visitor("doctor")
    # The patient's network can be cut.
    patient = visitor("patient", f"https://localhost:{cutter.port}")
    doctor.sign_in(installation.people[COLLEAGUE])
    meeting, link = doctor.plan("governed", "Rosa Marchetti", "rosa.governed@example.test")
    interpreter_link = doctor.invite(meeting, "Ivo Interpreter", "ivo@example.test")
    daughter_link = doctor.invite(meeting, "Dana Daughter", "dana@example.test")

    doctor.receive(installation, meeting, patient, link, "rosa.governed@example.test")
    for person in (doctor, patient):
        person.hears()
        for _, srtp, dtls in person.statistics()["protection"]:
            assert AEAD.search(srtp), srtp
            assert AEAD.search(dtls), dtls

    doctor.say("Good morning")
    patient.reads("Good morning")
    patient.say("Good morning, doctor")
    doctor.reads("Good morning, doctor")

    for sharer, other in ((patient, doctor), (doctor, patient)):
        sharer.act("screen")
        other.sees_screen()
        sharer.act("screen")
        other.page.wait_for_selector("[data-participation][data-group=screen]", state="detached")

    # Another camera, another microphone: the other side goes on seeing and hearing.
    patient.chooses("camera", "fake_device_2")
    doctor.sees(1)
    patient.chooses("microphone", "Fake Audio Input 2")
    doctor.hears()

    # What one switches off, the other reads.
    doctor.act("people")
    patient.act("mute")
    doctor.page.wait_for_selector("#people >> text=/muted/")
    patient.act("mute")
    patient.act("camera")
    doctor.page.wait_for_selector("[data-participation][data-group=camera][data-camera=off]")
    patient.act("camera")
    doctor.sees(1)
    doctor.act("people")

    late = patient.first_picture()
    record_property("second of two, from being let in (s)", round(late, 2))
    assert late <= 1, f"{late:.2f} s from being let in to the first picture"

    # Reload: back in the call within 3 s, without a code and without a tap.
    for person, name in ((patient, "patient"), (doctor, "doctor")):
        back = person.reload()
        record_property(f"reload, governed, {name} (s)", round(back, 2))
        assert back <= 3, f"{name}: {back:.2f} s after reload"

    # The media worker dies: back in the call within 5 s, without a tap.
    healed = kill_the_worker(installation, meeting, (patient, doctor))
    record_property("media worker killed, two (s)", round(healed, 2))
    assert healed <= 5, f"{healed:.1f} s after the media worker was killed"
    for person in (patient, doctor):
        person.sees(1)
    # Two more come, and everybody sees everybody.
    interpreter = visitor("interpreter", viewport=PHONE)
    daughter = visitor("daughter", viewport=PHONE)
    interpreter.arrive(installation, interpreter_link, "ivo@example.test", 1)
    doctor.page.wait_for_selector("[data-action=admit]")
    doctor.admit()
    interpreter.connected()
    interpreter.sees(2)
    daughter.arrive(installation, daughter_link, "dana@example.test", 1)
    doctor.page.wait_for_selector("[data-action=admit]")
    doctor.admit()
    # Late joiner: from being let in (noted), and from a connected path within 1 s.
    record_property("late joiner, from being let in (s)", round(daughter.first_picture(), 2))
    daughter.connected()
    everybody = (doctor, patient, interpreter, daughter)
    for person in everybody:
        person.sees(3)
        person.hears()
    daughter.say("Hello all")
    for person in (doctor, patient, interpreter):
        person.reads("Hello all")

    pictures = daughter.pictures()
    record_property("late joiner, each picture from being connected (s)", pictures)
    assert pictures[0] <= 2  # four browsers on two cores; with two it is 1 s from being let in
    assert pictures[2] <= 3

    # The socket is lost and the media path is not: frames never stop, and nothing starts anew.
    epoch, welcomes = patient.received.last_epoch(), patient.received.count_welcomes()
    cutter.cut()
    for person in everybody:
        person.frames_go_on()
    cutter.mend()
    patient.wait(lambda: patient.received.count_welcomes() > welcomes, "a socket that heals", 5)
    for person in everybody:
        person.frames_go_on()
    assert patient.received.last_epoch() == epoch

    # The web processes die: media does not notice, and the sockets come back by themselves.
    before = [person.received.count_welcomes() for person in everybody]
    installation.kill_web()
    for person in everybody:
        person.frames_go_on(10)
    installation.wait_for_web()
    for person, welcomes in zip(everybody, before, strict=True):
        person.wait(lambda p=person, n=welcomes: p.received.count_welcomes() > n, "a new socket")
        person.frames_go_on(10)

    # The media worker dies among four browsers on two cores.
    healed = kill_the_worker(installation, meeting, everybody)
    record_property("media worker killed, four (s)", round(healed, 2))
    for person in everybody:
        person.sees(3)
    most = times_slower * (15 if is_asked_for() else 10)
    assert healed <= most, f"{healed:.1f} s after the media worker was killed"

    # Reload among four browsers on two cores, which paint and encode in software.
    back = patient.reload()
    record_property("reload among four (s)", round(back, 2))
    # On the full fitting six servers more share them, and all media goes through a relay over TLS.
    assert back <= times_slower * (8 if is_asked_for() else 5), f"{back:.2f} s after reload"
    for person in everybody:
        person.sees(3)
    for device in ("fake_device_2", "Fake Audio Input 2"):
        patient.sends_from(device)

    # A second device: verified again, it takes over, and the first is told so.
    second = visitor("second-device", viewport=PHONE)
    second.redeem(interpreter_link)
    second.prove(code_of(installation, "ivo@example.test", 2))
    interpreter.ended_because("taken_over")
    assert interpreter.page.evaluate(ALIVE) == 0
    second.ready()
    second.stage("call")
    second.connected()
    second.sees(3)
    for person in (doctor, patient, daughter):
        person.sees(3)
    interpreter = second

    # Removed: within 2 s the worker carries nothing of the daughter any more.
    doctor.act("people")
    row = doctor.page.locator("#people li", has_text="Dana Daughter")
    row.locator("[data-action=remove]").click()
    doctor.act("confirm")
    removed = time.monotonic()
    daughter.ended_because("removed")
    doctor.wait(lambda: len(doctor.tiles()) == 2, "an empty place", 2)
    assert daughter.page.evaluate(ALIVE) == 0
    stopped = time.monotonic() - removed
    record_property("removed, governed (s)", round(stopped, 2))
    assert stopped <= 2

    # Leaving, and coming back.
    interpreter.act("leave")
    interpreter.stage("ended")
    doctor.wait(lambda: len(doctor.tiles()) == 1, "an empty place")
    interpreter.act("rejoin")
    interpreter.connected()
    interpreter.sees(2)

    doctor.act("end")
    doctor.act("confirm")
    for person in (doctor, patient, interpreter):
        person.ended_because("ended")
        assert person.page.evaluate(ALIVE) == 0
    for person in everybody:
        assert person.violations == [], person.violations

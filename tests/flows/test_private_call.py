"""A private call, from the invitation to the goodbye, in two and then three real browsers."""

from __future__ import annotations

import time

import pytest

from tests.flows.conftest import CLINICIAN
from tests.flows.people import code_of

pytestmark = [pytest.mark.browser, pytest.mark.timed]

PATIENT = "rosa.private@example.test"


def test_private_call_from_invitation_to_goodbye(installation, visitor, cutter, record_property):
    doctor = visitor("doctor")
    # The patient's network can be cut.
    patient = visitor("patient", f"https://localhost:{cutter.port}")
    doctor.sign_in(installation.people[CLINICIAN])
    meeting, link = doctor.plan("private", "Rosa Marchetti", PATIENT)

    # A mail scanner opens the link and runs the page: nothing is redeemed.
    scanner = visitor("scanner")
    scanner.page.goto(link)
    scanner.page.wait_for_selector("[data-action=redeem]")
    scanner.close()

    patient.redeem(link)
    patient.stage("verify")
    patient.prove(code_of(installation, PATIENT))
    patient.ready()
    patient.stage("wait")

    # Before anybody is admitted, no server for media and no description has reached the patient.
    patient.wait(lambda: '"lobby"' in "".join(patient.received), "word of the queue")
    told = "".join(patient.received)
    assert "ice_servers" not in told
    assert "sdp" not in told

    doctor.enter(meeting)
    # The host reads how the patient was verified.
    doctor.page.wait_for_selector("text=/mailbox only/i")
    doctor.admit()
    patient.stage("call")
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
        person.hears()
    for version, _, _ in doctor.statistics()["protection"]:
        assert version in ("FEFC", "FEFD"), "DTLS 1.3 or 1.2"

    doctor.say("Can you hear me well?")
    patient.reads("Can you hear me well?")
    patient.say("<b>Yes</b> & thank you")
    doctor.reads("<b>Yes</b> & thank you")

    for sharer, other in ((doctor, patient), (patient, doctor)):
        sharer.act("screen")
        other.sees_screen()
        sharer.act("screen")
        other.page.wait_for_selector("[data-participation][data-group=screen]", state="detached")

    # Another camera, another microphone: the other side goes on seeing and hearing.
    patient.chooses("camera", "fake_device_2")
    doctor.sees(1)
    patient.chooses("microphone", "Fake Audio Input 2")
    doctor.hears()
    # A device that is taken away for a while comes back by itself.
    patient.loses_device("video")
    doctor.sees(1)
    patient.loses_device("audio")
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

    # Reload: back in the call within 3 s, without a code and without a tap, on either side.
    for person, other in ((patient, doctor), (doctor, patient)):
        back = person.reload()
        record_property(f"reload, private, {person.name} (s)", round(back, 2))
        assert back <= 3, f"{person.name}: {back:.2f} s after reload"
        for one in (person, other):
            one.sees(1)
            one.hears()
    for device in ("fake_device_2", "Fake Audio Input 2"):
        patient.sends_from(device)

    # The socket is lost and the media path is not: frames never stop.
    before, welcomes = doctor.statistics()["decoded"], patient.received.count_welcomes()
    cutter.cut()
    doctor.frames_go_on()
    cutter.mend()
    patient.wait(lambda: patient.received.count_welcomes() > welcomes, "a socket that heals", 5)
    doctor.frames_go_on()
    assert doctor.statistics()["decoded"] > before

    # A second device: verified again, it takes over, and the first is told so.
    second = visitor("second-device")
    second.redeem(link)
    second.remembers(microphone="sold", camera="lent")  # whatever is there serves
    second.prove(code_of(installation, PATIENT, 2))
    patient.ended_because("taken_over")
    second.ready()
    second.stage("call")
    second.connected()
    second.sees(1)
    doctor.sees(1)
    doctor.hears()

    # Removed: the media stops within 2 s.
    doctor.act("people")
    doctor.act("remove")
    doctor.act("confirm")
    start = time.monotonic()
    second.ended_because("removed")
    left = second.page.evaluate("() => window.consilium.peerConnections().length")
    stopped = time.monotonic() - start
    record_property("removed, private (s)", round(stopped, 2))
    assert stopped <= 2
    assert left == 0

    doctor.act("end")
    doctor.act("confirm")
    doctor.ended_because("ended")
    for person in (doctor, patient, second):
        assert person.violations == [], person.violations

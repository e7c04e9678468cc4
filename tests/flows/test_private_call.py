"""A private call, from the invitation to the goodbye, in two and then three real browsers."""

from __future__ import annotations

import time

import pytest

from tests.flows.conftest import CLINICIAN
from tests.flows.people import code_of

pytestmark = pytest.mark.browser

PATIENT = "rosa.private@example.test"


def test_private_call_from_invitation_to_goodbye(installation, visitor, cutter):
    doctor = visitor("doctor")
    # The patient's network can be cut.
    patient = visitor("patient", f"https://localhost:{cutter.port}")
    doctor.sign_in(installation.people[CLINICIAN])
    meeting, link = doctor.plan("private", "Rosa Marchetti", PATIENT)
    link = link.replace(doctor.base, patient.base)

    # A mail scanner opens the link and runs the page: nothing is redeemed.
    scanner = visitor("scanner")
    scanner.page.goto(link.replace(patient.base, scanner.base))
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

    doctor.act("screen")
    patient.sees_screen()
    doctor.act("screen")
    patient.page.wait_for_selector("[data-participation][data-group=screen]", state="detached")

    # What one switches off, the other reads.
    doctor.act("people")
    patient.act("mute")
    doctor.page.wait_for_selector("#people >> text=/muted/")
    patient.act("mute")
    patient.act("camera")
    doctor.page.wait_for_selector("[data-participation][data-group=camera][data-camera=off]")
    patient.act("camera")
    doctor.sees(1)

    # Reload: back in the call within 3 s, without a code and without a tap.
    start = time.monotonic()
    patient.page.reload()
    patient.connected()
    patient.sees(1)
    assert time.monotonic() - start < 3 + 1.0, "reload"  # and a second to look at two pictures
    doctor.sees(1)

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
    second.redeem(link.replace(patient.base, second.base))
    second.prove(code_of(installation, PATIENT, 2))
    patient.ended_because("taken_over")
    second.ready()
    second.stage("call")
    second.connected()
    second.sees(1)
    doctor.sees(1)

    # Removed: the media stops within 2 s.
    doctor.act("remove")
    doctor.act("confirm")
    start = time.monotonic()
    second.ended_because("removed")
    stopped = second.page.evaluate("() => window.consilium.peerConnections().length")
    assert time.monotonic() - start < 2
    assert stopped == 0

    doctor.act("end")
    doctor.act("confirm")
    doctor.ended_because("ended")
    for person in (doctor, patient, second):
        assert person.violations == [], person.violations

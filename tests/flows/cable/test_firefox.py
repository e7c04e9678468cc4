"""Calls between Firefox and Chromium: patients bring the browser they have.

Firefox gathers no candidate on the loopback alone, so it runs on a machine of its own, at the end
of a cable.
"""

from __future__ import annotations

import time

import pytest

from tests.flows.conftest import CLINICIAN, COLLEAGUE
from tests.flows.firefox import FirefoxVisitor
from tests.servers.firefox import Firefox

pytestmark = [pytest.mark.browser, pytest.mark.cable]

OPEN_CONNECTIONS = """() => window.consilium.peerConnections()
    .filter((pc) => pc.connectionState !== 'closed').length"""

SAYS_MUTED = "() => document.querySelector('#people').innerText.includes('muted')"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory, cable):
    running = Firefox(tmp_path_factory.mktemp("firefox"), cable)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def firefox_visitor(request, firefox, cable, installation):
    people: list[FirefoxVisitor] = []

    def come(name: str) -> FirefoxVisitor:
        person = FirefoxVisitor(firefox, name, cable.url_of(installation))
        people.append(person)
        return person

    yield come
    for person in people:
        if getattr(request.node, "failed", False):
            person.keep_evidence(request.node.name)
        person.close()


@pytest.mark.parametrize(("mode", "host"), [("private", CLINICIAN), ("governed", COLLEAGUE)])
def test_patient_calls_in_firefox(installation, visitor, firefox_visitor, mode, host):
    doctor, patient = visitor("doctor"), firefox_visitor("patient")
    doctor.sign_in(installation.people[host])
    email = f"rosa.{mode}@example.test"
    meeting, link = doctor.plan(mode, "Rosa Marchetti", email)

    doctor.receive(installation, meeting, patient, link, email)
    for person in (doctor, patient):
        person.hears()
        person.frames_go_on()

    doctor.say("Can you hear me well?")
    patient.reads("Can you hear me well?")
    patient.say("<b>Yes</b> & thank you")
    doctor.reads("<b>Yes</b> & thank you")

    doctor.act("screen")
    patient.sees_screen()
    doctor.act("screen")
    patient.page.wait_for_selector("[data-participation][data-group=screen]", state="detached")

    # What one switches off, the other reads, both ways.
    for person, other in ((doctor, patient), (patient, doctor)):
        other.act("people")
        person.act("mute")
        other.page.wait_for_function(SAYS_MUTED)
        person.act("mute")
        person.act("camera")
        other.page.wait_for_selector("[data-participation][data-group=camera][data-camera=off]")
        person.act("camera")
        other.sees(1)

    # Reload: back in the call within 3 s, without a code and without a tap.
    start = time.monotonic()
    patient.page.reload()
    patient.connected()
    patient.sees(1)
    back = time.monotonic() - start
    assert back < 3 + 1.0, f"{back:.1f} s"  # and a second to look at two pictures
    doctor.sees(1)

    # Leaving, and coming back.
    patient.act("leave")
    patient.stage("ended")
    doctor.wait(lambda: not doctor.tiles(), "an empty place")
    patient.act("rejoin")
    for person in (patient, doctor):
        person.connected()
        person.sees(1)

    # Removed: the media stops within 2 s.
    doctor.act("remove")
    doctor.act("confirm")
    start = time.monotonic()
    patient.ended_because("removed")
    assert patient.page.evaluate(OPEN_CONNECTIONS) == 0
    assert time.monotonic() - start < 2
    doctor.wait(lambda: not doctor.tiles(), "an empty place", 2)

    # Somebody else comes, and sees the end for all.
    daughter = firefox_visitor("daughter")
    link = doctor.invite(meeting, "Dana Daughter", f"dana.{mode}@example.test")
    daughter.arrive(installation, link, f"dana.{mode}@example.test", 1)
    doctor.open(f"/meetings/{meeting}/room/")  # who was in the call is not asked again
    doctor.stage("call")
    doctor.admit()
    for person in (daughter, doctor):
        person.connected()
        person.sees(1)
    doctor.act("end")
    doctor.act("confirm")
    for person in (doctor, daughter):
        person.ended_because("ended")
        assert person.page.evaluate(OPEN_CONNECTIONS) == 0
    for person in (doctor, patient, daughter):
        assert person.violations == [], person.violations


def test_clinician_signs_in_plans_and_calls_in_firefox(installation, visitor, firefox_visitor):
    doctor, patient = firefox_visitor("doctor"), visitor("patient")
    doctor.sign_in(installation.people[CLINICIAN])
    email = "rosa.second@example.test"
    meeting, link = doctor.plan("private", "Rosa Marchetti", email)
    doctor.receive(installation, meeting, patient, link, email)
    for person in (doctor, patient):
        person.hears()
    doctor.say("Can you hear me well?")
    patient.reads("Can you hear me well?")
    patient.say("Yes, thank you")
    doctor.reads("Yes, thank you")

    doctor.act("people")
    doctor.act("remove")
    doctor.act("confirm")
    start = time.monotonic()
    patient.ended_because("removed")
    assert patient.page.evaluate(OPEN_CONNECTIONS) == 0
    doctor.wait(lambda: not doctor.tiles(), "an empty place", 2)
    assert time.monotonic() - start < 2
    doctor.act("end")
    doctor.act("confirm")
    doctor.ended_because("ended")
    for person in (doctor, patient):
        assert person.violations == [], person.violations


def test_what_a_page_may_not_do_is_noticed_in_firefox(firefox_visitor):
    """The calls above end with no violations; here are some, so that this says something."""
    visitor = firefox_visitor("visitor")
    visitor.open("/")
    visitor.page.evaluate(
        """() => {
          document.body.append(Object.assign(document.createElement("script"), {text: "1"}));
          setTimeout(() => { throw new Error("thrown by the page") });
        }"""
    )

    def noticed(words: str) -> bool:
        visitor.page.content()  # what was said comes with the next answer
        return any(words in violation for violation in visitor.violations)

    visitor.wait(lambda: noticed("Content Security Policy: script-src"), "refused script")
    visitor.wait(lambda: noticed("thrown by the page"), "error")

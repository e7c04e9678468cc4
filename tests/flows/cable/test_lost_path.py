"""The media path is lost and the socket is not: the call comes back by itself.

The patient sits at the end of a cable of their own. What is lost there is lost silently, port by
port, as a firewall or an address translation that forgets does it; new ports work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.conftest import CLINICIAN, COLLEAGUE
from tests.flows.people import CHROMIUM, FLAGS, Visitor
from tests.servers.installation import Installation
from tests.servers.namespace import Namespace

pytestmark = [pytest.mark.browser, pytest.mark.cable]

#: What is promised. 1.9 to 2.4 s is usual; the figures of a run are in its junit properties.
BACK_SECONDS = 3.0

#: A browser without any camera or microphone.
NO_DEVICES = [flag for flag in FLAGS if "fake-device" not in flag]


@pytest.fixture
def patient(
    cable: Namespace, installation: Installation, visitor: Callable[..., Visitor], tmp_path: Path
) -> Visitor:
    """A patient at the far end."""
    program = cable.program(CHROMIUM, tmp_path)
    return visitor("patient", cable.url_of(installation), program=program)


@pytest.fixture
def loses(
    cable: Namespace, patient: Visitor, record_property: Callable[[str, object], None]
) -> Callable[..., None]:
    """Lose ports of the patient's; whoever looks on sees a pause, and it is short."""

    def lose(what: str, ports: list[int], onlookers: list[Visitor]) -> None:
        epoch = patient.received.last_epoch()
        welcomes = patient.received.count_welcomes()
        for person in onlookers:
            person.watches()
        for port in ports:
            cable.drop_udp(port)
        patient.wait(lambda: patient.received.last_epoch() > epoch, "a new attempt")
        for person in onlookers:
            person.connected()
            person.sees(1)
            paused = person.stood_still()
            record_property(f"{what}, {person.name} (s)", round(paused, 2))
            assert paused <= BACK_SECONDS, f"{person.name}: {paused:.2f} s after {what}"
        assert patient.received.count_welcomes() == welcomes, "the socket was not lost"
        assert not set(ports) & set(patient.media_ports())

    return lose


def stays(people: list[Visitor], seconds: float) -> None:
    """Nobody asks for a new media path for ``seconds``."""
    before = [person.received.last_epoch() for person in people]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        people[0].page.wait_for_timeout(200)  # the time that is watched
        assert [person.received.last_epoch() for person in people] == before


def test_private_path_that_dies_is_replaced_within_3_seconds(
    cable, installation, visitor, patient, loses, record_property
):
    doctor = visitor("doctor", installation.url)
    doctor.sign_in(installation.people[CLINICIAN])
    email = "rosa.lost@example.test"
    meeting, link = doctor.plan("private", "Rosa Marchetti", email)
    doctor.receive(installation, meeting, patient, link, email)
    stays([doctor, patient], 2.5)
    loses("path lost, private", patient.media_ports(), [doctor, patient])

    # Nothing to see and nothing to hear is no loss.
    for person in (doctor, patient):
        person.act("mute")
        person.act("camera")
    stays([doctor, patient], 5)
    for person in (doctor, patient):
        person.act("mute")
        person.act("camera")
    for person in (doctor, patient):
        person.sees(1)

    pull_the_plug(cable, [doctor, patient], "private", record_property)
    doctor.act("end")
    doctor.act("confirm")
    patient.ended_because("ended")


def test_governed_path_that_dies_is_replaced_within_3_seconds(
    cable, installation, visitor, patient, loses, record_property
):
    doctor = visitor("doctor", installation.url)
    doctor.sign_in(installation.people[COLLEAGUE])
    email = "rosa.lost.too@example.test"
    meeting, link = doctor.plan("governed", "Rosa Marchetti", email)
    nurse_link = doctor.invite(meeting, "Nil Nurse", "nil@example.test")
    doctor.receive(installation, meeting, patient, link, email)
    both = [doctor, patient]
    epoch = doctor.received.last_epoch()
    stays(both, 2.5)
    loses("path lost, governed", patient.media_ports(), both)
    stays(both, 2.5)
    publish, subscribe = patient.media_ports()
    loses("publish lost", [publish], [doctor])
    stays(both, 2.5)
    publish, subscribe = patient.media_ports()
    loses("subscribe lost", [subscribe], [patient])

    for person in both:
        person.act("mute")
        person.act("camera")
    stays(both, 5)
    for person in both:
        person.act("mute")
        person.act("camera")
    for person in both:
        person.sees(1)

    # Who has no device sends nothing, and hears nothing on the connection for it.
    nurse = visitor("nurse", installation.url, flags=NO_DEVICES)
    nurse.arrive(installation, nurse_link, "nil@example.test", 1)
    doctor.page.wait_for_selector("[data-action=admit]")
    doctor.admit()
    nurse.connected()
    nurse.sees(2)
    stays([nurse], 5)
    nurse.close()

    pull_the_plug(cable, both, "governed", record_property)
    assert doctor.received.last_epoch() == epoch, "the doctor's own path was never lost"
    patient.act("leave")
    patient.stage("ended")
    stays([doctor], 4)
    patient.act("rejoin")
    patient.connected()
    patient.sees(1)
    doctor.sees(1)
    doctor.act("end")
    doctor.act("confirm")
    patient.ended_because("ended")


def pull_the_plug(
    cable: Namespace,
    people: list[Visitor],
    mode: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The network of one side is gone for 5 s; afterwards the call is back."""
    cable.cut()
    people[0].page.wait_for_timeout(5_000)  # how long it is gone
    for person in people:
        person.watches()
    cable.mend()
    for person in people:
        person.connected()
        person.sees(1)
        paused = person.stood_still()
        record_property(f"plug back, {mode}, {person.name} (s)", round(paused, 2))
    for person in people:
        assert person.stood_still() <= BACK_SECONDS

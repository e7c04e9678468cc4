"""How long until the first picture of the other side, beside a bare call of the same browsers.

From the moment the patient's page learns that they are admitted (bare: that it begins to
connect) until the first remote frame is presented. Camera and microphone are open before, in
both. Each sample is a new meeting.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.bare import BareRelay
from tests.benchmarks.figures import Figure, median, spread
from tests.flows.conftest import CLINICIAN
from tests.flows.people import Visitor
from tests.servers.installation import Installation

SAMPLES = 11


def measure(folder: Path) -> list[Figure]:
    installation = Installation(folder / "call", "bench-call")
    installation.start()
    installation.wait_for_worker()
    bare: list[float] = []
    private: list[float] = []
    governed: list[float] = []
    reload: list[float] = []
    try:
        with sync_playwright() as playwright:
            doctor = Visitor(playwright, "doctor", installation.url)
            patient = Visitor(playwright, "patient", installation.url)
            doctor.sign_in(installation.people[CLINICIAN])
            relay = BareRelay()
            # In turn, so that whatever else the machine does falls on all of them alike.
            for number in range(-1, SAMPLES):
                samples = (
                    _bare(relay, doctor, patient, number),
                    *_platform(installation, doctor, patient, "private", number),
                    *_platform(installation, doctor, patient, "governed", number),
                )
                if number < 0:
                    continue  # the first of each finds nothing in the browsers' caches
                for kept, sample in zip(
                    (bare, private, reload, governed), samples[:4], strict=True
                ):
                    kept.append(sample)
            doctor.close()
            patient.close()
    finally:
        installation.stop()
    beside = median(bare)
    return [
        Figure("call.first_frame_ms.private", median(private), "ms", beside, spread(private)),
        Figure("call.first_frame_ms.governed", median(governed), "ms", beside, spread(governed)),
        Figure("call.first_frame_ms.reload", median(reload), "ms", beside, spread(reload)),
    ]


def _platform(
    installation: Installation, doctor: Visitor, patient: Visitor, mode: str, number: int
) -> tuple[float, float]:
    """First frame after the admission, and after a reload."""
    email = f"bench.{mode}.{number}@example.test"
    meeting, link = doctor.plan(mode, "Bench Patient", email)
    patient.arrive(installation, link, email, 1)
    doctor.enter(meeting)
    # As in the bare call: the first is there, with camera and microphone, before the second.
    doctor.page.wait_for_function(OWN_PICTURE)
    if mode == "governed":
        doctor.connected()
    doctor.admit()
    first = _first_frame(patient)
    doctor.sees(1)
    patient.page.reload()
    # From the navigation's start: what a person sees who pressed reload.
    patient.wait(lambda: patient.page.evaluate(RELOADED), "first frame after reload")
    reloaded = float(patient.page.evaluate(RELOADED))
    doctor.act("end")
    doctor.act("confirm")
    patient.stage("ended")
    return first, reloaded


#: Alone in the room, the only picture is one's own.
OWN_PICTURE = "() => [...document.querySelectorAll('video')].some((video) => video.videoWidth > 0)"

RELOADED = """() => window.consilium?.timings.find((mark) => mark.name === 'firstFrame')?.at"""


def _first_frame(patient: Visitor) -> float:
    read = "() => window.consilium.firstFrameMs"
    patient.wait(lambda: patient.page.evaluate(read) is not None, "first frame")
    return float(patient.page.evaluate(read))


def _bare(relay: BareRelay, doctor: Visitor, patient: Visitor, number: int) -> float:
    """As with ours: the pages are opened anew, then their devices, then the call begins."""
    for person in (doctor, patient):
        person.page.goto("about:blank")
        person.page.goto(relay.url)
        person.page.evaluate("bare.prepare()")
    doctor.page.evaluate(f"bare.call('{number}', true)")
    doctor.page.wait_for_function("bare.state.joined")  # the first is there before the second
    patient.page.evaluate(f"bare.call('{number}', false)")
    patient.page.wait_for_function("bare.state.firstFrameMs !== null")
    return float(patient.page.evaluate("bare.state.firstFrameMs"))

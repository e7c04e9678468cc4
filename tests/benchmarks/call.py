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

SAMPLES = 7


def measure(folder: Path) -> list[Figure]:
    installation = Installation(folder / "call", "bench-call")
    installation.start()
    installation.wait_for_worker()
    try:
        with sync_playwright() as playwright:
            doctor = Visitor(playwright, "doctor", installation.url)
            patient = Visitor(playwright, "patient", installation.url)
            doctor.sign_in(installation.people[CLINICIAN])
            bare = _bare(doctor, patient)
            private, reload = _platform(installation, doctor, patient, "private")
            governed, _ = _platform(installation, doctor, patient, "governed")
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
    installation: Installation, doctor: Visitor, patient: Visitor, mode: str
) -> tuple[list[float], list[float]]:
    first, reloaded = [], []
    for number in range(SAMPLES):
        email = f"bench.{mode}.{number}@example.test"
        meeting, link = doctor.plan(mode, "Bench Patient", email)
        patient.arrive(installation, link, email, 1)
        doctor.enter(meeting)
        doctor.admit()
        first.append(_first_frame(patient))
        doctor.sees(1)
        patient.page.reload()
        # From the navigation's start: what a person sees who pressed reload.
        patient.wait(lambda: patient.page.evaluate(RELOADED), "first frame after reload")
        reloaded.append(float(patient.page.evaluate(RELOADED)))
        doctor.act("end")
        doctor.act("confirm")
        patient.stage("ended")
    return first, reloaded


RELOADED = """() => window.consilium?.timings.find((mark) => mark.name === 'firstFrame')?.at"""


def _first_frame(patient: Visitor) -> float:
    read = "() => window.consilium.firstFrameMs"
    patient.wait(lambda: patient.page.evaluate(read) is not None, "first frame")
    return float(patient.page.evaluate(read))


def _bare(doctor: Visitor, patient: Visitor) -> list[float]:
    relay = BareRelay()
    pages = []
    for person in (doctor, patient):
        page = person.context.new_page()
        page.goto(relay.url)
        page.evaluate("bare.prepare()")
        pages.append(page)
    samples = []
    for number in range(SAMPLES):
        pages[0].evaluate(f"bare.call('{number}', true)")
        pages[0].wait_for_timeout(300)  # the first is there before the second comes
        pages[1].evaluate(f"bare.call('{number}', false)")
        pages[1].wait_for_function("bare.state.firstFrameMs !== null")
        samples.append(float(pages[1].evaluate("bare.state.firstFrameMs")))
        for page in pages:
            page.evaluate("hangUp()")
    for page in pages:
        page.close()
    return samples

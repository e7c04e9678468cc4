"""A governed call that is recorded, as the people in it meet it: from the question to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.back_room import BackRoom
from tests.flows.people import Visitor, code_of
from tests.flows.pictures import DESKTOP, Examiner
from tests.flows.test_governed_call import PHONE
from tests.flows.trail import Trail
from tests.servers.installation import SignIn
from tests.servers.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timed]

#: In every name, and in what a host says about who is in the room with them.
CANARY = "Quastelbrunn"

MAKE_PEOPLE = """
from accounts.models import Department, Organisation
from consilium import demo
from foundation.actor import Role
here = Organisation.objects.get(name=demo.ORGANISATION)
ward = Department.objects.get(organisation=here, name="Case conference")
answer = []
for name in names:
    email, password = f"{name.lower()}@recorded.test", f"{name}-has-a-long-password"
    person = demo.make_person(here, f"Dr {canary} {name}", email, Role.CLINICIAN, password, ward)
    answer.append([person.full_name, "clinician", email, password, demo.add_totp(person)])
"""

MAKE_HOST = """
from datetime import timedelta
from django.utils import timezone
from access import grants
from accounts.models import Person, email_index
from meetings.models import Meeting
person = Person.objects.get_by_natural_key(email_index(email))
grants.give(person, "host_meeting", Meeting.objects.get(pk=meeting),
            expires_at=timezone.now() + timedelta(hours=1), granted_by=person.pk, reason="a test")
"""

MAY_RECORD = """
from accounts.models import Organisation
from consilium import demo
from recordings import policies
here = Organisation.objects.get(name=demo.ORGANISATION)
policies.write(here.pk, may_record=may_record, keep_days=demo.KEEP_DAYS)
"""

#: When the last frame of each place arrived at the worker, in seconds since 1970, as the segments
#: say that were shipped so far; and when a place withdrew, by the database.
LAST_FRAMES = """
from foundation.sealing.records import Frame, Opening, Source
from meetings.models import Consent
from recordings.models import Recording
from recordings.segments import reader
recording = Recording.objects.filter(meeting_id=meeting).latest("asked_at")
last = {}
for opened in reader(recording):
    places, wall = {}, 0
    for record in opened.records:
        if isinstance(record, Opening):
            wall = record.wall_us - record.clock_us
        elif isinstance(record, Source):
            places[record.stream] = str(record.place)
        elif isinstance(record, Frame):
            place = places[record.stream]
            last[place] = max(last.get(place, 0), (record.arrival_us + wall) / 1e6)
withdrawn = {str(c.participation_id): c.withdrawn_at.timestamp()
             for c in Consent.objects.filter(question=recording.pk, withdrawn_at__isnull=False)}
answer = [last, withdrawn]
"""


#: Half a minute is not waited for: whoever is not connected was seen last so much earlier.
MISSED_FOR_LONG = """
from django.db.models import F
from recordings.actions.capture import KEEPER_IS_MISSED_FOR
from recordings.models import Recording
keeper = Recording.objects.filter(meeting_id=meeting).latest("asked_at").keeper
type(keeper).objects.filter(pk=keeper.pk).update(seen_at=F("seen_at") - KEEPER_IS_MISSED_FOR)
"""


@pytest.fixture
def back_room(installation) -> Iterator[BackRoom]:
    room = BackRoom(installation)
    yield room
    room.leave()


def made(back_room: BackRoom, *names: str) -> list[SignIn]:
    people = back_room.do(MAKE_PEOPLE, names=list(names), canary=CANARY)
    return [SignIn(*one) for one in people]


class Tape:
    """The recordings of a meeting as they lie in the database, and their deeds on the trail."""

    def __init__(self, installation: Any, meeting: str) -> None:
        self.trail = Trail(installation)
        self.meeting = meeting.replace("-", "")
        self.since = self.trail.last()

    def state(self) -> str:
        """Of the newest one."""
        rows = self.trail.ask(
            "SELECT state FROM recordings_recording WHERE meeting_id = ? ORDER BY asked_at",
            self.meeting,
        )
        return str(rows[-1][0]) if rows else ""

    def becomes(self, state: str, seconds: float = 20) -> None:
        wait_for(lambda: self.state() == state, f"a recording that is {state}", seconds)

    def segments(self) -> int:
        return int(
            self.trail.ask(
                "SELECT coalesce(sum(r.segments), 0) FROM recordings_run r"
                " JOIN recordings_recording q ON q.id = r.recording_id WHERE q.meeting_id = ?",
                self.meeting,
            )[0][0]
        )

    def grows(self, more: int = 2) -> None:
        before = self.segments()
        wait_for(lambda: self.segments() >= before + more, f"{more} more segments", 30)

    def deeds(self) -> list[str]:
        """What was done about recordings and consents, in order, and what was refused why."""
        rows = self.trail.ask(
            "SELECT tag, outcome, reason FROM audit_trailrow WHERE id > ? AND"
            " (tag LIKE 'recordings:%' OR tag LIKE 'meetings:consent:%'"
            "  OR outcome = 'refused') ORDER BY id",
            self.since,
        )
        return [
            tag.split(":", 1)[1] + (f" refused {reason}" if outcome == "refused" else "")
            for tag, outcome, reason in rows
        ]


def banner(person: Visitor, state: str, words: str = "", seconds: float = 20) -> None:
    """What stands above the pictures."""
    person.page.wait_for_selector(f"#recording[data-state={state}]:visible", timeout=seconds * 1000)
    if words:
        person.page.wait_for_selector(f"#recording:has-text({words!r})", timeout=seconds * 1000)


def answer(person: Visitor, where: str, how: str) -> None:
    person.page.click(f"[data-question={where}] [data-action={how}]")


def is_asked(person: Visitor) -> None:
    person.page.wait_for_selector("[data-consent]:visible")
    assert person.page.evaluate("() => document.activeElement.id") == "consent-title"
    spoken = person.page.text_content("#announce")
    assert spoken
    assert person.page.inner_text("#recording-title") in spoken


def asks(host: Visitor, others: str = "") -> None:
    host.act("record")
    host.page.check(f"#ask-recording [value={'somebody' if others else 'nobody'}]")
    if others:
        host.page.fill("#others-who", others)
    host.act("ask-everybody")


def fits(person: Visitor, viewport: dict[str, int]) -> None:
    person.page.set_viewport_size(viewport)  # type: ignore[arg-type]


def test_a_call_is_recorded_with_everybodys_word_and_nobody_elses(
    installation, visitor, back_room, record_property
):
    english = Examiner()
    clinician, second = made(back_room, "Alba", "Bruno")
    doctor = visitor("doctor")
    patient = visitor("patient", viewport=PHONE)
    doctor.sign_in(clinician)
    meeting, link = doctor.plan("governed", f"Rosa {CANARY}", "rosa@recorded.test")
    late_link = doctor.invite(meeting, f"Ivo {CANARY}", "ivo@recorded.test")
    back_room.do(MAKE_HOST, email=second.email, meeting=meeting)
    back_room.do(MAY_RECORD, may_record=True)  # whatever another flow wrote
    tape = Tape(installation, meeting)

    doctor.receive(installation, meeting, patient, link, "rosa@recorded.test")
    assert patient.page.query_selector("[data-action=record]") is None
    doctor.page.wait_for_selector("[data-action=record]:visible")
    english.look(doctor, "recording-may-be")

    # Whoever asks says who is in the room; the patient says no, and nothing begins.
    doctor.act("record")
    doctor.act("ask-everybody")
    doctor.page.wait_for_selector("#ask-recording [role=alert]:has-text('who else')")
    doctor.page.check("#ask-recording [value=somebody]")
    doctor.page.fill("#others-who", f"A student, {CANARY}")
    english.look(doctor, "recording-ask")
    doctor.act("ask-everybody")
    for person in (doctor, patient):
        is_asked(person)
        banner(person, "asked", "Nothing is recorded yet")
    patient.page.wait_for_selector("[data-consent]:has-text('For 7 days')")
    english.look(patient, "recording-question-guest")
    english.look(doctor, "recording-question-host")
    answer(patient, "call", "refuse")
    for person in (doctor, patient):
        banner(person, "over", "Not everybody agreed")
        person.page.wait_for_selector("[data-consent]", state="hidden")
    english.look(patient, "recording-refused")
    assert tape.state() == "abandoned"
    patient.act("close-recording")
    patient.page.wait_for_selector("#recording", state="hidden")

    # Asked again, both agree, and it begins by itself.
    asks(doctor)
    is_asked(patient)
    answer(doctor, "call", "agree")
    banner(doctor, "asked", f"Still to answer: Rosa {CANARY}")
    focus = doctor.page.evaluate("() => document.activeElement.id")
    assert focus == "recording-title", "the button that was pressed is gone"
    english.look(doctor, "recording-waits-for-guest")
    assert tape.state() == "asked"
    answer(patient, "call", "agree")
    for person in (doctor, patient):
        banner(person, "recording", "This call is being recorded, since")
        banner(person, "recording", "compliance officers of Riverside Hospital")
        assert "being recorded" in (person.page.text_content("#announce") or "")
    tape.grows()
    english.look(patient, "recording-runs-guest")
    english.look(doctor, "recording-runs-host")
    fits(patient, PHONE)
    patient.act("people")
    assert patient.page.is_visible("#recording-title"), "a panel does not cover it"
    english.look(patient, "recording-runs-panel")
    patient.act("people")

    # A pause, and a reload, which is no leaving.
    doctor.act("pause-recording")
    for person in (doctor, patient):
        banner(person, "paused", "Nothing is recorded at the moment")
    english.look(patient, "recording-paused")
    doctor.page.reload()
    doctor.connected()
    banner(doctor, "paused")
    doctor.act("pause-recording")
    banner(patient, "recording")
    tape.grows()

    # Who comes late is asked at the door, says no, and stays out; a reload changes nothing.
    fits(doctor, DESKTOP)
    late = visitor("late", viewport=PHONE)
    late.arrive(installation, late_link, "ivo@recorded.test", 1)
    doctor.page.wait_for_selector("[data-action=admit]")
    doctor.admit()
    late.page.wait_for_selector("[data-question=door]:visible")
    english.look(late, "recording-door")
    banner(doctor, "recording", f"Ivo {CANARY} is at the door")
    english.look(doctor, "recording-somebody-at-the-door")
    answer(late, "door", "refuse")
    late.page.wait_for_selector("h1:has-text('You said no. That is all right.')")
    english.look(late, "recording-door-refused")
    late.page.reload()
    late.ready()
    late.page.wait_for_selector("[data-question=door]:visible")
    answer(late, "door", "refuse")
    late.page.wait_for_selector("[data-question=door]", state="hidden")

    # A colleague is asked at the door as well, agrees, and is handed the recording.
    colleague = visitor("colleague", viewport=PHONE)
    colleague.sign_in(second)
    colleague.open(f"/meetings/{meeting}/room/")
    colleague.ready()
    colleague.page.wait_for_selector("[data-question=door]:visible")
    answer(colleague, "door", "agree")
    colleague.connected()
    banner(colleague, "recording", "This call is being recorded")
    assert colleague.page.is_hidden("[data-action=pause-recording]"), "it is not theirs"
    doctor.page.click("[data-action=leave]")
    doctor.page.wait_for_selector("#confirm[open]:has-text('The recording ends when you leave')")
    english.look(doctor, "recording-leave")
    doctor.act("cancel")
    doctor.act("hand-over")
    english.look(doctor, "recording-hand-over")
    doctor.page.click(f"[data-action=heir]:has-text({second.name!r})")
    colleague.page.wait_for_selector("[data-action=pause-recording]:visible")
    doctor.act("leave")
    doctor.ended_because("left")
    assert "Nothing more of you is recorded" in doctor.page.inner_text("[data-bind=ended-help]")
    english.look(doctor, "recording-left")
    tape.grows()
    assert tape.state() == "recording", "it goes on without the one who began it"

    # The patient withdraws: within a second nothing more of them is taken.
    patient.act("withdraw")
    english.look(patient, "recording-withdraw")
    patient.act("confirm")
    banner(patient, "recording", "Nothing more of you is.")
    assert patient.page.is_hidden("[data-action=withdraw]")
    english.look(patient, "recording-withdrawn")
    tape.grows(3)
    last, withdrawn = back_room.do(LAST_FRAMES, meeting=meeting)
    [(place, at)] = withdrawn.items()
    after = last.pop(place) - at
    record_property("last frame after the withdrawal (s)", round(after, 3))
    assert after <= 1.0, f"{after:.2f} s of the patient after the withdrawal"
    assert max(last.values()) > at + 2, "the others go on being recorded"

    # Its keeper leaves: it stops, and who said no comes in by themselves.
    colleague.act("leave")
    colleague.act("confirm")
    colleague.ended_because("left")
    banner(patient, "over", "The recording has ended")
    late.stage("call")
    late.connected()
    banner(patient, "over", "It was stored, encrypted, and checked", 60)
    english.look(patient, "recording-stored")
    tape.becomes("stored")

    deeds = tape.deeds()
    record_property("trail", deeds)
    assert deeds == [
        "recording:ask",
        "recording:abandon",
        "consent:refuse",
        "recording:ask",
        "consent:give",
        "recording:begin",
        "consent:give",
        "recording:pause",
        "recording:resume",
        "consent:refuse",
        "room:join refused consent_required",
        "consent:refuse",
        "room:join refused consent_required",
        "consent:give",
        "recording:hand_over",
        "place:spare",
        "consent:withdraw",
        "recording:end",
        "recording:seal",
        "recording:store",
    ]
    assert english.found == []
    for person in (doctor, patient, late, colleague):
        assert person.violations == [], person.violations
    lying = installation.places()
    assert [place for place, content in lying.items() if CANARY.encode() in content] == []


def test_a_question_is_taken_back_and_a_recording_ends_when_its_keeper_is_lost(
    installation, visitor, back_room
):
    spanish = Examiner("es")
    [clinician] = made(back_room, "Carla")
    doctor = visitor("doctor")
    luisa = visitor("luisa", viewport=PHONE, locale="es")
    doctor.sign_in(clinician)
    meeting, _ = doctor.plan("governed", f"Nobody {CANARY}", "nobody@recorded.test")
    link = doctor.invite(meeting, f"Luisa {CANARY}", "luisa@recorded.test", "es")
    tape = Tape(installation, meeting)

    # Where the organisation does not allow it, nobody is offered to ask, and it is said why.
    back_room.do(MAY_RECORD, may_record=False)
    doctor.enter(meeting)
    doctor.page.wait_for_selector("[data-bind=alone]:visible")
    assert doctor.page.is_hidden("[data-action=record]")
    doctor.act("about")
    doctor.page.wait_for_selector("#about:has-text('does not allow calls to be recorded')")
    back_room.do(MAY_RECORD, may_record=True)
    doctor.page.reload()
    doctor.page.wait_for_selector("[data-action=record]:visible")

    luisa.redeem(link)
    luisa.prove(code_of(installation, "luisa@recorded.test"))
    luisa.ready()
    luisa.stage("wait")
    doctor.admit()
    for person in (doctor, luisa):
        person.connected()

    asks(doctor)
    luisa.page.wait_for_selector("[data-consent]:visible")
    spanish.look(luisa, "es-recording-question")
    doctor.act("take-back")
    banner(luisa, "over")
    luisa.page.wait_for_selector("[data-consent]", state="hidden")

    asks(doctor)
    for person in (luisa, doctor):
        is_asked(person)
        answer(person, "call", "agree")
    for person in (luisa, doctor):
        banner(person, "recording")
    spanish.look(luisa, "es-recording-runs")
    tape.grows()
    doctor.act("stop-recording")
    banner(luisa, "over")
    tape.becomes("stored", 60)

    # Another question asks everybody anew. Who asked is gone without a word: it ends.
    asks(doctor)
    for person in (luisa, doctor):
        is_asked(person)
        answer(person, "call", "agree")
    for person in (luisa, doctor):
        banner(person, "recording")
    tape.grows()
    doctor.close()
    luisa.page.wait_for_timeout(5_000)  # a short interruption is none
    banner(luisa, "recording")
    back_room.do(MISSED_FOR_LONG, meeting=meeting)
    banner(luisa, "over", seconds=30)
    spanish.look(luisa, "es-recording-over")
    tape.becomes("stored", 60)

    deeds = tape.deeds()
    assert [deed for deed in deeds if re.search("take_back|stop|end", deed)] == [
        "recording:take_back",
        "recording:stop",
        "recording:end",
    ]
    assert spanish.found == []
    assert luisa.violations == []

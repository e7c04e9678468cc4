"""Every page and every state of a call: WCAG 2.2 AA by axe, a phone's width, two languages.

Pictures of all of it are kept under ``build/artefacts/pictures``, for people to look at.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.flows.people import SPARING, Visitor, code_of, fresh_totp, totp
from tests.flows.pictures import Examiner
from tests.servers.installation import Installation, SignIn

pytestmark = pytest.mark.browser

PASSWORD = "a long and unusual password"

#: People that no other test signs in as (a code is taken only once), and a link that is too old.
MAKE_PEOPLE = f"""
import json
from datetime import timedelta
from django.utils import timezone
from accounts.actors import actor_for
from accounts.models import Department, Organisation
from consilium import demo
from foundation.actor import Role
from foundation.wire.browser import Mode
from meetings.actions import plan
from meetings.models import Invitation

hospital = Organisation.objects.get(name=demo.ORGANISATION)
department = Department.objects.get(organisation=hospital, name="General medicine")
made = {{}}
for first, name, role in (
    ("ines", "Dr Ines Vidal", Role.CLINICIAN),
    ("omar", "Dr Omar Haddad", Role.CLINICIAN),
    ("lena", "Dr Lena Brandt", Role.CLINICIAN),
    ("tom", "Tom Achterberg", Role.COMPLIANCE_OFFICER),
    ("nora", "Nora Newcomer", Role.CLINICIAN),
):
    email = first + "@pictures.test"
    person = demo.make_person(hospital, name, email, role, {PASSWORD!r}, department)
    made[first] = [name, role.value, email, {PASSWORD!r}]
    made[first].append("" if first == "nora" else demo.add_totp(person))

_, issued = plan.create_meeting(
    actor_for(person, mfa=True), hospital, department=department, title="", mode=Mode.PRIVATE,
    relay_only=False, starts_at=timezone.now(), guest=plan.NewGuest("Old", "old@pictures.test"),
)
Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
print("MADE" + json.dumps([made, issued.link_secret.text]))
"""

#: What a person reads first on these pages; none of it in Spanish.
FIRST_WORDS = {
    "home": "Video visits, behind a closed door",
    "visit-link": "You are invited to a video visit",
    "room-verify": "Is it you?",
    "room-wait": "You are in the waiting room",
    "room-call-guest": "The call",
}

#: Without the flag that answers the browser's question with yes.
ASKED = [flag for flag in SPARING if flag != "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def made(installation: Installation) -> tuple[dict[str, SignIn], str]:
    """People by first name, and the secret of an invitation that has expired."""
    printed = installation.manage("shell", "--no-imports", "-c", MAKE_PEOPLE)
    people, secret = json.loads(printed.split("MADE")[1])
    return {name: SignIn(*details) for name, details in people.items()}, secret


def another_code(text: str) -> str:
    return f"{(int(text) + 1) % 1_000_000:06d}"


def submit(person: Visitor) -> None:
    """Send the page's form as it is, so that the server and not the browser finds the errors."""
    person.page.evaluate("() => { document.querySelector('main form').noValidate = true; }")
    with person.page.expect_navigation():
        person.page.click("main form button[type=submit]")


def test_pages_that_everybody_may_open(installation, visitor, made):
    _, expired = made
    english, anybody = Examiner(), visitor("anybody")

    def look_at(path: str, name: str) -> None:
        anybody.open(path)
        english.look(anybody, name)

    look_at("/", "home")
    anybody.page.fill("[name=code]", "ABCD-12")
    anybody.page.click("[data-code-form] button")
    anybody.page.wait_for_selector("[data-problem=code_incomplete]")
    english.look(anybody, "home-code-incomplete")
    look_at("/visit/", "visit")
    anybody.page.goto("about:blank")
    look_at(f"/visit/#{expired}", "visit-link")
    anybody.act("redeem")
    anybody.page.wait_for_selector("[data-problem=invitation_expired]")
    english.look(anybody, "visit-expired")
    assert anybody.page.is_hidden("[data-action=redeem]"), "pressing it cannot help"
    anybody.page.goto("about:blank")
    look_at("/visit/#tooshort", "visit-incomplete")
    anybody.page.goto("about:blank")
    anybody.open(f"/visit/#{'A' * 43}")
    anybody.act("redeem")
    anybody.page.wait_for_selector("[data-problem=invitation_unknown]")
    english.look(anybody, "visit-refused")
    look_at("/promise/", "promise")
    look_at("/nothing/here/", "not-found")
    look_at("/desk/", "sign-in-required")
    look_at("/accounts/login/", "sign-in")
    anybody.page.fill("[name=login]", "nobody@pictures.test")
    anybody.page.fill("[name=password]", "not the password")
    submit(anybody)
    english.look(anybody, "sign-in-refused")

    assert english.found == []
    assert english.headings.items() >= {n: FIRST_WORDS[n] for n in ("home", "visit-link")}.items()


def test_pages_of_people_who_work_here(installation, visitor, made):
    people, _ = made
    english, ines = Examiner(), visitor("ines")

    def look_at(path: str, name: str) -> None:
        ines.open(path)
        english.look(ines, name)

    ines.open("/accounts/login/")
    ines.page.fill("[name=login]", people["ines"].email)
    ines.page.fill("[name=password]", PASSWORD)
    submit(ines)
    english.look(ines, "second-factor")
    ines.page.fill("[name=code]", another_code(totp(people["ines"].totp)))
    submit(ines)
    english.look(ines, "second-factor-refused")
    ines.page.fill("[name=code]", fresh_totp(people["ines"].totp))
    submit(ines)

    look_at("/desk/", "desk-empty")
    look_at("/desk/meetings/new/", "meeting-new")
    submit(ines)
    english.look(ines, "meeting-new-errors")
    meeting, _ = ines.plan("private", "Rosa Marchetti", "rosa.desk@pictures.test")
    english.look(ines, "meeting-link")
    look_at(f"/desk/meetings/{meeting}/", "meeting")
    ines.plan("governed", "Konstantinos Papadopoulos-Wellington", "konstantinos@pictures.test")
    look_at("/desk/", "desk")
    look_at("/admin/", "not-permitted")
    look_at("/accounts/password/change/", "password-change")
    submit(ines)
    english.look(ines, "password-change-errors")
    look_at("/accounts/2fa/", "mfa")
    look_at("/accounts/reauthenticate/", "reauthenticate")
    # Who has just signed in is not asked for the password again.
    look_at("/accounts/2fa/recovery-codes/generate/", "mfa-recovery-new")
    submit(ines)
    ines.page.wait_for_selector("#recovery_codes")
    english.look(ines, "mfa-recovery")
    look_at("/accounts/2fa/totp/deactivate/", "mfa-totp-off")
    look_at("/accounts/2fa/reauthenticate/", "mfa-reauthenticate")
    look_at("/accounts/logout/", "sign-out")

    nora = visitor("nora")
    nora.open("/accounts/login/")
    nora.page.fill("[name=login]", people["nora"].email)
    nora.page.fill("[name=password]", PASSWORD)
    submit(nora)
    nora.page.wait_for_selector(".secret-picture")
    english.look(nora, "mfa-totp-on")
    assert english.found == []


def test_pages_of_an_officer(installation, visitor, made):
    people, _ = made
    english, tom = Examiner(), visitor("tom")
    tom.sign_in(people["tom"])

    english.look(tom, "admin")
    for path, name in (
        ("accounts/membership", "admin-people"),
        ("meetings/meeting", "admin-meetings"),
        ("audit/trailrow", "admin-trail"),
        ("media/mediaworker", "admin-workers"),
    ):
        tom.open(f"/admin/{path}/")
        english.look(tom, name)
        tom.page.click("#result_list tbody th a >> nth=0")
        tom.page.wait_for_url(re.compile(r"/change/"))
        english.look(tom, f"{name}-one")
    tom.open("/admin/audit/trailrow/?q=nobody-has-this-name")
    english.look(tom, "admin-trail-nothing")
    assert english.found == []


def test_every_state_of_a_private_call(installation, visitor, made, cutter):
    people, _ = made
    english = Examiner()
    look = english.look
    email = "rosa@pictures.test"
    doctor, patient = visitor("doctor"), visitor("patient", f"https://localhost:{cutter.port}")
    doctor.sign_in(people["omar"])
    meeting, link = doctor.plan("private", "Rosa Marchetti", email)
    doctor.open(f"/meetings/{meeting}/room/")
    doctor.stage("check")
    look(doctor, "room-check-host")

    doctor.ready()
    doctor.stage("call")
    doctor.page.wait_for_selector("[data-bind=alone]:visible")
    look(doctor, "room-host-alone")

    # The way in.
    patient.open(f"/meetings/{meeting}/room/")
    look(patient, "room-no-seat")
    patient.redeem(link)
    patient.stage("verify")
    code = code_of(installation, email)
    patient.page.wait_for_function("() => document.activeElement?.id === 'code'")
    look(patient, "room-verify")
    patient.page.fill("#code", another_code(code))
    patient.page.wait_for_function("() => document.querySelector('#code-error').textContent !== ''")
    look(patient, "room-verify-wrong")
    patient.prove(code)
    patient.page.wait_for_selector(".mirror[data-camera=on]")
    look(patient, "room-check")
    patient.ready()
    patient.stage("wait")
    patient.page.wait_for_selector("[data-bind=host-lamp]:visible")
    look(patient, "room-wait")
    doctor.page.wait_for_selector("[data-action=admit]")
    look(doctor, "room-host-waiting")
    patient.act("stop-waiting")
    patient.ended_because("stopped_waiting")
    doctor.page.wait_for_selector("#waiting", state="hidden")  # out of the queue
    look(patient, "room-ended-stopped-waiting")
    assert patient.page.inner_text("[data-action=rejoin]") == "Back to the waiting room"
    patient.act("rejoin")
    patient.stage("wait")
    doctor.admit()
    patient.stage("call")
    for person in (doctor, patient):
        person.connected()
        person.sees(1)

    # The call.
    look(doctor, "room-call-host")
    look(patient, "room-call-guest")
    doctor.say("Good morning, Mrs Marchetti. Can you hear me well?")
    patient.wait(lambda: patient.page.is_visible("[data-bind=unread]"), "a badge")
    look(patient, "room-call-unread")
    patient.say("Yes, very well, thank you.\nOne moment, I am fetching my list of medicines.")
    doctor.reads("One moment")
    look(patient, "room-chat-guest")
    look(doctor, "room-chat-host")
    doctor.act("people")
    look(doctor, "room-people-host")
    doctor.act("remove")
    look(doctor, "room-confirm-remove")
    doctor.act("cancel")
    doctor.act("devices")
    look(doctor, "room-devices")
    doctor.page.click("#devices [data-action=close-panel]")
    patient.act("about")
    patient.page.wait_for_function(
        "() => document.querySelector('[data-bind=connection]').textContent !== ''"
    )
    look(patient, "room-about")
    patient.act("about")
    doctor.act("screen")
    patient.sees_screen()
    look(doctor, "room-sharing")
    look(patient, "room-screen")
    doctor.act("screen")
    patient.page.wait_for_selector("[data-participation][data-group=screen]", state="detached")
    patient.act("mute")
    patient.act("camera")
    doctor.page.wait_for_selector("[data-participation][data-group=camera][data-camera=off]")
    look(patient, "room-muted-guest")
    look(doctor, "room-muted-host")
    patient.act("mute")
    patient.act("camera")

    # What goes wrong.
    doctor.act("mute")
    patient.page.wait_for_selector(".tile-name >> text=Dr Omar Haddad, muted")
    cutter.cut()
    patient.page.wait_for_selector("#room[data-line=interrupted]")
    patient.page.wait_for_selector(".tile-name >> text=Dr Omar Haddad, was muted")
    look(patient, "room-reconnecting")
    patient.act("people")
    patient.page.wait_for_selector("[data-bind=people-outdated]:visible")
    look(patient, "room-people-outdated")
    patient.act("people")
    doctor.act("mute")
    cutter.mend()
    patient.page.wait_for_selector("#room:not([data-line=interrupted])")
    patient.page.goto("about:blank")
    second = visitor("second-device")  # while the doctor's browser finds out
    second.redeem(link)
    doctor.page.wait_for_selector("#notice >> text=Rosa Marchetti")
    look(doctor, "room-guest-away")
    patient.page.goto(f"{patient.base}/meetings/{meeting}/room/")
    patient.connected()

    # Goodbye, for every reason.
    patient.act("leave")
    patient.ended_because("left")
    look(patient, "room-ended-left")
    patient.act("rejoin")
    patient.connected()
    second.prove(code_of(installation, email, 2))
    patient.ended_because("taken_over")
    look(patient, "room-ended-taken-over")
    second.ready()
    second.connected()
    doctor.act("people")
    doctor.act("remove")
    doctor.act("confirm")
    second.ended_because("removed")
    look(second, "room-ended-removed")
    doctor.act("end")
    look(doctor, "room-confirm-end")
    doctor.act("confirm")
    doctor.ended_because("ended")
    look(doctor, "room-ended-host")
    doctor.open(f"/desk/meetings/{meeting}/")
    look(doctor, "meeting-over")

    assert english.found == []
    names = ("room-verify", "room-wait", "room-call-guest")
    assert english.headings.items() >= {n: FIRST_WORDS[n] for n in names}.items()


def test_no_camera_and_a_call_in_spanish(installation, visitor, made):
    people, _ = made
    english, spanish = Examiner(), Examiner("es")
    doctor = visitor("doctor")
    doctor.sign_in(people["lena"])
    meeting, link = doctor.plan("governed", "David Okafor", "david@pictures.test")
    spanish_link = doctor.invite(meeting, "Luisa Fernández", "luisa@pictures.test", "es")

    david = visitor("david", flags=ASKED)
    david.context.clear_permissions()
    david.context.grant_permissions(["geolocation"])  # which refuses all others
    david.redeem(link)
    david.prove(code_of(installation, "david@pictures.test"))
    david.page.wait_for_selector("[data-bind=trouble]:visible")
    english.look(david, "room-check-refused")
    david.ready()
    david.stage("wait")
    english.look(david, "room-wait-refused")

    luisa = visitor("luisa", locale="es")
    luisa.open("/")
    spanish.look(luisa, "es-home")
    luisa.page.goto("about:blank")
    luisa.page.goto(spanish_link)
    spanish.look(luisa, "es-visit-link")
    luisa.redeem(spanish_link)
    luisa.stage("verify")
    code = code_of(installation, "luisa@pictures.test")
    spanish.look(luisa, "es-room-verify")
    luisa.prove(code)
    luisa.ready()
    luisa.stage("wait")
    spanish.look(luisa, "es-room-wait")

    doctor.enter(meeting)
    doctor.page.wait_for_selector("text=Luisa Fernández")
    english.look(doctor, "room-host-two-waiting")
    doctor.page.locator("#waiting li", has_text="David").locator("[data-action=decline]").click()
    david.ended_because("declined")
    english.look(david, "room-ended-declined")
    doctor.page.wait_for_selector("#waiting li >> nth=1", state="detached")
    doctor.admit()
    luisa.connected()
    luisa.sees(1)
    spanish.look(luisa, "es-room-call-guest")
    leave = luisa.page.inner_text("[data-action=leave]")
    english.look(doctor, "room-call-governed")

    # The media server dies and stays away: that is said, and not that somebody is alone.
    installation.lose_workers()
    for person, words in ((doctor, "The media server"), (luisa, "servidor de medios")):
        person.page.wait_for_selector("#room[data-media=unserved]")
        assert words in person.page.inner_text("#notice")
        assert person.page.is_hidden("[data-bind=alone]")
    english.look(doctor, "room-no-media-server")
    spanish.look(luisa, "es-room-no-media-server")
    installation.regain_workers()
    for person in (doctor, luisa):
        person.connected()
        person.sees(1)
    doctor.act("end")
    doctor.act("confirm")
    luisa.ended_because("ended")
    spanish.look(luisa, "es-room-ended")

    assert english.found + spanish.found == []
    assert leave.strip() not in ("", "Leave")
    for name, words in FIRST_WORDS.items():
        assert spanish.headings[f"es-{name}"] != words, name

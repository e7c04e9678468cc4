"""Who is refused, with which word, and that the trail has it; while a call of two goes on.

Plain clients instead of browsers: what they send no page of ours would. What one socket or one
machine can do to all others is in ``tests/faults``.
"""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from access.floods import EACH
from access.verbs import Verb
from accounts.sign_in_trail import SIGN_IN
from foundation.errors import PROBLEMS
from foundation.wire.worker import ASSERTION_AUDIENCE
from tests.flows import house as houses
from tests.flows.canaries import nothing_was_left_behind
from tests.flows.house import CANARY, WORDS, House, Visit
from tests.flows.http_door import Answer, Browser
from tests.flows.page_socket import Socket, is_shut_out
from tests.flows.people import totp
from tests.flows.tokens import assertion, hmac_signed, unsigned

pytestmark = pytest.mark.browser  # needs an installation

house = houses.house
the_call_goes_on = houses.the_call_goes_on


# ---------------------------------------------------------------- strangers


@pytest.mark.parametrize(
    ("who", "code"),
    [("near", "not_permitted"), ("far", "not_found"), ("nobody", "not_found")],
)
def test_a_stranger_finds_every_door_of_a_meeting_shut(house: House, who: str, code: str):
    """A clinician of the same hospital who hosts nothing; one of another; one without any name."""
    stranger = getattr(house, who, None) or Browser(house.installation)
    stranger.open("/visit/")
    visit, meeting = house.lobby, f"meeting:{house.lobby.meeting}"
    with house.trail.gains(Verb.ROOM_OPEN, code, meeting, count=2):
        assert stranger.get(visit.path("room/")).status == PROBLEMS[code].status
        stranger.get(visit.path("me")).is_refused(code)
    # Whoever has no seat is told so, and nothing of the meeting.
    with house.trail.gains(Verb.ROOM_JOIN, "seat_unknown", meeting, count=2):
        for purpose in ("wait", "join"):
            stranger.ticket(visit.meeting, purpose).is_refused("seat_unknown")
    with house.trail.gains(Verb.CODE_SEND, "seat_unknown", meeting):
        stranger.post(visit.path("verification/send")).is_refused("seat_unknown")
    with house.trail.gains(Verb.GUEST_VERIFY, "seat_unknown", meeting):
        stranger.post(visit.path("verification/check"), {"code": "123456"}).is_refused(
            "seat_unknown"
        )
    desk = f"/desk/meetings/{visit.meeting}/"
    guest = f"{desk}guests/{visit.participation}/"
    invitation = {
        "guest_name": f"{CANARY} Intruder",
        "guest_email": "intruder@example.test",
        "guest_language": "en",
    }
    for verb, path, fields in (
        (Verb.MEETING_END, f"{desk}end/", {}),
        (Verb.GUEST_INVITE, f"{desk}invite/", invitation),
        (Verb.INVITATION_RENEW, f"{guest}renew/", {}),
        (Verb.INVITATION_REVOKE, f"{guest}revoke/", {}),
    ):
        with house.trail.gains(verb, code):
            stranger.submit(path, fields, Accept="application/json").is_refused(code)
    with house.trail.gains(Verb.MEETING_VIEW, code, meeting):
        page = stranger.get(desk, Accept="text/html")
        assert page.status == PROBLEMS[code].status
        assert CANARY not in page.text.replace(f"{CANARY} Near", "")


def test_the_desk_of_another_shows_no_meeting_of_the_host(house: House):
    for stranger in (house.near, house.far):
        assert house.lobby.meeting not in stranger.open("/desk/").text
    assert house.lobby.meeting in house.host.open("/desk/").text


def test_an_id_that_was_never_given_is_nowhere(house: House):
    nobody = Browser(house.installation)
    nobody.open("/visit/")
    for person in (house.near, nobody):
        with house.trail.gains(Verb.ROOM_OPEN, "not_found"):
            person.get(f"/meetings/{uuid4()}/me").is_refused("not_found")
        with house.trail.gains(Verb.ROOM_JOIN, "not_found"):
            person.ticket(str(uuid4()), "join").is_refused("not_found")
        with house.trail.gains(Verb.ROOM_OPEN, "not_found"):
            assert person.get(f"/meetings/{uuid4()}/room/").status == 404


def test_a_password_without_the_second_factor_opens_nothing(house: House):
    """And a code of TOTP that was used once is no code any more."""
    who = next(p for p in house.sign_ins.values() if p.name.endswith("Near"))
    thief = Browser(house.installation)
    thief.open("/accounts/login/")
    first = thief.submit("/accounts/login/", {"login": who.email, "password": who.password})
    assert "2fa" in str(first.headers["Location"])
    assert thief.get("/desk/").status in (302, 401, 403)
    with house.trail.gains(Verb.ROOM_OPEN, "not_found"):
        thief.get(house.lobby.path("me")).is_refused("not_found")
    thief.open(str(first.headers["Location"]))
    for code in ("000000", totp(who.totp, time.time() - 3600)):
        with house.trail.gains(SIGN_IN, "second_factor_wrong", "person:"):
            again = thief.submit(str(first.headers["Location"]), {"code": code})
        assert again.status == 200, "the form again"
    assert thief.get("/desk/").status in (302, 401, 403)


# ---------------------------------------------------------------- links and codes


def test_links_unknown_used_up_revoked_and_expired(house: House):
    visit = house.visit()
    link = visit.invited.secret
    for _ in range(3):
        assert Browser(house.installation).redeem(link).status == 200
    invitation = "invitation:"
    with house.trail.gains(Verb.INVITATION_REDEEM, "invitation_used", invitation):
        Browser(house.installation).redeem(link).is_refused("invitation_used")
    with house.trail.gains(Verb.INVITATION_REDEEM, "invitation_used", invitation):
        visit.browser.open("/visit/")
        visit.browser.post("/visit/redeem", {"code": visit.invited.short_code}).is_refused(
            "invitation_used"
        )
    for wrong in ({"secret": CANARY * 5}, {"code": "ZZZZ-ZZZZ-ZZZZ"}):
        with house.trail.gains(Verb.INVITATION_REDEEM, "invitation_unknown"):
            visit.browser.post("/visit/redeem", wrong).is_refused("invitation_unknown")
    for shape in ({}, {"secret": ""}, {"secret": "x" * 200}, {"secret": ["a"]}, [], "x", None):
        with house.trail.gains(Verb.INVITATION_REDEEM, "form_invalid"):
            visit.browser.post("/visit/redeem", shape).is_refused("form_invalid")

    expired = house.visit()
    house.back_room.do(
        "from meetings.models import Invitation\n"
        "from audit.clock import database_now\n"
        "Invitation.objects.filter(participation_id=guest).update(expires_at=database_now())",
        guest=expired.participation,
    )
    with house.trail.gains(Verb.INVITATION_REDEEM, "invitation_expired", invitation):
        expired.browser.redeem(expired.invited.secret).is_refused("invitation_expired")

    revoked = house.visit().redeem()
    desk = f"/desk/meetings/{revoked.meeting}/guests/{revoked.participation}/revoke/"
    house.host.open("/desk/")
    assert house.host.submit(desk, {}).status == 302
    with house.trail.gains(Verb.INVITATION_REDEEM, "invitation_revoked", invitation):
        Browser(house.installation).redeem(revoked.invited.secret).is_refused("invitation_revoked")
    # The seat that the link had given before gives no code and no ticket.
    with house.trail.gains(Verb.CODE_SEND, "not_admitted", "seat:"):
        revoked.browser.post(revoked.path("verification/send")).is_refused("not_admitted")
    with house.trail.gains(Verb.ROOM_WAIT, "not_admitted", "seat:"):
        revoked.browser.ticket(revoked.meeting, "wait").is_refused("not_admitted")


def test_codes_wrong_expired_and_out_of_tries(house: House):
    visit = house.visit().redeem().ask_for_code()
    check = visit.path("verification/check")
    with house.trail.gains(Verb.CODE_SEND, "too_many_attempts", "seat:"):
        visit.browser.post(visit.path("verification/send")).is_refused("too_many_attempts")
    with house.trail.gains(Verb.ROOM_WAIT, "not_verified", "seat:"):
        visit.browser.ticket(visit.meeting, "wait").is_refused("not_verified")
    code = visit.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    with house.trail.gains(Verb.GUEST_VERIFY, "code_wrong", "seat:"):
        visit.browser.post(check, {"code": wrong}).is_refused("code_wrong")
    # The code belongs to the seat: on another browser with the same link it is worth nothing.
    other = Browser(house.installation)
    assert other.redeem(visit.invited.secret).status == 200
    with house.trail.gains(Verb.GUEST_VERIFY, "code_expired", "seat:"):
        other.post(check, {"code": code}).is_refused("code_expired")
    move = (
        "from datetime import timedelta\n"
        "from meetings.models import Seat\n"
        "from audit.clock import database_now\n"
        "Seat.objects.filter(participation_id=guest).exclude(code_hash='').update("
        "code_expires_at=database_now() + timedelta(seconds=later))"
    )
    house.back_room.do(move, guest=visit.participation, later=0)
    with house.trail.gains(Verb.GUEST_VERIFY, "code_expired", "seat:"):
        visit.browser.post(check, {"code": code}).is_refused("code_expired")
    house.back_room.do(move, guest=visit.participation, later=600)
    # Five tries for one code, of which two are gone; then the right one is no use either.
    for _ in range(3):
        visit.browser.post(check, {"code": wrong}).is_refused("code_wrong")
    with house.trail.gains(Verb.GUEST_VERIFY, "code_expired", "seat:"):
        visit.browser.post(check, {"code": code}).is_refused("code_expired")


def test_guessing_is_slowed_by_the_address_and_not_by_what_it_claims(house: House):
    guesser = Browser(house.installation)
    guesser.open("/visit/")
    before = house.trail.last()
    answers = [
        guesser.post("/visit/redeem", {"code": f"{n:012d}"}, X_Forwarded_For=f"198.51.100.{n}")
        for n in range(31)
    ]
    assert [a.status for a in answers[:30]] == [404] * 30
    unknown = [row for row in house.trail.refusals(before) if row[1] == "invitation_unknown"]
    assert len(unknown) == EACH, "of one stranger no more one by one; the others are counted"
    answers[30].is_refused("too_many_attempts")
    written = [row for row in house.trail.refusals(before) if row[1] == "too_many_attempts"]
    assert written == [(Verb.INVITATION_REDEEM.value, "too_many_attempts", "")]
    Browser(house.installation).redeem("x" * 43).is_refused("invitation_unknown")


# ---------------------------------------------------------------- not let in yet


def test_nobody_joins_before_they_are_let_in(house: House):
    visit = house.lobby
    place = f"participation:{visit.participation}"
    with house.trail.gains(Verb.ROOM_JOIN, "not_admitted", place):
        visit.browser.ticket(visit.meeting, "join").is_refused("not_admitted")
    # Not even with a good signature: the socket asks the gate again.
    token = signed_by_the_house(house, visit, "join")
    with house.trail.gains(Verb.ROOM_JOIN, "not_admitted", place):
        refused_hello(visit.browser, token, "not_admitted")
    waiting = visit.connect("wait")
    waiting.hears("lobby")
    waiting.hears_no("media", "state", "described", "remote_candidate")
    for purpose in ("join", "nonsense", None, 7):
        if purpose != "join":
            with house.trail.gains(Verb.ROOM_JOIN, "form_invalid"):
                visit.browser.post(visit.path("ticket"), {"purpose": purpose}).is_refused(
                    "form_invalid"
                )
    waiting.close()


HOSTING = {
    Verb.GUEST_ADMIT: {"type": "admit"},
    Verb.GUEST_DECLINE: {"type": "decline"},
    Verb.PARTICIPANT_REMOVE: {"type": "remove"},
    Verb.MEETING_END: {"type": "end_meeting"},
}


def test_a_waiting_socket_says_nothing_but_that_it_waits_or_leaves(house: House):
    visit = house.lobby
    place = f"participation:{visit.participation}"
    waiting = visit.connect("wait")
    media = {"link": "peer", "epoch": 1}
    said = {
        **{verb: [about(message, visit.participation)] for verb, message in HOSTING.items()},
        Verb.MEDIA_CONNECT: [
            {
                "type": "describe",
                **media,
                "description": {"type": "offer", "sdp": f"v=0 {CANARY}"},
            },
            {"type": "candidate", **media, "candidate": f"candidate:{CANARY}"},
            {"type": "restart_media", "epoch": 1},
        ],
        Verb.MEDIA_PUBLISH: [
            {"type": "sources", "microphone": True, "camera": True, "screen": True}
        ],
    }
    for verb, messages in said.items():
        with house.trail.gains(verb, "ticket_purpose", place, count=len(messages)):
            for message in messages:
                waiting.say(kind=message["type"], **without_type(message))
                waiting.is_refused("ticket_purpose", message["type"], stays=True)
    waiting.hears_no("media", "described", "goodbye")
    waiting.close()


def test_a_guest_in_the_call_is_no_host(house: House):
    visit = house.abused
    host, guest = house.sit(visit), visit.connect()
    host_place = host_of(guest)
    for verb, message in HOSTING.items():
        for target in (visit.participation, host_place):
            with house.trail.gains(verb, "not_permitted"):
                told = about(message, target)
                guest.say(told.pop("type"), **told)
                guest.is_refused("not_permitted", message["type"], stays=True)
    host.hears_no("goodbye")
    # A second hello on the same socket is a mistake, also with a good ticket.
    own = f"participation:{visit.participation}"
    with house.trail.gains(Verb.ROOM_JOIN, "ticket_spent", own):
        guest.say("hello", version=1, ticket=visit.ticket("join"))
        guest.is_refused("ticket_spent", "hello", stays=True)
    guest.close()
    host.close()


def test_a_host_has_no_power_over_another_meeting(house: House):
    """The host of two meetings names somebody of the one in the other."""
    host = house.sit(house.abused)
    waiting = house.lobby.connect("wait")
    for verb, kind in (
        (Verb.GUEST_ADMIT, "admit"),
        (Verb.GUEST_DECLINE, "decline"),
        (Verb.PARTICIPANT_REMOVE, "remove"),
    ):
        for target in (house.lobby.participation, house.running.participation, str(uuid4())):
            with house.trail.gains(verb, "not_found"):
                host.say(kind, participation=target)
                host.is_refused("not_found", kind, stays=True)
    waiting.hears_no("admitted", "goodbye")
    waiting.close()
    host.close()
    desk = f"/desk/meetings/{house.abused.meeting}/guests/{house.lobby.participation}"
    for verb, path in ((Verb.INVITATION_RENEW, "renew"), (Verb.INVITATION_REVOKE, "revoke")):
        with house.trail.gains(verb, "not_found"):
            house.host.submit(f"{desk}/{path}/", {}, Accept="application/json").is_refused(
                "not_found"
            )


# ---------------------------------------------------------------- tickets


def test_tickets_of_others_for_others_and_from_elsewhere(house: House):
    visit = house.abused
    token = visit.ticket("join")
    with house.trail.gains(Verb.ROOM_JOIN, "seat_unknown", "seat:"):
        refused_hello(house.near, token, "seat_unknown")
    # It is spent by the one who stole it, and opens nothing for its owner either.
    with house.trail.gains(Verb.ROOM_JOIN, "ticket_spent", "seat:"):
        refused_hello(visit.browser, token, "ticket_spent")
    with house.trail.gains(Verb.ROOM_JOIN, "seat_unknown", "seat:"):
        refused_hello(visit.browser, visit.ticket("join"), "seat_unknown", cookies={})
    foreign = {visit.seat_cookie: house.running.browser.cookies[house.running.seat_cookie]}
    with house.trail.gains(Verb.ROOM_JOIN, "seat_unknown", "seat:"):
        refused_hello(visit.browser, visit.ticket("join"), "seat_unknown", cookies=foreign)
    with house.trail.gains(Verb.ROOM_JOIN, "version_unknown"):
        refused_hello(visit.browser, visit.ticket("join"), "version_unknown", version=99)


# ---------------------------------------------------------------- a meeting that is over


def test_a_closed_meeting_opens_by_no_door(house: House):
    visit = house.over
    place, code = f"participation:{visit.participation}", "meeting_closed"
    before = visit.ticket("join")
    pending = Browser(house.installation)
    assert pending.redeem(visit.invited.secret).status == 200
    host, guest = house.sit(visit), visit.connect()
    host.say("end_meeting")
    for line in (host, guest):
        assert line.hears("goodbye")["reason"] == "ended"
        assert line.ends() == 1000
    with house.trail.gains(Verb.INVITATION_REDEEM, code):
        Browser(house.installation).redeem(visit.invited.secret).is_refused(code)
    with house.trail.gains(Verb.CODE_SEND, code, "seat:"):
        pending.post(visit.path("verification/send")).is_refused(code)
    with house.trail.gains(Verb.GUEST_VERIFY, code, "seat:"):
        pending.post(visit.path("verification/check"), {"code": "123456"}).is_refused(code)
    with house.trail.gains(Verb.ROOM_JOIN, code, place):
        visit.browser.ticket(visit.meeting, "join").is_refused(code)
    with house.trail.gains(Verb.ROOM_WAIT, code, place):
        visit.browser.ticket(visit.meeting, "wait").is_refused(code)
    with house.trail.gains(Verb.ROOM_JOIN, code, place):
        refused_hello(visit.browser, before, code)
    with house.trail.gains(Verb.ROOM_JOIN, code):
        house.host.ticket(visit.meeting, "join").is_refused(code)
    for person in (visit.browser, house.host):
        me = person.get(visit.path("me")).json
        assert (me["stage"], me["reason"]) == ("ended", "ended")
    desk = f"/desk/meetings/{visit.meeting}/"
    invitation = {
        "guest_name": f"{CANARY} Late",
        "guest_email": "late@example.test",
        "guest_language": "en",
    }
    for verb, path, fields in (
        (Verb.GUEST_INVITE, "invite/", invitation),
        (Verb.MEETING_END, "end/", {}),
        (Verb.INVITATION_RENEW, f"guests/{visit.participation}/renew/", {}),
    ):
        with house.trail.gains(verb, code):
            house.host.submit(desk + path, fields, Accept="application/json").is_refused(code)


# ---------------------------------------------------------------- media workers


def test_a_worker_is_who_its_key_says(house: House):
    link = "/media/link"
    outsider = Browser(house.installation)
    for origin in ("", "https://evil.example.test"):
        with house.trail.gains(Verb.WORKER_LINK, "cross_site"):
            is_shut_out(outsider, path=link, origin=origin)
    key = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    code = house.back_room.do(
        "from foundation.actor import service\n"
        "from media.actions import workers\n"
        "answer = workers.invite_worker(service('set-up'))"
    )
    house.secrets["link"].append(code)
    asked = {"code": code, "public_key": public, "name": "second-worker"}
    for wrong in ({**asked, "code": "x" * 32}, {**asked, "public_key": "A" * 44}):
        with house.trail.gains(Verb.WORKER_ENROL, "enrolment_refused"):
            enrol(outsider, wrong).is_refused("enrolment_refused")
    for shape in ({}, {**asked, "name": "../etc"}, {**asked, "extra": CANARY}):
        with house.trail.gains(Verb.WORKER_ENROL, "form_invalid"):
            enrol(outsider, shape).is_refused("form_invalid")
    with house.trail.gains(Verb.WORKER_ENROL, "message_too_large"):
        enrol(outsider, {**asked, "name": "x" * 5_000}).is_refused("message_too_large")
    worker = enrol(outsider, asked).json["worker"]
    with house.trail.gains(Verb.WORKER_ENROL, "wrong_state", "enrolment:"):
        enrol(outsider, asked).is_refused("enrolment_refused")

    def hello(assertion: str, **changed: object) -> Socket:
        line = outsider.socket(path=link, origin=None)
        fields = {"version": 1, "assertion": assertion, "capacity": 1, "present": [], **changed}
        line.say("hello", **fields)
        return line

    now = int(time.time())
    jti = str(uuid4())
    good = {"iss": worker, "aud": ASSERTION_AUDIENCE, "iat": now, "exp": now + 50, "jti": jti}
    wrong_claims = (
        {"aud": "consilium:signal"},
        {"iss": str(uuid4())},
        {"iss": 5},
        {"iss": [CANARY]},
        {"exp": now + 3600},
        {"iat": now - 200, "exp": now - 150},
        {"exp": "soon"},
        {"jti": "1"},
    )
    tokens = [assertion(key, {**good, **changed}) for changed in wrong_claims]
    tokens += [assertion(Ed25519PrivateKey.generate(), good), "a.b.c", CANARY * 4]
    tokens += [unsigned(good), hmac_signed(good, public)]
    with house.trail.gains(Verb.WORKER_LINK, "worker_unknown", count=len(tokens)):
        lines = [hello(token) for token in tokens]
        assert [line.ends() for line in lines] == [PROBLEMS["worker_unknown"].close_code] * len(
            tokens
        )

    def is_closed(code: str, line: Socket) -> None:
        assert line.ends() == PROBLEMS[code].close_code

    def say_raw(raw: str | bytes) -> Socket:
        line = outsider.socket(path=link, origin=None)
        line.raw(raw)
        return line

    with house.trail.gains(Verb.WORKER_LINK, "version_unknown"):
        is_closed("version_unknown", hello("x", version=99))
    with house.trail.gains(Verb.WORKER_LINK, "message_malformed", count=5):
        is_closed("message_malformed", hello("x", capacity="many"))
        is_closed("message_malformed", hello("x", extra=CANARY))
        for raw in ("{", b"\x00binary", "[" * 5000):
            is_closed("message_malformed", say_raw(raw))
    with house.trail.gains(Verb.WORKER_LINK, "message_unknown"):
        is_closed("message_unknown", say_raw('{"type":"shutdown"}'))
    with house.trail.gains(Verb.WORKER_LINK, "message_too_large", count=3):
        for size in (65_537, 1_048_576, 1_100_000):
            is_closed("message_too_large", say_raw("x" * size))
    with house.trail.gains(Verb.WORKER_LINK, "hello_required"):
        is_closed("hello_required", say_raw('{"type":"renew","participants":0,"cpu_percent":0}'))
    linked = hello(assertion(key, good))
    linked.hears("welcome")
    with house.trail.gains(Verb.WORKER_LINK, "assertion_spent", f"worker:{worker}"):
        is_closed("assertion_spent", hello(assertion(key, good)))
    second = hello(assertion(key, {**good, "jti": str(uuid4())}))
    second.hears("welcome")
    with house.trail.gains(Verb.WORKER_LINK, "taken_over", f"worker:{worker}"):
        linked.say("renew", participants=0, cpu_percent=0)
        is_closed("taken_over", linked)
    with house.trail.gains(Verb.WORKER_LINK, "message_malformed", f"worker:{worker}"):
        second.raw("{")
        is_closed("message_malformed", second)


# ---------------------------------------------------------------- without TLS


UPGRADE = (
    b"GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def test_without_tls_there_is_nothing(house: House):
    for request in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        UPGRADE,
        b"\x00" * 64,
    ):
        with Browser(house.installation).call() as line:
            line.settimeout(5)
            line.sendall(request)
            heard = b""
            with suppress(ConnectionResetError):
                while chunk := line.recv(4096):  # left open would be a TimeoutError
                    heard += chunk
            assert b"HTTP" not in heard


# ---------------------------------------------------------------- what stays behind


def test_nothing_that_was_said_lies_in_the_log_or_the_database_in_the_clear(house: House):
    """Runs last: everything above has left its traces, or not."""
    refused = house.abused.browser.socket()
    refused.raw(json.dumps({"type": "chat", "text": WORDS}))
    refused.is_refused("message_unknown")
    nothing_was_left_behind(house)
    # Nothing that was sent made anything fail. (Django logs a wrong Host as an error.)
    log = house.installation.text
    failed = [line for line in log.splitlines() if re.search("ERROR|CRITICAL", line)]
    assert [line for line in failed if "DisallowedHost" not in line] == []


# ---------------------------------------------------------------- helpers


def refused_hello(browser: Browser, token: str, code: str, version: int = 1, **options: object):
    line = browser.socket(**options)
    line.say("hello", version=version, ticket=token)
    line.is_refused(code, "hello")


def signed_by_the_house(house: House, visit: Visit, purpose: str) -> str:
    """A ticket that the platform would not have given."""
    return str(
        house.back_room.do(
            "from meetings import tickets\n"
            "from meetings.models import Seat\n"
            "from foundation.wire.browser import Purpose\n"
            "seat = Seat.objects.get(participation_id=guest, state='current')\n"
            "answer = tickets.issue(seat, Purpose(purpose))",
            guest=visit.participation,
            purpose=purpose,
        )
    )


def about(message: dict[str, str], participation: str) -> dict[str, str]:
    named = {} if message["type"] == "end_meeting" else {"participation": participation}
    return {**message, **named}


def without_type(message: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in message.items() if name != "type"}


def host_of(line: Socket) -> str:
    """The host's place, as somebody in the call is told it."""
    people = line.hears("state")["people"]
    return str(next(person["id"] for person in people if person["host"]))


def enrol(browser: Browser, asked: dict[str, str]) -> Answer:
    """As a media worker asks: no cookie, no Origin."""
    return browser.post(
        "/media/enrol", asked, Origin=None, Referer=None, Cookie=None, X_CSRFToken=None
    )

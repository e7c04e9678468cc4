"""The JSON doors of a visit, as a browser uses them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from access.verbs import Verb
from audit.models import TrailRow
from meetings import seats, tickets
from meetings.actions import verify
from meetings.models import Invitation, Meeting, Seat
from meetings.tasks import forget_expired_tickets, send_code, send_invitation
from tests.accounts.signing_in import signed_in
from tests.cast import PATIENT_EMAIL, PATIENT_NAME
from tests.meetings.visit import code_for, redeemed

HOST = {"headers": {"host": "localhost"}}


class Browser(Client):
    """Speaks JSON over TLS to this host."""

    def post(self, path, data=None, **extra):
        return super().post(path, data or {}, content_type="application/json", secure=True, **extra)

    def get(self, path, **extra):
        return super().get(path, secure=True, **extra)


@pytest.fixture
def browser() -> Browser:
    return Browser(**HOST)


@pytest.fixture
def visit(cast) -> Meeting:
    cast.planned, cast.issued = cast.meeting()
    return cast.planned


def tapped(cast, browser: Browser) -> Seat:
    answer = browser.post("/visit/redeem", {"secret": cast.issued.link_secret.text})
    assert answer.status_code == 200, answer.content
    return Seat.objects.latest("created_at")


def problem(answer, status: int, code: str) -> None:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert (body["code"], body["status"]) == (code, status)
    assert body["type"] == f"urn:consilium:problem:{code}"


def refusals_since(row: int) -> list[tuple[str, str, str]]:
    """(tag, reason, subject) of what was refused after ``row`` of the trail."""
    rows = TrailRow.objects.filter(pk__gt=row, outcome="refused").order_by("id")
    return list(rows.values_list("tag", "reason", "subject"))


def url(meeting: Meeting, door: str) -> str:
    return f"/meetings/{meeting.pk}/{door}"


def test_the_whole_way_in(cast, visit, browser):
    seat = tapped(cast, browser)
    me = browser.get(url(visit, "me")).json()
    assert (me["stage"], me["name"], me["host"]) == ("verify", "", False)
    sent = browser.post(url(visit, "verification/send")).json()
    assert sent == {
        "sent_to": "r•••@e•••.test",
        "expires_seconds": 600,
        "resend_after_seconds": 30,
    }
    answer = browser.post(url(visit, "verification/check"), {"code": code_for(seat)})
    assert answer.json() == {"verified": True}
    me = browser.get(url(visit, "me")).json()
    assert (me["stage"], me["name"]) == ("check", PATIENT_NAME)
    answer = browser.post(url(visit, "ticket"), {"purpose": "wait"}).json()
    assert answer["expires_seconds"] == 60
    assert tickets.spend(answer["ticket"]).seat_id == seat.pk
    problem(browser.post(url(visit, "ticket"), {"purpose": "join"}), 403, "not_admitted")
    assert browser.get(url(visit, "room/")).status_code == 200


def test_the_seats_cookie_is_for_this_host_only(cast, visit, browser):
    tapped(cast, browser)
    morsel = browser.cookies[seats.cookie_name(visit.pk)]
    assert morsel.key.startswith("__Host-")
    assert morsel["secure"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"
    assert (morsel["path"], morsel["domain"]) == ("/", "")


def test_a_device_that_has_proven_nothing_learns_no_name(cast, visit, browser):
    tapped(cast, browser)
    for door in ("me", "room/"):
        shown = browser.get(url(visit, door)).content.decode()
        assert PATIENT_NAME not in shown
        assert PATIENT_EMAIL not in shown


def test_the_typed_code_opens_too(cast, visit, browser):
    answer = browser.post("/visit/redeem", {"code": cast.issued.short_code.text.lower()})
    assert answer.json() == {"room_url": f"/meetings/{visit.pk}/room/"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "form_invalid"),
        ({"secret": ""}, 400, "form_invalid"),
        ({"secret": None}, 400, "form_invalid"),
        ({"secret": ["x"]}, 400, "form_invalid"),
        ({"secret": {"x": 1}}, 400, "form_invalid"),
        ({"secret": "x" * 129}, 400, "form_invalid"),
        ({"secret": "\ud800" * 43}, 400, "form_invalid"),
        ({"secret": "\0" * 43}, 400, "form_invalid"),
        ({"code": "x" * 41}, 400, "form_invalid"),
        ([], 400, "form_invalid"),
        ("text", 400, "form_invalid"),
        ({"secret": "x" * 43}, 404, "invitation_unknown"),
        ({"code": "ABCD-EFGH-JKMN"}, 404, "invitation_unknown"),
    ],
)
def test_what_redeems_nothing_is_a_problem(visit, browser, body, status, code):
    before = TrailRow.objects.latest("id").pk
    problem(browser.post("/visit/redeem", body), status, code)
    assert not Seat.objects.exists()
    assert refusals_since(before) == [(Verb.INVITATION_REDEEM.value, code, "")]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 5000, b"NaN", b"null"])
def test_what_is_no_json_is_a_problem(visit, browser, content):
    answer = Client.post(
        browser, "/visit/redeem", content, content_type="application/json", secure=True
    )
    problem(answer, 400, "form_invalid")


def test_a_form_of_another_page_is_not_json(visit, browser):
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "application/xml"):
        answer = Client.post(
            browser, "/visit/redeem", b"secret=x", content_type=content_type, secure=True
        )
        problem(answer, 400, "form_invalid")


@pytest.mark.parametrize(
    ("door", "body", "verb"),
    [
        ("verification/send", {}, Verb.CODE_SEND),
        ("verification/check", {"code": "123456"}, Verb.GUEST_VERIFY),
        ("ticket", {"purpose": "wait"}, Verb.ROOM_JOIN),
        ("ticket", {"purpose": "join"}, Verb.ROOM_JOIN),
    ],
)
def test_without_a_seat_there_is_no_way_in(visit, browser, door, body, verb):
    problem(browser.post(url(visit, door), body), 401, "seat_unknown")
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.outcome, row.reason) == (verb.value, "refused", "seat_unknown")
    assert row.subject == f"meeting:{visit.pk}"


def test_a_seat_in_one_meeting_opens_no_other(cast, visit, browser):
    tapped(cast, browser)
    other, _ = cast.meeting()
    secret = browser.cookies[seats.cookie_name(visit.pk)].value
    browser.cookies[seats.cookie_name(other.pk)] = secret
    problem(browser.post(url(other, "ticket"), {"purpose": "wait"}), 401, "seat_unknown")
    problem(browser.get(url(other, "me")), 404, "not_found")


@pytest.mark.parametrize("door", ["me", "ticket", "verification/send", "verification/check"])
def test_a_meeting_that_is_not_there_is_not_found(visit, browser, door):
    nowhere = f"/meetings/{uuid4()}/{door}"
    body = {"purpose": "join", "code": "123456"}
    before = TrailRow.objects.latest("id").pk
    answer = browser.get(nowhere) if door == "me" else browser.post(nowhere, body)
    problem(answer, 404, "not_found")
    verb = {
        "me": Verb.ROOM_OPEN,
        "ticket": Verb.ROOM_JOIN,
        "verification/send": Verb.CODE_SEND,
        "verification/check": Verb.GUEST_VERIFY,
    }[door]
    assert refusals_since(before) == [(verb.value, "not_found", "")]


def test_a_page_of_a_meeting_that_is_not_there_is_not_found_and_on_the_trail(cast, visit):
    browser = signed_in(Browser(**HOST), cast.clinician)
    for page, verb in (
        (f"/meetings/{uuid4()}/room/", Verb.ROOM_OPEN),
        (f"/desk/meetings/{uuid4()}/", Verb.MEETING_VIEW),
    ):
        assert browser.get(page).status_code == 404
        row = TrailRow.objects.latest("id")
        assert (row.tag, row.outcome, row.reason) == (verb.value, "refused", "not_found")
        assert row.actor == f"person:{cast.clinician.pk}"
        assert row.organisation_id == cast.hospital.pk


@pytest.mark.parametrize("purpose", ["", "play", None, 7, ["wait"]])
def test_a_ticket_is_for_waiting_or_joining(cast, visit, browser, purpose):
    tapped(cast, browser)
    before = TrailRow.objects.latest("id").pk
    problem(browser.post(url(visit, "ticket"), {"purpose": purpose}), 400, "form_invalid")
    assert refusals_since(before) == [(Verb.ROOM_JOIN.value, "form_invalid", "")]


def test_a_wrong_code_is_a_problem_and_counts(cast, visit, browser):
    seat = tapped(cast, browser)
    code = code_for(seat)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        problem(browser.post(url(visit, "verification/check"), {"code": wrong}), 403, "code_wrong")
    problem(browser.post(url(visit, "verification/check"), {"code": code}), 410, "code_expired")


def test_a_second_code_is_not_sent_at_once(cast, visit, browser):
    tapped(cast, browser)
    assert browser.post(url(visit, "verification/send")).status_code == 200
    problem(browser.post(url(visit, "verification/send")), 429, "too_many_attempts")


def test_a_closed_meeting_says_so(cast, visit, browser):
    tapped(cast, browser)
    signed_in(host := Client(**HOST), cast.clinician)
    assert host.post(f"/desk/meetings/{visit.pk}/end/", secure=True).status_code == 302
    assert browser.get(url(visit, "me")).json()["reason"] == "ended"
    problem(browser.post(url(visit, "verification/send")), 410, "meeting_closed")
    problem(
        Browser(**HOST).post("/visit/redeem", {"secret": cast.issued.link_secret.text}),
        410,
        "meeting_closed",
    )


@pytest.mark.parametrize("door", ["verification/send", "verification/check", "ticket"])
def test_another_sites_form_is_refused(cast, visit, door):
    browser = Browser(enforce_csrf_checks=True, **HOST)
    before = TrailRow.objects.latest("id").pk
    answer = browser.post(url(visit, door), {"purpose": "wait", "code": "123456"})
    assert answer.status_code == 403
    assert browser.post("/visit/redeem", {"secret": "x" * 43}).status_code == 403
    verb = {
        "verification/send": Verb.CODE_SEND,
        "verification/check": Verb.GUEST_VERIFY,
        "ticket": Verb.ROOM_JOIN,
    }[door]
    assert refusals_since(before) == [
        (verb.value, "cross_site", ""),
        (Verb.INVITATION_REDEEM.value, "cross_site", ""),
    ]


def test_our_own_page_passes_with_its_token(cast, visit):
    browser = Browser(enforce_csrf_checks=True, **HOST)
    page = browser.get("/visit/").content.decode()
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    body = {"secret": cast.issued.link_secret.text}
    headers = {"x-csrftoken": token, "referer": "https://localhost/visit/"}
    assert browser.post("/visit/redeem", body, headers=headers).status_code == 200
    foreign = {**headers, "origin": "https://evil.test", "referer": "https://evil.test/"}
    assert browser.post("/visit/redeem", body, headers=foreign).status_code == 403


def test_guessing_is_slowed_down_whatever_address_the_guesser_claims(visit, browser):
    for n in range(30):
        answer = browser.post(
            "/visit/redeem", {"code": "ABCD-EFGH-JKMN"}, headers={"x-forwarded-for": f"10.0.0.{n}"}
        )
        problem(answer, 404, "invitation_unknown")
    answer = browser.post(
        "/visit/redeem", {"code": "ABCD-EFGH-JKMN"}, headers={"x-forwarded-for": "10.1.1.1"}
    )
    problem(answer, 429, "too_many_attempts")
    assert int(answer["Retry-After"]) > 0
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.INVITATION_REDEEM.value, "too_many_attempts")


def test_who_sits_here_and_is_slowed_down_is_named_on_the_trail(cast, visit, browser):
    seat = tapped(cast, browser)
    for _ in range(61):
        answer = browser.post(url(visit, "verification/check"), {"code": "0"})
    problem(answer, 429, "too_many_attempts")
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.GUEST_VERIFY.value, "too_many_attempts")
    assert row.subject == f"seat:{seat.pk}"
    assert row.actor == f"guest:{seat.participation.guest_id}"
    assert row.organisation_id == cast.hospital.pk


def test_the_host_sits_down_by_asking_for_a_ticket(cast, visit):
    browser = signed_in(Browser(**HOST), cast.clinician)
    assert browser.get(url(visit, "me")).json()["host"]
    problem(browser.post(url(visit, "ticket"), {"purpose": "join"}), 401, "seat_unknown")
    assert browser.get(url(visit, "room/")).status_code == 200
    answer = browser.post(url(visit, "ticket"), {"purpose": "join"})
    assert answer.status_code == 200
    other = signed_in(Browser(**HOST), cast.clinician)
    other.get(url(visit, "room/"))
    assert other.post(url(visit, "ticket"), {"purpose": "join"}).status_code == 200
    problem(browser.post(url(visit, "ticket"), {"purpose": "join"}), 409, "taken_over")
    taken_back = {"purpose": "join", "takeover": True}
    assert browser.post(url(visit, "ticket"), taken_back).status_code == 200


def test_a_made_up_cookie_is_no_hosts_seat(cast, visit):
    browser = signed_in(Browser(**HOST), cast.clinician)
    browser.cookies[seats.cookie_name(visit.pk)] = "short"
    problem(browser.post(url(visit, "ticket"), {"purpose": "join"}), 401, "seat_unknown")
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.ROOM_JOIN.value, "seat_unknown")
    assert (row.actor, row.subject) == (f"person:{cast.clinician.pk}", f"meeting:{visit.pk}")


@pytest.mark.parametrize("who", ["colleague", "officer", "stranger"])
def test_a_colleague_without_a_grant_does_not_open_the_room(cast, visit, who):
    browser = signed_in(Browser(**HOST), getattr(cast, who))
    assert browser.get(url(visit, "room/")).status_code in {403, 404}
    assert browser.get(url(visit, "me")).status_code in {403, 404}
    assert seats.cookie_name(visit.pk) not in browser.cookies


def test_a_signed_in_host_is_not_taken_for_the_guest_whose_link_they_tried(cast, visit):
    browser = signed_in(Browser(**HOST), cast.clinician)
    browser.post("/visit/redeem", {"secret": cast.issued.link_secret.text})
    assert browser.get(url(visit, "me")).json()["host"]


def test_a_wrong_method_is_refused(visit, browser):
    assert browser.get("/visit/redeem").status_code == 405
    assert browser.get(url(visit, "ticket")).status_code == 405
    assert browser.post(url(visit, "me")).status_code == 405


# ------------------------------------------------------------ what the tasks send


def test_the_mail_with_the_code_names_no_reason(cast, visit):
    seat = redeemed(cast.issued).seat
    send_code(str(seat.pk))
    (sent,) = mail.outbox
    assert sent.to == [PATIENT_EMAIL]
    text = sent.subject + sent.body
    for private in (PATIENT_NAME, "Canarytitle", "General medicine", "Clara"):
        assert private not in text
    digits = next(
        word for word in sent.body.replace(".", " ").split() if word.isdigit() and len(word) == 6
    )
    assert verify.verify_code(seats.occupant_of(seat), seat.pk, digits)
    send_code(str(seat.pk))
    assert len(mail.outbox) == 1, "a repeated task has nothing more to send"


def test_the_invitations_mail_carries_a_link_in_the_fragment(cast, visit, browser):
    send_invitation(str(cast.issued.invitation.participation_id))
    (sent,) = mail.outbox
    text = sent.subject + sent.body
    for private in (PATIENT_NAME, "Canarytitle", "General medicine", "Clara"):
        assert private not in text
    link = next(word for word in sent.body.split() if "/visit/#" in word)
    assert "?" not in link
    answer = browser.post("/visit/redeem", {"secret": link.split("#")[1]})
    assert answer.status_code == 200


def test_a_mail_that_is_not_taken_leaves_an_invitation_that_nobody_knows(cast, visit, monkeypatch):
    from meetings import mail as letters

    def down(*args):
        raise OSError("down")

    monkeypatch.setattr(letters, "send_mail", down)
    with pytest.raises(OSError, match="down"):
        send_invitation.run(str(cast.issued.invitation.participation_id))
    assert Invitation.objects.count() == 2


def test_sweeping_tickets_is_a_task(cast, visit):
    tickets.SpentTicket.objects.create(
        jti=uuid4(), organisation_id=cast.hospital.pk, expires_at=timezone.now() - timedelta(days=1)
    )
    forget_expired_tickets()
    assert not tickets.SpentTicket.objects.exists()

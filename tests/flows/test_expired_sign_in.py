"""A sign-in that ends never ends a call: the host's seat speaks for them in that one meeting.

Decisions 1 and 12. Everything else that the sign-in opened is shut from then on, and a disabled
person's seat is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from access.verbs import Verb
from foundation.errors import PROBLEMS
from tests.flows import house as houses
from tests.flows.house import House
from tests.flows.http_door import Browser

pytestmark = pytest.mark.browser  # needs an installation

house = houses.house
the_call_goes_on = houses.the_call_goes_on

SESSION = "__Host-session"

_ENDS = {
    "deleted": "store.delete(key)",
    "expired": (
        "from audit.clock import database_now\n"
        "LoginSession.objects.filter(session_key=store._stored_key(key))"
        ".update(expire_date=database_now())"
    ),
}


@pytest.fixture(params=_ENDS)
def sign_in_ends(request: pytest.FixtureRequest, house: House) -> Iterator[Callable[[], None]]:
    """Ends the host's sign-in in the database; the browser keeps its cookies.

    Afterwards it is put back as it was, for whoever comes next.
    """
    key = house.host.cookies[SESSION]

    def end() -> None:
        left = house.back_room.do(
            "from accounts.models import LoginSession\n"
            "from accounts.sessions import SessionStore\n"
            "store = SessionStore()\n"
            "ended = LoginSession.objects.get(session_key=store._stored_key(key))\n"
            f"{_ENDS[request.param]}\n"
            "answer = SessionStore(key).load()",
            key=key,
        )
        assert left == {}
        assert house.host.get("/desk/", Accept="text/html").status == 401

    yield end
    house.back_room.do("ended.save()")
    house.host.cookies[SESSION] = key
    assert house.host.get("/desk/", Accept="text/html").status == 200


def test_the_call_the_door_and_the_way_back_stay_open(
    house: House, sign_in_ends: Callable[[], None]
):
    visit = house.visit().redeem().ask_for_code().prove()
    elsewhere = house.visit()
    host, guest = house.sit(visit), visit.connect("wait")
    sign_in_ends()

    # The socket stays, and who waits is let in.
    host.is_alive()
    host.say("admit", participation=visit.participation)
    ticket = guest.hears("admitted")["ticket"]
    guest.say("hello", version=1, ticket=ticket)
    guest.hears("welcome", purpose="join")
    house.secrets["ticket"].append(ticket)

    # A socket that is lost is resumed, by a ticket on the seat.
    host.vanish()
    host = house.host.connect(visit.meeting)
    host.hears("state")

    # The page is opened again and returns to the call without a sign-in.
    page = house.host.open(visit.path("room/"))
    assert page.status == 200
    me = house.host.get(visit.path("me")).json
    assert (me["stage"], me["host"], me["resume"]) == ("call", True, True)
    assert me["name"]
    again = house.host.connect(visit.meeting)
    assert host.hears("goodbye")["reason"] == "taken_over"
    host = again

    # They are the host of this meeting to the end.
    host.say("remove", participation=visit.participation)
    assert guest.hears("goodbye")["reason"] == "removed"
    assert guest.ends() == 1000

    # Another meeting of theirs, another device, and every other page need a sign-in.
    is_asked_to_sign_in(house, house.host, elsewhere.meeting)
    other_device = Browser(house.installation)
    other_device.open("/visit/")
    is_asked_to_sign_in(house, other_device, visit.meeting)
    for path in (f"/desk/meetings/{visit.meeting}/", "/desk/meetings/new/"):
        assert house.host.get(path, Accept="text/html").status in (401, 404)

    # The seat ends with its meeting.
    host.say("end_meeting")
    assert host.hears("goodbye")["reason"] == "ended"
    assert host.ends() == 1000
    with house.trail.gains(Verb.ROOM_JOIN, "meeting_closed"):
        house.host.ticket(visit.meeting, "join").is_refused("meeting_closed")


def test_without_a_sign_in_no_seat_is_taken_back_from_another_device(
    house: House, sign_in_ends: Callable[[], None]
):
    """The newer device was signed in; an older one that is not any more has lost the seat."""
    visit = house.visit()
    first = house.sit(visit)
    cookies = dict(house.host.cookies)
    second_device = Browser(house.installation)
    second_device.cookies = {SESSION: cookies[SESSION]}
    second_device.open(visit.path("room/"))
    second = second_device.connect(visit.meeting)
    assert first.hears("goodbye")["reason"] == "taken_over"
    sign_in_ends()
    body = {"purpose": "join", "takeover": True}
    with house.trail.gains(Verb.ROOM_JOIN, "taken_over", "seat:"):
        answer = house.host.post(visit.path("ticket"), {"purpose": "join"})
        answer.is_refused("taken_over")
    assert house.host.post(visit.path("ticket"), body).status in (401, 403, 404, 409)
    second.is_alive()
    second.close()


def test_a_disabled_persons_seat_is_worth_nothing_in_the_running_call(house: House):
    """``near`` plans a meeting of their own, sits in it, and is disabled.

    That their open socket decides nothing either, not even before the room changes, is tested with
    the handlers.
    """
    near = house.near
    invited = near.plan("private", "A. Patient", "a.patient@example.test")
    near.open(f"/meetings/{invited.meeting}/room/")
    line = near.connect(invited.meeting)
    place = str(line.hears("state")["people"][0]["id"])
    in_hand = near.ticket(invited.meeting, "join").json["ticket"]
    disable(house, place)

    # The next change of the room sends the page away.
    touch(house, invited.meeting)
    assert line.hears("goodbye")["reason"] == "removed"
    assert line.ends() == 1000
    # And there is no way back.
    with house.trail.gains(Verb.ROOM_JOIN, "not_found", f"participation:{place}"):
        again = near.socket()
        again.say("hello", version=1, ticket=in_hand)
        again.is_refused("not_found", "hello")
    with house.trail.gains(Verb.ROOM_JOIN, "not_found"):
        near.ticket(invited.meeting, "join").is_refused("not_found")
    for path in ("me", "room/"):
        with house.trail.gains(Verb.ROOM_OPEN, "not_found"):
            answer = near.get(f"/meetings/{invited.meeting}/{path}")
            assert answer.status == PROBLEMS["not_found"].status
    assert near.get("/desk/", Accept="text/html").status == 401


# ---------------------------------------------------------------- helpers


def is_asked_to_sign_in(house: House, browser: Browser, meeting: str) -> None:
    """No page, no place and no ticket of ``meeting``."""
    assert browser.get(f"/meetings/{meeting}/room/", Accept="text/html").status in (401, 404)
    assert browser.get(f"/meetings/{meeting}/me").status in (401, 404)
    with house.trail.gains(Verb.ROOM_JOIN, "seat_unknown", f"meeting:{meeting}"):
        browser.ticket(meeting, "join").is_refused("seat_unknown")


def disable(house: House, place: str) -> None:
    house.back_room.do(
        "from accounts.models import Person\n"
        "from meetings.models import Participation\n"
        "person = Participation.objects.get(pk=place).person_id\n"
        "assert Person.objects.filter(pk=person).update(is_active=False) == 1",
        place=place,
    )


def touch(house: House, meeting: str) -> None:
    """Something of the room changes, as when somebody comes or goes."""
    house.back_room.do(
        "from django.db import transaction\n"
        "from meetings.models import Meeting\n"
        "from meetings.rooms import room_changed\n"
        "with transaction.atomic():\n"
        "    room_changed(Meeting.objects.get(pk=meeting))",
        meeting=meeting,
    )

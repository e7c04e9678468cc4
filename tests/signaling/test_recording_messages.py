"""A recording by messages: what each page is shown, and who may say what."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction

from access.verbs import Verb
from foundation.wire import browser as wire
from foundation.wire.browser import Mode
from meetings import consents
from meetings.actions import consent, enter, host, verify
from meetings.models import Consent, Meeting, Participation
from meetings.rooms import meeting_group
from recordings import policies
from recordings.models import Recording
from recordings.queries import over, question_at_the_door, recordable, shown
from signaling.hello import Connection
from tests.audit.reading import refused
from tests.meetings.visit import acting_through, code_for, cookies, redeemed
from tests.signaling.test_handlers import Call, call, handle
from tests.signaling.test_sockets import Page, here, with_page

pytestmark = pytest.mark.filterwarnings("ignore")
__all__ = ["call", "here"]  # fixtures


@pytest.fixture
def both(call: Call) -> tuple[Connection, Connection]:
    host, guest = call(Mode.GOVERNED)
    Meeting.objects.filter(pk=host.meeting_id).update(state="open")
    policies.write(host.organisation_id, may_record=True)
    return host, guest


def screen(connection: Connection, language: str = "en") -> wire.RecordingShown:
    found = shown(connection.meeting_id, connection.participation_id, language)
    assert found is not None
    return found


def agrees(connection: Connection) -> None:
    question = screen(connection).question
    assert question is not None
    handle(connection, wire.GiveConsent(text=question.text))


def recorded(both: tuple[Connection, Connection]) -> None:
    handle(both[0], wire.AskRecording(others_in_room=0))
    for connection in both:
        agrees(connection)


def state() -> str:
    return Recording.objects.latest("asked_at").state


def test_everybody_is_asked_on_their_own_screen_in_their_own_language(both):
    host, guest = both
    assert shown(host.meeting_id, host.participation_id, "en") is None
    handle(host, wire.AskRecording(others_in_room=1))
    for connection in both:
        assert screen(connection).state == "asked"
        asked = screen(connection).question
        spanish = screen(connection, "es").question
        assert asked.text == spanish.text
        assert asked.words != spanish.words
    agrees(host)
    assert screen(host).question is None
    assert screen(host).agreed == [host.participation_id] == screen(guest).agreed
    agrees(guest)
    for connection in both:
        now = screen(connection)
        assert (now.state, now.keeper, now.question) == ("recording", host.participation_id, None)
        assert len(now.agreed) == 2


def test_the_keeper_pauses_goes_on_and_stops(both):
    host, guest = both
    recorded(both)
    handle(host, wire.PauseRecording())
    assert screen(guest).state == "paused"
    handle(host, wire.ResumeRecording())
    assert screen(guest).state == "recording"
    handle(host, wire.StopRecording())
    assert shown(host.meeting_id, guest.participation_id, "en") is None
    assert state() == "gathering"
    with refused_by_door("wrong_state"):
        handle(host, wire.StopRecording())


def refused_by_door(code: str):
    return pytest.raises(Exception, match=code)


def test_a_guest_says_nothing_about_a_recording_but_their_own_consent(both):
    _, guest = both
    with refused(Verb.RECORDING_ASK, "not_permitted"):
        handle(guest, wire.AskRecording(others_in_room=0))
    recorded(both)
    for verb, message in (
        (Verb.RECORDING_PAUSE, wire.PauseRecording()),
        (Verb.RECORDING_STOP, wire.StopRecording()),
        (Verb.RECORDING_HAND_OVER, wire.HandOverRecording(participation=guest.participation_id)),
    ):
        with refused(verb, "not_permitted"):
            handle(guest, message)
    handle(guest, wire.WithdrawConsent())
    assert guest.participation_id not in screen(guest).agreed
    assert screen(guest).question is None, "who withdrew is not asked again by itself"
    assert state() == "recording"


def test_one_who_does_not_agree_ends_the_question_and_may_be_asked_again(both):
    host, guest = both
    handle(host, wire.AskRecording(others_in_room=0))
    handle(guest, wire.RefuseConsent(text=screen(guest).question.text))
    assert shown(host.meeting_id, host.participation_id, "en") is None
    handle(host, wire.AskRecording(others_in_room=0))
    assert screen(guest).question is not None
    handle(host, wire.TakeBackRecording())
    assert state() == "abandoned"


def test_the_question_stands_at_the_door_only_while_it_runs(both):
    host, guest = both
    assert question_at_the_door(guest.participation_id, "en") is None
    handle(host, wire.AskRecording(others_in_room=0))
    assert question_at_the_door(guest.participation_id, "en") is None, "only asked"
    for connection in both:
        agrees(connection)
    assert question_at_the_door(guest.participation_id, "en") is None, "answered"
    meeting = Meeting.objects.get(pk=host.meeting_id)
    consents.Consent.objects.filter(participation_id=guest.participation_id).delete()
    asked = question_at_the_door(guest.participation_id, "es")
    assert asked == wire.Question(
        text=meeting.consent_text_id,
        words=meeting.consent_text.in_language("es"),
        terms=wire.Terms(seen_by=["clinician", "compliance_officer"], keep_days=3_653),
    )


def test_who_has_still_to_answer_is_shown_to_everybody(both):
    host, guest = both
    handle(host, wire.AskRecording(others_in_room=0))
    assert set(screen(guest).unanswered) == {host.participation_id, guest.participation_id}
    assert screen(guest).since is None
    agrees(host)
    assert screen(guest).unanswered == [guest.participation_id]
    agrees(guest)
    assert screen(host).unanswered == []
    assert screen(host).since is not None


def test_who_will_see_it_and_how_long_it_is_kept_are_those_of_the_moment_of_asking(both):
    host, guest = both
    policies.write(host.organisation_id, may_record=True, keep_days=30, clinician_may_play=False)
    handle(host, wire.AskRecording(others_in_room=0))
    policies.write(host.organisation_id, may_record=True, keep_days=9_000)
    terms = wire.Terms(seen_by=["compliance_officer"], keep_days=30)
    assert screen(guest).terms == terms
    assert screen(guest).question.terms == terms


def test_a_host_is_told_who_stands_at_the_door_and_has_not_agreed(both):
    host, guest = both
    recorded(both)
    assert screen(host).outside == []
    Consent.objects.filter(participation_id=guest.participation_id).delete()
    place = Participation.objects.filter(pk=guest.participation_id)
    place.update(socket_purpose=wire.Purpose.WAIT.value)
    assert screen(host).outside == [guest.participation_id]
    handle(guest, wire.GiveConsent(text=question_at_the_door(guest.participation_id, "en").text))
    assert screen(host).outside == []


def test_whether_a_call_may_be_recorded_is_said_with_its_reason(both):
    host, _ = both
    organisation = host.organisation_id
    assert recordable(organisation, Mode.GOVERNED) is wire.Recordable.YES
    assert recordable(organisation, Mode.PRIVATE) is wire.Recordable.NOT_THIS_KIND
    policies.write(organisation, may_record=False)
    assert recordable(organisation, Mode.GOVERNED) is wire.Recordable.NOT_BY_POLICY


def test_what_became_of_it_is_shown_until_another_one_is_asked_for(both):
    host, guest = both
    assert over(host.meeting_id) is None
    handle(host, wire.AskRecording(others_in_room=0))
    assert over(host.meeting_id) is None
    handle(guest, wire.RefuseConsent(text=screen(guest).question.text))
    ended = over(host.meeting_id)
    assert (ended.state, ended.why) == ("abandoned", "refused")
    recorded(both)
    assert over(host.meeting_id) is None
    handle(host, wire.StopRecording())
    for state_now, percent in (("gathering", 0), ("sealing", 40), ("stored", 100), ("empty", 0)):
        Recording.objects.filter(end_reason="stopped").update(state=state_now, percent=percent)
        ended = over(host.meeting_id)
        assert (ended.state, ended.percent, ended.why) == (state_now, percent, "stopped")
    Recording.objects.filter(end_reason="stopped").update(state="shredded")
    assert over(host.meeting_id) is None


def test_what_the_worker_does_not_do_is_shown(both):
    host, _ = both
    recorded(both)
    assert not screen(host).falters
    for said, falters in (
        (("recording", ""), False),
        (("paused", "spool_full"), True),
        (("failed", "fault"), True),
        (("stopped", "room_empty"), True),
    ):
        Recording.objects.update(worker_state=said[0], worker_reason=said[1])
        assert screen(host).falters is falters, said
    handle(host, wire.PauseRecording())
    assert not screen(host).falters


def test_who_is_let_into_a_recorded_call_agrees_at_the_door_and_then_comes_in(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = cast.meeting(Mode.GOVERNED)
    taken = redeemed(issued)
    seat = verify.verify_code(acting_through(taken.seat), taken.seat.pk, code_for(taken.seat))
    ticket = enter.wait_ticket(acting_through(seat), seat)
    jar = cookies(meeting.pk, taken.seat_secret)
    with transaction.atomic():
        text = consent.ask(meeting, uuid4())
        consent.need_to_enter(meeting)

    async def hint() -> None:
        await get_channel_layer().group_send(meeting_group(meeting.pk), {"type": "room.changed"})

    async def script(page: Page) -> list[dict[str, Any]]:
        await page.say(type="hello", version=2, ticket=ticket)
        waiting = await page.hear_until("lobby")
        await sync_to_async(host.admit_guest)(clinician, meeting.pk, seat.participation_id)
        await hint()
        asked = await page.hear_until("lobby")
        await page.say(type="give_consent", text=asked["question"]["text"])
        # What the consent owes in the outbox nobody delivers here; any hint will do.
        agreed = False
        while not agreed:
            agreed = await sync_to_async(Consent.objects.exists)()
        await hint()
        admitted = await page.hear_until("admitted")
        await page.say(type="hello", version=2, ticket=admitted["ticket"])
        return [waiting, asked, await page.hear_until("welcome")]

    waiting, asked, welcome = with_page(script, jar)
    assert waiting["question"] is None
    question = asked["question"]
    assert (question["text"], question["words"]) == (str(text.pk), text.in_language("en"))
    assert question["terms"]["keep_days"] > 0
    assert welcome["purpose"] == "join"

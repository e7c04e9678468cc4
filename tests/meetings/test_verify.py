"""Proving who holds a seat: six digits, five tries, ten minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from access.verbs import Verb
from foundation.actor import anonymous
from foundation.wire.browser import Mode
from meetings import minting
from meetings.actions import host, plan, verify
from meetings.lifecycle import PlaceState, SeatState
from meetings.models import Participation, Seat
from outbox.models import OutboxRow
from tests.audit.reading import deeds, refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME, PATIENT_EMAIL
from tests.meetings.visit import acting_through, admitted, code_for, redeemed, verified


@pytest.fixture
def seat(cast) -> Seat:
    cast.planned, cast.issued = cast.meeting(Mode.GOVERNED)
    return redeemed(cast.issued).seat


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def attempts_left(seat: Seat) -> int:
    return Seat.objects.get(pk=seat.pk).code_attempts_left


def check(seat: Seat, code: str) -> Seat:
    return verify.verify_code(acting_through(seat), seat.pk, code)


def test_the_right_code_makes_the_seat_current(seat):
    check(seat, code_for(seat))
    seat.refresh_from_db()
    assert (seat.state, seat.generation, seat.verified_by) == (SeatState.CURRENT, 1, ["mailbox"])
    assert (seat.code_hash, seat.code_attempts_left) == ("", 0)
    place = Participation.objects.get(pk=seat.participation_id)
    assert (place.state, place.verified_by) == (PlaceState.VERIFIED, ["mailbox"])
    (row,) = deeds(Verb.GUEST_VERIFY)
    assert '"verified_by":["mailbox"]' in row.body


def test_a_code_is_forgiven_its_spacing(seat):
    code = code_for(seat)
    assert check(seat, f" {code[:3]} {code[3:]} ").state == SeatState.CURRENT


def test_a_wrong_code_counts_and_the_count_survives_the_refusal(seat):
    code = code_for(seat)
    for left in (4, 3, 2, 1):
        with refused(Verb.GUEST_VERIFY, "code_wrong"):
            check(seat, wrong(code))
        assert attempts_left(seat) == left
    assert check(seat, code).state == SeatState.CURRENT


def test_after_five_wrong_codes_the_right_one_is_refused(seat):
    code = code_for(seat)
    for _ in range(5):
        with refused(Verb.GUEST_VERIFY, "code_wrong"):
            check(seat, wrong(code))
    for _ in range(2):
        with refused(Verb.GUEST_VERIFY, "code_expired"):
            check(seat, code)
    assert attempts_left(seat) == 0
    assert Seat.objects.get(pk=seat.pk).state == SeatState.PENDING


def test_an_expired_code_is_refused(seat):
    code = code_for(seat)
    Seat.objects.update(code_expires_at=timezone.now() - timedelta(seconds=1))
    with refused(Verb.GUEST_VERIFY, "code_expired"):
        check(seat, code)


def test_before_any_code_was_sent_none_is_right(seat):
    for typed in ("", "000000", "123456"):
        with refused(Verb.GUEST_VERIFY, "code_expired"):
            check(seat, typed)


def test_a_code_serves_once(seat):
    code = code_for(seat)
    check(seat, code)
    with refused(Verb.GUEST_VERIFY, "wrong_state"):
        check(seat, code)


def test_a_new_code_replaces_the_old_one(seat):
    old = code_for(seat)
    new = code_for(seat)
    if old != new:
        with refused(Verb.GUEST_VERIFY, "code_wrong"):
            check(seat, old)
    assert check(seat, new)


def test_a_code_of_another_seat_is_wrong_here(cast, seat):
    other = redeemed(cast.issued).seat
    code, own = code_for(other), code_for(seat)
    if code != own:
        with refused(Verb.GUEST_VERIFY, "code_wrong"):
            check(seat, code)
    assert Seat.objects.get(pk=seat.pk).code_hash != Seat.objects.get(pk=other.pk).code_hash
    assert minting.hash_one_time_code(seat.pk, "123456") != minting.hash_one_time_code(
        other.pk, "123456"
    )


@pytest.mark.parametrize(
    "typed", ["", "0", "12345", "1234567", "abcdef", "½½½½½½", "9" * 5000, "\0"]
)
def test_what_is_no_code_is_wrong(seat, typed):
    code_for(seat)
    with refused(Verb.GUEST_VERIFY, "code_wrong"):
        check(seat, typed)


def test_nobody_else_verifies_a_seat(cast, seat):
    code = code_for(seat)
    for actor, reason in [
        (anonymous(), "not_found"),
        (cast.acting(cast.stranger), "not_found"),
        (cast.acting(cast.clinician), "not_permitted"),
    ]:
        with refused(Verb.GUEST_VERIFY, reason):
            verify.verify_code(actor, seat.pk, code)


def test_another_guest_of_the_same_meeting_verifies_nothing_here(cast, seat):
    other = plan.invite_guest(
        cast.acting(cast.clinician),
        cast.planned.pk,
        plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL),
    )
    interpreter = acting_through(verified(other))
    code = code_for(seat)
    with refused(Verb.GUEST_VERIFY, "not_permitted"):
        verify.verify_code(interpreter, seat.pk, code)
    with refused(Verb.CODE_SEND, "not_permitted"):
        verify.request_code(interpreter, seat.pk)


def test_a_code_is_owed_and_minted_only_where_it_is_sent(seat):
    verify.request_code(acting_through(seat), seat.pk)
    row = OutboxRow.objects.latest("id")
    assert row.payload == {"name": "meetings.send_code", "args": [str(seat.pk)]}
    assert Seat.objects.get(pk=seat.pk).code_hash == ""
    minted = verify.mint_code(seat.pk)
    assert minted.contact == PATIENT_EMAIL
    assert len(minted.code) == 6
    assert minted.code not in repr(minted)
    assert PATIENT_EMAIL not in repr(minted)
    stored = Seat.objects.get(pk=seat.pk)
    assert minted.code not in stored.code_hash
    assert stored.code_attempts_left == verify.CODE_ATTEMPTS


def test_codes_are_not_asked_for_faster_than_every_half_minute(seat):
    actor = acting_through(seat)
    verify.request_code(actor, seat.pk)
    owed = OutboxRow.objects.count()
    with refused(Verb.CODE_SEND, "too_many_attempts"):
        verify.request_code(actor, seat.pk)
    assert OutboxRow.objects.count() == owed
    earlier = timezone.now() - verify.RESEND_AFTER - timedelta(seconds=1)
    Seat.objects.update(code_requested_at=earlier)
    verify.request_code(actor, seat.pk)


def test_a_device_is_sent_no_more_than_a_few_codes(seat):
    """Each code is five tries: without an end, patience would be enough to guess one."""
    Seat.objects.update(codes_sent=verify.CODES_PER_SEAT - 1)
    verify.request_code(acting_through(seat), seat.pk)
    Seat.objects.update(code_requested_at=None)
    with refused(Verb.CODE_SEND, "too_many_attempts"):
        verify.request_code(acting_through(seat), seat.pk)


def test_a_seat_that_is_current_needs_no_code(cast, seat):
    check(seat, code_for(seat))
    with refused(Verb.CODE_SEND, "wrong_state"):
        verify.request_code(acting_through(seat), seat.pk)


def test_a_repeated_task_for_a_verified_seat_sends_nothing(seat):
    """Tasks arrive at least once; the second finds nothing to do and is no failure."""
    check(seat, code_for(seat))
    assert verify.mint_code(seat.pk) is None
    assert Seat.objects.get(pk=seat.pk).code_hash == ""


def test_nothing_is_verified_when_the_meeting_is_over(cast, seat):
    code = code_for(seat)
    host.end_meeting(cast.acting(cast.clinician), cast.planned.pk)
    with refused(Verb.GUEST_VERIFY, "meeting_closed"):
        check(seat, code)
    with refused(Verb.CODE_SEND, "meeting_closed"):
        verify.request_code(acting_through(seat), seat.pk)
    assert verify.mint_code(seat.pk) is None


@pytest.mark.parametrize(
    ("deed", "reason"),
    [("decline_guest", "not_admitted"), ("remove_participant", "removed")],
)
def test_who_was_turned_away_cannot_verify_again(cast, deed, reason):
    from tests.meetings.visit import waiting

    meeting, issued = cast.meeting()
    first = admitted(cast, meeting, issued) if deed == "remove_participant" else waiting(issued)
    getattr(host, deed)(cast.acting(cast.clinician), meeting.pk, first.participation_id)
    second = redeemed(issued).seat
    with refused(Verb.CODE_SEND, reason):
        verify.request_code(acting_through(second), second.pk)
    with refused(Verb.GUEST_VERIFY, reason):
        check(second, "123456")

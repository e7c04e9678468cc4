"""The whole way of a visit by actions alone."""

from __future__ import annotations

import pytest

from foundation.actor import anonymous
from foundation.errors import ConsiliumError
from meetings import seats
from meetings.actions import enter, host, redeem, verify
from meetings.lifecycle import PlaceState
from meetings.models import Participation, Seat


def seated(cast, issued) -> Seat:
    """The patient's verified seat."""
    taken = redeem.redeem_link(anonymous(), issued.link_secret.text)
    verify.request_code(seats.occupant_of(taken.seat), taken.seat.pk)
    code = verify.mint_code(taken.seat.pk)
    assert code is not None
    return verify.verify_code(seats.occupant_of(taken.seat), taken.seat.pk, code.code)


def test_guest_cannot_join_before_being_admitted(cast):
    meeting, issued = cast.meeting()
    seat = seated(cast, issued)
    actor = seats.occupant_of(seat)
    with pytest.raises(ConsiliumError) as refused:
        enter.join_ticket(actor, seat)
    assert refused.value.code == "not_admitted"
    enter.wait_ticket(actor, seat)
    host.admit_guest(cast.acting(cast.clinician), meeting.pk, seat.participation_id)
    assert enter.join_ticket(actor, seat)
    assert Participation.objects.get(pk=seat.participation_id).state == PlaceState.ADMITTED

"""Redeeming: a link's secret or a typed code becomes a pending seat; everything else nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.verbs import Verb
from foundation.actor import anonymous
from meetings import minting, seats
from meetings.actions import host, redeem
from meetings.lifecycle import InvitationState, SeatState
from meetings.models import Invitation, Seat
from tests.audit.reading import deeds, refused
from tests.meetings.visit import acting_through, redeemed


@pytest.fixture
def issued(cast):
    cast.planned, issued = cast.meeting()
    return issued


def test_a_link_becomes_a_pending_seat_that_proves_nothing(issued):
    taken = redeemed(issued)
    assert taken.seat.state == SeatState.PENDING
    assert taken.seat.verified_by == []
    assert taken.seat_secret.text not in repr(taken)
    invitation = Invitation.objects.get()
    assert (invitation.state, invitation.uses) == (InvitationState.REDEEMED, 1)
    (row,) = deeds(Verb.INVITATION_REDEEM)
    assert row.actor == "anonymous:-"
    assert issued.link_secret.text not in row.body


def test_secrets_are_long_and_only_their_hashes_stored(issued):
    assert len(issued.link_secret.text) >= 43
    invitation = Invitation.objects.get()
    assert invitation.secret_hash == issued.link_secret.hashed
    assert issued.link_secret.text not in {invitation.secret_hash, invitation.short_code_hash}


@pytest.mark.parametrize(
    "secret", ["", "x", "x" * 43, "' OR 1=1 --", "ünïcode", "\0", "a" * 10_000]
)
def test_an_unknown_secret_opens_nothing(issued, secret):
    with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
        redeem.redeem_link(anonymous(), secret)
    with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
        redeem.redeem_short_code(anonymous(), secret)
    assert not Seat.objects.exists()


def test_the_stored_hash_opens_nothing(issued):
    with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
        redeem.redeem_link(anonymous(), Invitation.objects.get().secret_hash)


def test_a_code_is_no_link_and_a_link_is_no_code(issued):
    with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
        redeem.redeem_link(anonymous(), issued.short_code.text)
    with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
        redeem.redeem_short_code(anonymous(), issued.link_secret.text)


def test_an_expired_invitation_opens_nothing(issued):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with refused(Verb.INVITATION_REDEEM, "invitation_expired"):
        redeemed(issued)


def test_an_invitation_is_used_up(issued):
    for _ in range(issued.invitation.use_limit):
        redeemed(issued)
    with refused(Verb.INVITATION_REDEEM, "invitation_used"):
        redeemed(issued)
    with refused(Verb.INVITATION_REDEEM, "invitation_used"):
        redeem.redeem_short_code(anonymous(), issued.short_code.text)
    assert Seat.objects.count() == issued.invitation.use_limit


def test_a_refusal_uses_nothing_up(issued):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with refused(Verb.INVITATION_REDEEM, "invitation_expired"):
        redeemed(issued)
    assert Invitation.objects.get().uses == 0


def test_a_withdrawn_invitation_opens_nothing(issued):
    Invitation.objects.update(state=InvitationState.REVOKED)
    with refused(Verb.INVITATION_REDEEM, "invitation_revoked"):
        redeemed(issued)


def test_an_invitation_to_a_meeting_that_is_over_opens_nothing(cast, issued):
    host.end_meeting(cast.acting(cast.clinician), cast.planned.pk)
    with refused(Verb.INVITATION_REDEEM, "meeting_closed"):
        redeemed(issued)


@pytest.mark.parametrize(
    "mistyped",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code} ",
        " ".join,
        lambda code: code.replace("0", "O").replace("1", "I"),
        lambda code: code.replace("0", "o").replace("1", "l"),
        lambda code: code.replace("-", "–"),
        lambda code: f"{code}.",
    ],
)
def test_a_code_is_forgiven_how_people_type(issued, mistyped):
    assert redeem.redeem_short_code(anonymous(), mistyped(issued.short_code.text)).seat


def test_a_code_with_one_wrong_letter_is_not_forgiven(issued):
    code = issued.short_code.text
    for at, letter in enumerate(code):
        if letter != "-":
            wrong = code[:at] + ("Z" if letter != "Z" else "Y") + code[at + 1 :]
            with refused(Verb.INVITATION_REDEEM, "invitation_unknown"):
                redeem.redeem_short_code(anonymous(), wrong)


def test_codes_have_sixty_bits_and_no_lookalikes(cast):
    codes = {minting.short_code().text.replace("-", "") for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 12 for code in codes)
    assert not set("ILOU") & set("".join(codes))


def test_opening_the_page_redeems_nothing(cast, issued):
    """A mail scanner follows links; it does not tap."""
    client = Client()
    for url in ("/visit/", f"/visit/?{issued.link_secret.text}", "/visit/redeem"):
        client.get(url, secure=True)
        client.head(url, secure=True)
        client.options(url, secure=True)
    assert Invitation.objects.get().uses == 0
    assert not Seat.objects.exists()


def test_a_seat_is_found_by_its_cookie_in_its_meeting_only(cast, issued):
    taken = redeemed(issued)
    other, _ = cast.meeting()
    name, here = seats.cookie_name, cast.planned.pk
    assert seats.seat_of({name(here): taken.seat_secret.text}, here) == taken.seat
    assert seats.seat_of({name(other.pk): taken.seat_secret.text}, other.pk) is None
    assert seats.seat_of({name(other.pk): taken.seat_secret.text}, here) is None
    for wrong in ("", "x", "x" * 43, taken.seat.secret_hash, taken.seat_secret.text[:-1]):
        assert seats.seat_of({name(here): wrong}, here) is None


def test_a_pending_seat_acts_as_a_guest_whom_nobody_has_verified(issued):
    actor = acting_through(redeemed(issued).seat)
    assert actor.kind == "guest"
    assert actor.assurance.verified_by == ()
    assert not actor.assurance.mfa
    assert not actor.roles

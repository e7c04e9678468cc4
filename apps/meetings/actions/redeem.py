"""Redeeming an invitation: a tap turns a link's secret into a seat on this device."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from access.actions import action
from access.verbs import Verb
from foundation.actor import Actor
from meetings import minting
from meetings.lifecycle import INVITATION, next_state
from meetings.models import Invitation, Seat


@dataclass(frozen=True, slots=True)
class Redeemed:
    seat: Seat
    seat_secret: minting.Secret


def redeem_link(actor: Actor, secret: str) -> Redeemed:
    """A pending seat for the place the link invites to. Knowing who holds it comes next."""
    return _redeem(actor, secret_hash=minting.hash_link_secret(secret))


def redeem_short_code(actor: Actor, typed: str) -> Redeemed:
    """The same by the code to type."""
    return _redeem(actor, short_code_hash=minting.hash_short_code(typed))


def _redeem(actor: Actor, **hashed: str) -> Redeemed:
    invitations = Invitation.objects.filter(**hashed)
    with action(actor, Verb.INVITATION_REDEEM, invitations, missing="invitation_unknown") as act:
        invitation: Invitation = act.subject
        act.move(
            invitation,
            next_state(INVITATION, invitation.state, "redeem"),
            uses=F("uses") + 1,
        )
        secret = minting.seat_secret()
        seat = Seat.objects.create(
            organisation_id=invitation.organisation_id,
            participation=invitation.participation,
            secret_hash=secret.hashed,
        )
        act.details |= {"seat": str(seat.pk)}
        return Redeemed(seat, secret)

"""Planning a meeting, inviting to it, renewing and withdrawing invitations."""

from __future__ import annotations

import pytest
from django.utils import timezone

from access.verbs import Verb
from audit.models import TrailRow
from foundation.actor import anonymous
from foundation.wire.browser import Mode
from meetings.actions import enter, host, plan, redeem, verify
from meetings.lifecycle import InvitationState, PlaceState, SeatState
from meetings.models import Guest, Invitation, Meeting, Participation, Seat
from outbox.models import OutboxRow
from tests.audit.reading import deeds, refused
from tests.cast import INTERPRETER_EMAIL, INTERPRETER_NAME, PATIENT_EMAIL, PATIENT_NAME
from tests.meetings.visit import acting_through, admitted, redeemed, verified, waiting

INTERPRETER = plan.NewGuest(INTERPRETER_NAME, INTERPRETER_EMAIL)


def create(cast, actor, organisation=None, mode: Mode = Mode.PRIVATE, *, relay_only=False):
    return plan.create_meeting(
        actor,
        organisation or cast.hospital,
        department=cast.department,
        title="Canarytitle",
        mode=mode,
        relay_only=relay_only,
        starts_at=timezone.now(),
        guest=plan.NewGuest(f" {PATIENT_NAME} ", f" {PATIENT_EMAIL} "),
    )


def owed_tasks() -> list[dict]:
    return [row.payload for row in OutboxRow.objects.filter(topic="task").order_by("id")]


@pytest.mark.parametrize("who", ["clinician", "coordinator"])
def test_who_works_with_patients_plans_a_meeting(cast, who):
    person = getattr(cast, who)
    meeting, issued = create(cast, cast.acting(person))
    assert meeting.created_by_id == person.pk
    assert meeting.state == "planned"
    assert not meeting.relay_only
    guest = issued.invitation.participation.guest
    assert (guest.name, guest.contact) == (PATIENT_NAME, PATIENT_EMAIL)
    assert issued.invitation.participation.state == PlaceState.INVITED
    (row,) = deeds(Verb.MEETING_CREATE)
    assert f'"meeting":"{meeting.pk}"' in row.body
    place = issued.invitation.participation_id
    assert owed_tasks() == [{"name": "meetings.send_invitation", "args": [str(place)]}]


def test_addresses_are_hidden_where_there_is_a_relay_to_hide_them(cast, settings):
    actor = cast.acting(cast.clinician)
    with refused(Verb.MEETING_CREATE, "relay_missing"):
        create(cast, actor, relay_only=True)
    assert not Meeting.objects.exists()
    settings.TURN_URLS = ["turn:turn.example.test:3478"]
    meeting, _ = create(cast, actor, relay_only=True)
    assert meeting.relay_only


@pytest.mark.parametrize(
    ("who", "mfa", "reason"),
    [
        ("clinician", False, "second_factor_required"),
        ("officer", True, "not_permitted"),
        ("administrator", True, "not_permitted"),
        ("stranger", True, "not_found"),
        ("foreign_officer", True, "not_found"),
    ],
)
def test_who_may_not_plan_is_refused(cast, who, mfa, reason):
    with refused(Verb.MEETING_CREATE, reason):
        create(cast, cast.acting(getattr(cast, who), mfa=mfa))
    assert not Meeting.objects.exists()
    assert not Guest.objects.exists()
    assert not OutboxRow.objects.exists()


def test_anonymous_browsers_plan_nothing(cast):
    with refused(Verb.MEETING_CREATE, "not_found"):
        create(cast, anonymous())


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_that_the_organisation_forbids_is_refused(cast, mode):
    cast.hospital.allowed_modes = [other.value for other in Mode if other is not mode]
    cast.hospital.save()
    with refused(Verb.MEETING_CREATE, "mode_not_allowed"):
        create(cast, cast.acting(cast.clinician), mode=mode)
    assert not Meeting.objects.exists()


def test_a_private_meeting_has_room_for_one_guest(cast):
    meeting, _ = create(cast, cast.acting(cast.clinician))
    with refused(Verb.GUEST_INVITE, "meeting_full"):
        plan.invite_guest(cast.acting(cast.clinician), meeting.pk, INTERPRETER)
    assert Guest.objects.count() == 1


def test_a_governed_meeting_has_room_for_three_guests(cast):
    clinician = cast.acting(cast.clinician)
    meeting, _ = create(cast, clinician, mode=Mode.GOVERNED)
    for _ in range(2):
        plan.invite_guest(clinician, meeting.pk, INTERPRETER)
    with refused(Verb.GUEST_INVITE, "meeting_full"):
        plan.invite_guest(clinician, meeting.pk, INTERPRETER)
    assert Guest.objects.count() == 3
    assert len(owed_tasks()) == 3


def test_who_was_turned_away_leaves_room_for_another(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    plan.revoke_invitation(clinician, meeting.pk, issued.invitation.participation_id)
    assert plan.invite_guest(clinician, meeting.pk, INTERPRETER)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("colleague", "not_permitted"),
        ("officer", "not_permitted"),
        ("coordinator", "not_permitted"),
        ("stranger", "not_found"),
    ],
)
def test_only_a_host_invites_renews_and_withdraws(cast, who, reason):
    meeting, issued = create(cast, cast.acting(cast.clinician), mode=Mode.GOVERNED)
    actor, place = cast.acting(getattr(cast, who)), issued.invitation.participation_id
    with refused(Verb.GUEST_INVITE, reason):
        plan.invite_guest(actor, meeting.pk, INTERPRETER)
    with refused(Verb.INVITATION_RENEW, reason):
        plan.renew_invitation(actor, meeting.pk, place)
    with refused(Verb.INVITATION_REVOKE, reason):
        plan.revoke_invitation(actor, meeting.pk, place)
    assert redeemed(issued)


def test_nobody_is_invited_to_a_meeting_that_is_over(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician, mode=Mode.GOVERNED)
    host.end_meeting(clinician, meeting.pk)
    place = issued.invitation.participation_id
    with refused(Verb.GUEST_INVITE, "meeting_closed"):
        plan.invite_guest(clinician, meeting.pk, INTERPRETER)
    with refused(Verb.INVITATION_RENEW, "meeting_closed"):
        plan.renew_invitation(clinician, meeting.pk, place)
    with refused(Verb.INVITATION_REVOKE, "meeting_closed"):
        plan.revoke_invitation(clinician, meeting.pk, place)


def test_an_id_of_another_meeting_is_not_found(cast):
    clinician = cast.acting(cast.clinician)
    _, issued = create(cast, clinician)
    other, _ = create(cast, clinician)
    place = issued.invitation.participation_id
    with refused(Verb.INVITATION_RENEW, "not_found"):
        plan.renew_invitation(clinician, other.pk, place)
    with refused(Verb.INVITATION_REVOKE, "not_found"):
        plan.revoke_invitation(clinician, other.pk, place)


def test_a_renewed_invitation_replaces_the_earlier_ones(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    again = plan.renew_invitation(clinician, meeting.pk, issued.invitation.participation_id)
    with refused(Verb.INVITATION_REDEEM, "invitation_revoked"):
        redeemed(issued)
    with refused(Verb.INVITATION_REDEEM, "invitation_revoked"):
        redeem.redeem_short_code(anonymous(), issued.short_code.text)
    assert redeemed(again)
    assert owed_tasks()[-1]["name"] == "meetings.send_invitation"


def test_a_withdrawn_invitation_opens_nothing_and_turns_away_who_waits(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    seat = waiting(issued)
    plan.revoke_invitation(clinician, meeting.pk, seat.participation_id)
    assert Participation.objects.get(pk=seat.participation_id).state == PlaceState.DECLINED
    assert Seat.objects.get(pk=seat.pk).state == SeatState.ENDED
    with refused(Verb.INVITATION_REDEEM, "invitation_revoked"):
        redeemed(issued)
    fresh = Seat.objects.get(pk=seat.pk)
    with refused(Verb.ROOM_WAIT, "not_admitted"):
        enter.wait_ticket(acting_through(fresh), fresh)
    goodbyes = [
        row.payload["message"]
        for row in OutboxRow.objects.filter(topic="group")
        if row.payload["message"]["type"] == "place.ended"
    ]
    assert goodbyes


def test_withdrawing_the_link_does_not_put_out_who_is_in_the_call(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    seat = admitted(cast, meeting, issued)
    plan.revoke_invitation(clinician, meeting.pk, seat.participation_id)
    assert Participation.objects.get(pk=seat.participation_id).state == PlaceState.ADMITTED
    assert enter.join_ticket(acting_through(seat), seat)


def test_who_was_removed_is_not_invited_again_by_the_same_place(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    seat = admitted(cast, meeting, issued)
    host.remove_participant(clinician, meeting.pk, seat.participation_id)
    with refused(Verb.INVITATION_RENEW, "removed"):
        plan.renew_invitation(clinician, meeting.pk, seat.participation_id)
    again = redeemed(issued).seat
    with refused(Verb.CODE_SEND, "removed"):
        verify.request_code(acting_through(again), again.pk)


def test_the_sending_task_mints_an_invitation_of_its_own(cast):
    meeting, issued = create(cast, cast.acting(cast.clinician))
    sent = plan.mint_invitation(issued.invitation.participation_id)
    assert sent is not None
    assert sent.contact == PATIENT_EMAIL
    assert PATIENT_EMAIL not in repr(sent)
    assert sent.link_secret.text not in repr(sent)
    assert sent.link_secret.text != issued.link_secret.text
    assert redeem.redeem_link(anonymous(), sent.link_secret.text)
    assert redeemed(issued), "what was shown to the host still works"
    assert Invitation.objects.filter(participation__meeting=meeting).count() == 2


def test_nothing_is_minted_for_a_host_or_an_ended_meeting(cast):
    clinician = cast.acting(cast.clinician)
    meeting, issued = create(cast, clinician)
    host.end_meeting(clinician, meeting.pk)
    assert plan.mint_invitation(issued.invitation.participation_id) is None
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.INVITATION_MINT.value, "meeting_closed")
    assert Invitation.objects.count() == 1
    assert Invitation.objects.get().state == InvitationState.ISSUED


def test_verified_means_only_verified(cast):
    _, issued = create(cast, cast.acting(cast.clinician))
    place = verified(issued).participation_id
    assert Participation.objects.get(pk=place).state == PlaceState.VERIFIED

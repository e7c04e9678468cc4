"""A list holds an object exactly when VIEW is granted, for everybody there is."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access import gate, grants
from accounts.models import Membership
from foundation.actor import Actor, ActorKind, Assurance, Office, Role, anonymous, service
from foundation.wire.browser import Mode
from meetings import queries, seats
from meetings.actions import host, plan
from meetings.models import Meeting
from tests.meetings.visit import admitted, host_seated


@pytest.fixture
def meetings(cast) -> list[Meeting]:
    """Meetings of several hosts, states and hospitals, with grants that hold and that ended."""
    first, issued = cast.meeting()
    second, _ = cast.meeting(Mode.GOVERNED, host=cast.colleague)
    third, _ = cast.meeting(host=cast.coordinator)
    over, _ = cast.meeting()
    host.end_meeting(cast.acting(cast.clinician), over.pk)
    foreign, _ = plan.create_meeting(
        cast.acting(cast.stranger),
        cast.elsewhere,
        department=None,
        title="Foreign",
        mode=Mode.PRIVATE,
        relay_only=False,
        starts_at=timezone.now(),
        guest=plan.NewGuest("Somebody", "somebody@example.test"),
    )
    for person, meeting, hours in [
        (cast.colleague, first, 1),
        (cast.clinician, second, -1),
        (cast.administrator, third, 1),
        (cast.stranger, first, 1),
    ]:
        grants.give(
            person,
            "host_meeting",
            meeting,
            expires_at=timezone.now() + timedelta(hours=hours),
            granted_by=cast.clinician.pk,
            reason="a test",
        )
    cast.seat = admitted(cast, first, issued)
    cast.host_seat, _ = host_seated(cast, first)
    return [first, second, third, over, foreign]


def everybody(cast) -> list[Actor]:
    people = [
        cast.clinician,
        cast.colleague,
        cast.coordinator,
        cast.administrator,
        cast.officer,
        cast.stranger,
        cast.foreign_officer,
    ]
    # The clinician works as an officer elsewhere: an office there opens nothing here.
    Membership.objects.create(
        organisation=cast.elsewhere, person=cast.clinician, role=Role.COMPLIANCE_OFFICER.value
    )
    from accounts.actors import actor_for

    actors = [cast.acting(person, mfa=mfa) for person in people for mfa in (True, False)]
    return [
        *actors,
        actor_for(cast.clinician, mfa=True, acting_in=str(cast.elsewhere.pk)),
        seats.occupant_of(cast.seat),
        seats.occupant_of(cast.host_seat),
        anonymous(),
        service("sweeper"),
        service("sweeper", cast.hospital.pk),
        Actor(ActorKind.WORKER, id=cast.hospital.pk),
        Actor(ActorKind.PERSON, id=cast.clinician.pk, assurance=Assurance(mfa=True)),
        Actor(
            ActorKind.PERSON,
            id=cast.clinician.pk,
            organisation_id=cast.elsewhere.pk,
            assurance=Assurance(mfa=True),
        ),
        Actor(ActorKind.PERSON, organisation_id=cast.hospital.pk, assurance=Assurance(mfa=True)),
        Actor(
            ActorKind.GUEST,
            id=cast.clinician.pk,
            organisation_id=cast.hospital.pk,
            assurance=Assurance(mfa=True),
        ),
    ]


def test_a_meeting_is_listed_exactly_when_it_may_be_viewed(cast, meetings):
    seen = 0
    for actor in everybody(cast):
        listed = set(queries.visible_to(actor).values_list("pk", flat=True))
        for meeting in meetings:
            granted = gate.allows(actor, queries.VISIBLE, meeting)
            assert granted == (meeting.pk in listed), (actor, meeting.state)
            seen += granted
    assert seen > 10, "nobody saw anything, so nothing was compared"


def test_everybody_sees_what_is_theirs_and_no_more(cast, meetings):
    first, second, third, over, foreign = meetings

    def listed(person) -> set[Meeting]:
        return set(queries.visible_to(cast.acting(person)))

    assert listed(cast.clinician) == {first, over}
    assert listed(cast.colleague) == {first, second}
    assert listed(cast.coordinator) == {first, second, third, over}
    assert listed(cast.officer) == {first, second, third, over}
    assert listed(cast.administrator) == {third}
    assert listed(cast.stranger) == {foreign}
    assert listed(cast.foreign_officer) == {foreign}


def test_an_office_in_a_department_extends_to_its_meetings_alone(cast, meetings):
    def officer(department_id) -> Actor:
        return Actor(
            ActorKind.PERSON,
            id=cast.coordinator.pk,
            organisation_id=cast.hospital.pk,
            offices=frozenset({Office(Role.COMPLIANCE_OFFICER, department_id)}),
            assurance=Assurance(mfa=True),
        )

    own = [one for one in meetings if one.organisation_id == cast.hospital.pk]
    for department_id, seen in ((cast.department.pk, own), (None, own), (uuid4(), [own[2]])):
        actor = officer(department_id)
        listed = set(queries.visible_to(actor))
        assert listed == set(seen), department_id
        assert {one for one in meetings if gate.allows(actor, queries.VISIBLE, one)} == listed

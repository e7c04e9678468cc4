"""A grant to one person for one object: a fact with an end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from access import gate, grants
from access.models import PersonGrant
from access.verbs import Verb
from meetings import queries
from meetings.models import Meeting

CANARY = "covers for Clara on Canaryday"


@pytest.fixture
def meeting(cast) -> Meeting:
    return cast.meeting()[0]


def give(cast, person, meeting, lasts: timedelta) -> PersonGrant:
    return grants.give(
        person,
        "host_meeting",
        meeting,
        expires_at=timezone.now() + lasts,
        granted_by=cast.clinician.pk,
        reason=CANARY,
    )


def test_a_grant_makes_a_colleague_a_host(cast, meeting):
    actor = cast.acting(cast.colleague)
    assert not gate.allows(actor, Verb.GUEST_INVITE, meeting)
    give(cast, cast.colleague, meeting, timedelta(hours=1))
    assert grants.held(cast.colleague.pk, meeting) == {"host_meeting"}
    assert gate.allows(actor, Verb.GUEST_INVITE, meeting)
    assert gate.allows(actor, Verb.HOST_SIT, meeting)
    assert meeting in queries.visible_to(actor)


def test_a_grant_ends_by_itself(cast, meeting):
    give(cast, cast.colleague, meeting, timedelta(seconds=-1))
    actor = cast.acting(cast.colleague)
    assert grants.held(cast.colleague.pk, meeting) == frozenset()
    assert not gate.allows(actor, Verb.GUEST_INVITE, meeting)
    assert meeting not in queries.visible_to(actor)


def test_given_again_the_newest_end_counts(cast, meeting):
    give(cast, cast.colleague, meeting, timedelta(seconds=-1))
    give(cast, cast.colleague, meeting, timedelta(hours=1))
    assert PersonGrant.objects.count() == 1
    assert grants.held(cast.colleague.pk, meeting) == {"host_meeting"}
    give(cast, cast.colleague, meeting, timedelta(seconds=-1))
    assert grants.held(cast.colleague.pk, meeting) == frozenset()


def test_a_half_made_grant_grants_nothing(cast, meeting):
    from guardian.shortcuts import assign_perm

    assign_perm("host_meeting", cast.colleague, meeting)
    assert PersonGrant.objects.count() == 1
    assert grants.held(cast.colleague.pk, meeting) == frozenset()


def test_a_grant_for_one_meeting_opens_no_other(cast, meeting):
    other, _ = cast.meeting()
    give(cast, cast.colleague, meeting, timedelta(hours=1))
    actor = cast.acting(cast.colleague)
    assert not gate.allows(actor, Verb.MEETING_VIEW, other)
    assert list(queries.visible_to(actor)) == [meeting]


def test_a_grant_to_a_stranger_does_not_cross_the_hospitals_wall(cast, meeting):
    give(cast, cast.stranger, meeting, timedelta(hours=1))
    actor = cast.acting(cast.stranger)
    assert not gate.allows(actor, Verb.MEETING_VIEW, meeting)
    assert meeting not in queries.visible_to(actor)


def test_a_grant_does_not_replace_the_second_factor(cast, meeting):
    give(cast, cast.colleague, meeting, timedelta(hours=1))
    actor = cast.acting(cast.colleague, mfa=False)
    assert not gate.allows(actor, Verb.MEETING_VIEW, meeting)
    assert meeting not in queries.visible_to(actor)


def test_the_reason_is_sealed_and_the_giver_named(cast, meeting):
    grant = give(cast, cast.colleague, meeting, timedelta(hours=1))
    stored = PersonGrant.objects.get(pk=grant.pk)
    assert stored.granted_by == cast.clinician.pk
    assert stored.organisation_id == cast.hospital.pk
    assert "Canary" not in stored.reason_sealed
    from foundation.keys import personal

    label = "access.persongrant.reason_sealed"
    assert personal.open_sealed(label, stored.reason_sealed) == CANARY

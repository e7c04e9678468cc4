"""The demo: its sign-in details are shown once, and whoever lost them gets others."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from access.verbs import Verb
from accounts.models import Organisation, Person, email_index
from audit.models import TrailRow
from consilium import demo
from meetings.models import Meeting
from tests.audit.reading import deeds

pytestmark = pytest.mark.usefixtures("cast")  # for the keys, and for others whom it must not touch

CLINICIAN = "clinician@example.test"


def words(lines: list[str], what: str) -> list[str]:
    return re.findall(rf"^    {what} +(\S+)$", "\n".join(lines), re.MULTILINE)


def clinician() -> Person:
    return Person.objects.get_by_natural_key(email_index(CLINICIAN))


@pytest.fixture(autouse=True)
def nobody_has_their_addresses(cast) -> None:
    """The cast of the tests and the people of the demo are not the same."""
    assert not Organisation.objects.filter(name=demo.ORGANISATION).exists()
    assert not Person.objects.filter(email_index=email_index(CLINICIAN)).exists()


def renewed() -> list[str]:
    out = StringIO()
    call_command("demo_sign_in", stdout=out)
    return out.getvalue().splitlines()


def test_details_are_shown_once_and_then_how_to_get_others():
    first = demo.make()
    assert words(first, "e-mail") == [email for _, email, _, _ in demo.PEOPLE]
    second = demo.make()
    assert words(second, "password") == []
    assert any("manage.py demo_sign_in" in line for line in second)
    assert Organisation.objects.filter(name=demo.ORGANISATION).count() == 1


def test_who_lost_them_gets_others_and_the_old_ones_are_void():
    [old, *_] = words(demo.make(), "password")
    before = Authenticator.objects.get(user=clinician()).pk
    lines = renewed()
    [new, *_] = words(lines, "password")
    assert clinician().check_password(new)
    assert not clinician().check_password(old)
    assert Authenticator.objects.get(user=clinician()).pk != before
    assert len(words(lines, "TOTP key")) == len(demo.PEOPLE)
    assert Meeting.objects.filter(organisation__name=demo.ORGANISATION).count() == 2
    assert TrailRow.objects.filter(tag=demo.SIGN_IN_RENEWED).count() == len(demo.PEOPLE)
    assert new not in "".join(TrailRow.objects.values_list("body", flat=True))


def test_nobody_elses_sign_in_is_touched(cast):
    demo.make()
    before = cast.stranger.password
    renewed()
    cast.stranger.refresh_from_db()
    assert cast.stranger.password == before
    assert len(deeds(Verb.MEETING_CREATE)) >= 2


def test_where_no_demo_is_nothing_is_renewed(settings):
    with pytest.raises(CommandError, match="There is no demo in /"):
        renewed()
    demo.make()
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="This is no demo"):
        renewed()


def test_why_addresses_are_not_hidden_is_said(settings):
    settings.TURN_URLS = ()
    assert "Relay-only is off, because no relay is set up" in "\n".join(demo.make())


def test_with_a_relay_nothing_is_said(settings):
    settings.TURN_URLS = ("turn:turn.example.test",)
    assert "Relay-only" not in "\n".join(demo.make())

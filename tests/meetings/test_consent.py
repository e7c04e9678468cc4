"""Consent: to words that were shown, on one's own screen, to be taken back at any time."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import transaction

from access.verbs import Verb
from foundation import events
from foundation.actor import anonymous
from foundation.errors import ConsiliumError
from foundation.wire.browser import Mode, Purpose
from meetings import consents
from meetings.actions import consent, enter, host
from meetings.events import ConsentGiven, ConsentRefused, ConsentWithdrawn
from meetings.models import Consent, ConsentText, Meeting, Participation, Seat
from tests.audit.reading import deeds, refused
from tests.meetings.visit import acting_through, admitted, host_seated, verified, waiting


@pytest.fixture
def visit(cast) -> Meeting:
    meeting, cast.issued = cast.meeting(Mode.GOVERNED)
    cast.seat, _ = host_seated(cast, meeting)
    return meeting


@pytest.fixture
def guest(cast, visit) -> Seat:
    seat = admitted(cast, visit, cast.issued)
    with transaction.atomic():
        enter.connect(seat, Purpose.JOIN, uuid4())
    return seat


@pytest.fixture
def heard(monkeypatch) -> list[object]:
    """What was announced upwards."""
    kept: list[object] = []
    for kind in (ConsentGiven, ConsentRefused, ConsentWithdrawn):
        monkeypatch.setitem(events._handlers, kind, [kept.append])
    return kept


def asked(meeting: Meeting, *, enforced: bool = False) -> ConsentText:
    with transaction.atomic():
        text = consent.ask(meeting, uuid4())
        if enforced:
            consent.need_to_enter(meeting)
    return text


def agree(seat: Seat, text: ConsentText) -> None:
    consent.give(acting_through(seat), seat.participation_id, text.pk)


def test_consent_is_given_to_the_words_that_were_shown(guest, visit, heard):
    text = asked(visit)
    agree(guest, text)
    agree(guest, text)
    given = Consent.objects.get(participation_id=guest.participation_id)
    assert (given.text, given.withdrawn_at) == (text, None)
    assert consents.agreed(visit) == {guest.participation_id}
    assert heard[0] == ConsentGiven(visit.organisation_id, visit.pk, guest.participation_id)
    assert deeds(Verb.CONSENT_GIVE)


def test_other_words_were_not_agreed_to(guest, visit):
    text = asked(visit)
    newer = ConsentText.objects.create(
        organisation=text.organisation,
        version=2,
        texts={"en": "Other words."},
        sha256=consents.digest_of({"en": "Other words."}),
    )
    agree(guest, text)
    assert asked(visit) == newer
    assert consents.agreed(visit) == set()
    with refused(Verb.CONSENT_GIVE, "consent_text_changed"):
        agree(guest, text)
    agree(guest, newer)
    assert consents.agreed(visit) == {guest.participation_id}


def test_what_nobody_asks_cannot_be_agreed_to(guest, visit):
    text = asked(visit)
    with transaction.atomic():
        consent.ask_no_more(visit)
    for verb, say in ((Verb.CONSENT_GIVE, consent.give), (Verb.CONSENT_REFUSE, consent.refuse)):
        with refused(verb, "consent_not_asked"):
            say(acting_through(guest), guest.participation_id, text.pk)
    with refused(Verb.CONSENT_WITHDRAW, "wrong_state"):
        consent.withdraw(acting_through(guest), guest.participation_id)


def test_nobody_agrees_for_another(cast, guest, visit):
    text = asked(visit)
    for somebody in (cast.acting(cast.clinician), cast.acting(cast.stranger), anonymous()):
        with pytest.raises(ConsiliumError):
            consent.give(somebody, guest.participation_id, text.pk)
        with pytest.raises(ConsiliumError):
            consent.refuse(somebody, guest.participation_id, text.pk)
        with pytest.raises(ConsiliumError):
            consent.withdraw(somebody, guest.participation_id)
    assert not Consent.objects.exists()


def test_consent_is_withdrawn_once_and_given_again(guest, visit, heard):
    text = asked(visit)
    agree(guest, text)
    consent.withdraw(acting_through(guest), guest.participation_id)
    assert consents.agreed(visit) == set()
    assert isinstance(heard[-1], ConsentWithdrawn)
    with refused(Verb.CONSENT_WITHDRAW, "wrong_state"):
        consent.withdraw(acting_through(guest), guest.participation_id)
    agree(guest, text)
    assert consents.agreed(visit) == {guest.participation_id}
    assert Consent.objects.count() == 2, "what was withdrawn stays written"


def test_who_agreed_withdraws_instead_of_refusing(guest, visit, heard):
    text = asked(visit)
    consent.refuse(acting_through(guest), guest.participation_id, text.pk)
    assert isinstance(heard[-1], ConsentRefused)
    agree(guest, text)
    with refused(Verb.CONSENT_REFUSE, "wrong_state"):
        consent.refuse(acting_through(guest), guest.participation_id, text.pk)


def test_who_has_still_to_answer(cast, guest, visit):
    text = asked(visit)
    assert [place.pk for place in consents.unanswered(visit)] == [guest.participation_id]
    with transaction.atomic():
        enter.connect(cast.seat, Purpose.JOIN, uuid4())
    assert {place.pk for place in consents.unanswered(visit)} == {
        guest.participation_id,
        cast.seat.participation_id,
    }
    agree(guest, text)
    agree(cast.seat, text)
    assert consents.unanswered(visit) == []


def test_nobody_enters_what_is_under_way_without_having_answered(cast, visit):
    text = asked(visit, enforced=True)
    seat = waiting(cast.issued)
    host.admit_guest(cast.acting(cast.clinician), visit.pk, seat.participation_id)
    seat = Seat.objects.get(pk=seat.pk)
    with refused(Verb.ROOM_JOIN, "consent_required"):
        enter.join_ticket(acting_through(seat), seat)
    agree(seat, text)
    assert enter.join_ticket(acting_through(seat), seat)
    # Who changes their mind may come back into the call: nothing of them is kept.
    consent.withdraw(acting_through(seat), seat.participation_id)
    assert enter.join_ticket(acting_through(seat), seat)


def test_while_it_is_only_asked_people_come_and_go(cast, guest, visit):
    asked(visit)
    assert enter.join_ticket(acting_through(guest), guest)


def test_one_who_waits_may_answer_and_one_who_was_not_verified_may_not(cast, visit):
    text = asked(visit)
    seat = verified(cast.issued)
    with refused(Verb.CONSENT_GIVE, "not_admitted"):
        agree(seat, text)
    enter.wait_ticket(acting_through(seat), seat)
    agree(Seat.objects.get(pk=seat.pk), text)


def test_the_words_are_there_in_every_language_and_their_digest_is_fixed(visit, settings):
    text = asked(visit)
    assert set(text.texts) == {language for language, _ in settings.LANGUAGES}
    assert len(set(text.texts.values())) == len(text.texts), "translated"
    assert text.sha256 == consents.digest_of(text.texts)
    assert text.in_language("es") != text.in_language("en") == text.in_language("xx")
    assert asked(visit) == text, "the same words are one version"
    assert Participation.objects.count() >= 1

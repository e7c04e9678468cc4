"""Mails in the guest's language and the hospital's time, from the hospital."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.utils import translation

from foundation.wire.browser import Mode
from meetings.actions import plan
from meetings.models import Meeting
from meetings.tasks import send_code, send_invitation
from tests.cast import PATIENT_EMAIL, PATIENT_NAME
from tests.meetings.visit import redeemed

#: A winter's day, on which it is an hour later in Madrid and five earlier in Lima.
STARTS_AT = datetime(2027, 1, 15, 23, 30, tzinfo=UTC)


def invited(cast, language: str, zone: str) -> plan.Issued:
    cast.hospital.time_zone = zone
    cast.hospital.save()
    _, issued = plan.create_meeting(
        cast.acting(cast.clinician),
        cast.hospital,
        department=None,
        title="",
        mode=Mode.PRIVATE,
        relay_only=False,
        starts_at=STARTS_AT,
        guest=plan.NewGuest(PATIENT_NAME, PATIENT_EMAIL, language),
    )
    return issued


def invitation_mail(issued: plan.Issued):
    send_invitation(str(issued.invitation.participation_id))
    (sent,) = mail.outbox
    return sent


@pytest.mark.parametrize(
    ("language", "zone", "when"),
    [
        ("en", "Europe/Madrid", "When: Saturday, Jan. 16, 2027, 12:30 a.m. (Madrid time)"),
        ("en", "America/Lima", "When: Friday, Jan. 15, 2027, 6:30 p.m. (Lima time)"),
        ("en", "UTC", "When: Friday, Jan. 15, 2027, 11:30 p.m. (UTC)"),
        ("en", "Nowhere/Atall", "When: Friday, Jan. 15, 2027, 11:30 p.m. (UTC)"),
        ("es", "Europe/Madrid", "Cuándo: sábado, 16 de enero de 2027, 00:30 (hora de Madrid)"),
    ],
)
def test_an_invitation_tells_the_hospitals_time_and_names_the_zone(cast, language, zone, when):
    assert when in invitation_mail(invited(cast, language, zone)).body


def test_mails_speak_the_guests_language_whatever_the_one_in_force(cast):
    issued = invited(cast, "es", "UTC")
    with translation.override("en"):
        letter = invitation_mail(issued)
        assert "videoconsulta" in letter.subject
        send_code(str(redeemed(issued).seat.pk))
    assert "código" in mail.outbox[1].subject
    assert translation.get_language() == "en"


def test_mails_come_from_the_hospital_at_the_address_of_this_installation(cast, settings):
    cast.hospital.name = 'Canary "Hospital", Oncología'
    settings.DEFAULT_FROM_EMAIL = "visits@hospital.example.test"
    letter = invitation_mail(invited(cast, "en", "UTC"))
    sender = letter.message()["From"]
    assert sender.endswith("<visits@hospital.example.test>")
    assert "," not in str(sender), "one sender, whatever is in the name"


def test_who_invites_chooses_the_language(cast, client):
    from tests.accounts.signing_in import signed_in

    browser = signed_in(client, cast.clinician)
    browser.defaults["HTTP_HOST"] = "localhost"
    page = browser.get("/desk/meetings/new/", secure=True, headers={"accept-language": "es"})
    assert '<option value="es" selected>' in page.content.decode()
    fields = {
        "guest_name": PATIENT_NAME,
        "guest_email": PATIENT_EMAIL,
        "guest_language": "es",
        "starts_at": "2027-01-16T00:30",
        "mode": "private",
    }
    cast.hospital.time_zone = "Europe/Madrid"
    cast.hospital.save()
    answer = browser.post("/desk/meetings/new/", fields, secure=True)
    assert answer.status_code == 200
    assert "Madrid time" in answer.content.decode()
    meeting = Meeting.objects.get()
    assert meeting.starts_at == STARTS_AT, "typed in the hospital's time"
    assert meeting.participations.get().guest.language == "es"
    klingon = browser.post("/desk/meetings/new/", {**fields, "guest_language": "tlh"}, secure=True)
    assert klingon.status_code == 400

"""The officers' desk: one's own organisation, behind MFA, and nothing can be changed there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from access.site import desk
from access.verbs import Verb
from accounts.models import Department, Membership
from audit.models import TrailRow
from foundation.wire.browser import Mode
from media.models import MediaWorker
from meetings.actions import plan
from tests.accounts.signing_in import signed_in
from tests.cast import PATIENT_NAME
from tests.recordings.rows import recorded

PAGES = {
    f"{model._meta.app_label}_{model._meta.model_name}": (model, page.verb)
    for model, page in desk._registry.items()
}
LISTS = [f"admin:{name}_changelist" for name in PAGES]


@pytest.fixture
def rows(cast):
    """One row of each page at both hospitals."""
    cast.planned, _ = cast.meeting()
    for name in ("Canaryward Cardiology", "Canaryward Oncology"):
        Department.objects.create(organisation=cast.elsewhere, name=name)
    Department.objects.create(organisation=cast.hospital, name="Surgery")
    from django.utils import timezone

    cast.foreign, _ = plan.create_meeting(
        cast.acting(cast.stranger),
        cast.elsewhere,
        department=None,
        title="",
        mode=Mode.PRIVATE,
        relay_only=False,
        starts_at=timezone.now(),
        guest=plan.NewGuest("Foreign Patient", "foreign@example.test"),
    )
    MediaWorker.objects.create(name="worker-1", public_key="x" * 43)
    recorded(cast.planned, cast.officer)
    recorded(cast.foreign, cast.foreign_officer)
    return cast


def browser_of(person) -> Client:
    return signed_in(Client(headers={"host": "localhost"}), person)


def of(cast, model):
    """A row of the clinician's hospital."""
    organisation = {"organisation_id": cast.hospital.pk}
    return model.objects.filter(**({} if model is MediaWorker else organisation)).first()


def refusals() -> list[tuple[str, str]]:
    return list(TrailRow.objects.filter(outcome="refused").values_list("tag", "reason"))


@pytest.mark.parametrize("name", PAGES)
def test_an_officer_sees_lists_and_rows_of_their_own_organisation(rows, name):
    client = browser_of(rows.officer)
    assert client.get(reverse(f"admin:{name}_changelist"), secure=True).status_code == 200
    row = of(rows, PAGES[name][0])
    shown = client.get(reverse(f"admin:{name}_change", args=[row.pk]), secure=True)
    assert shown.status_code == 200
    assert not refusals()


def test_the_desk_is_one_list_that_repeats_no_name(rows):
    client = browser_of(rows.officer)
    index = client.get(reverse("admin:index"), secure=True).content.decode()
    for name in LISTS:
        assert index.count(f'href="{reverse(name)}"') == 1
    trail = client.get(reverse("admin:audit_trailrow_changelist"), secure=True).content.decode()
    count = TrailRow.objects.filter(organisation_id=rows.hospital.pk).count()
    assert f"{count} trail entries" in " ".join(trail.split())
    app = client.get("/admin/audit/", secure=True)
    assert (app.status_code, app["Location"]) == (302, reverse("admin:index"))


def test_the_trails_columns_speak_the_officers_language(rows):
    client = browser_of(rows.officer)
    page = client.get(
        reverse("admin:audit_trailrow_changelist"), secure=True, headers={"accept-language": "es"}
    )
    for column in ("Hora", "Suceso", "Resultado", "Motivo", "Quién", "Sobre"):
        assert f">{column}<" in page.content.decode()


def test_an_officer_sees_who_takes_part_and_who_did_what(rows):
    client = browser_of(rows.officer)
    meeting = client.get(
        reverse("admin:meetings_meeting_change", args=[rows.planned.pk]), secure=True
    ).content.decode()
    assert PATIENT_NAME in meeting
    people = client.get(
        reverse("admin:accounts_membership_changelist"), secure=True
    ).content.decode()
    assert "Clara Clinician" in people
    assert "Stan Stranger" not in people


@pytest.mark.parametrize("name", [n for n in PAGES if n != "media_mediaworker"])
def test_an_officer_of_another_hospital_finds_nothing_of_ours(rows, name):
    client = browser_of(rows.foreign_officer)
    shown = client.get(reverse(f"admin:{name}_changelist"), secure=True)
    ours = of(rows, PAGES[name][0])
    assert shown.status_code == 200
    assert str(ours.pk) not in {str(row.pk) for row in shown.context["cl"].queryset}
    assert shown.context["cl"].queryset.exists(), "theirs are shown"
    for door in ("change", "history", "delete"):
        answer = client.get(reverse(f"admin:{name}_{door}", args=[ours.pk]), secure=True)
        assert answer.status_code in {302, 403, 404}
        assert "Clara" not in answer.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_no_list_or_filter_names_another_hospitals_departments(rows, name):
    shown = browser_of(rows.officer).get(reverse(name), secure=True).content.decode()
    assert "Canaryward" not in shown
    theirs = browser_of(rows.foreign_officer).get(reverse(name), secure=True).content.decode()
    assert "General medicine" not in theirs


def test_no_filter_reaches_through_a_relation(rows):
    client = browser_of(rows.officer)
    for query in (
        "created_by__email_index=x",
        "created_by__password__startswith=a",
        "organisation__name__startswith=E",
        f"department__organisation__id={rows.elsewhere.pk}",
    ):
        answer = client.get(f"{reverse('admin:meetings_meeting_changelist')}?{query}", secure=True)
        assert answer.status_code in {302, 400}, query


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["clinician", "colleague", "coordinator", "stranger"])
def test_who_is_neither_officer_nor_administrator_is_refused(rows, name, who):
    client = browser_of(getattr(rows, who))
    answer = client.get(reverse(f"admin:{name}_changelist"), secure=True, follow=True)
    assert answer.status_code == 403
    assert refusals()[-1] == (Verb.ADMIN_OPEN.value, "not_permitted")


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", LISTS)
def test_an_anonymous_browser_is_sent_to_sign_in(name):
    answer = Client().get(reverse(name), secure=True, follow=True)
    assert "/accounts/login/" in answer.redirect_chain[-1][0]


@pytest.mark.parametrize("name", LISTS)
def test_a_password_alone_opens_no_page(rows, name):
    client = signed_in(Client(), rows.officer, mfa=False)
    answer = client.get(reverse(name), secure=True)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")


@pytest.mark.parametrize("name", PAGES)
def test_an_administrator_of_machines_sees_people_and_machines_only(rows, name):
    model, verb = PAGES[name]
    client = browser_of(rows.administrator)
    answer = client.get(reverse(f"admin:{name}_changelist"), secure=True)
    row = client.get(reverse(f"admin:{name}_change", args=[of(rows, model).pk]), secure=True)
    if verb in {Verb.PEOPLE_SHOW, Verb.WORKERS_SHOW}:
        assert (answer.status_code, row.status_code) == (200, 200)
    else:
        assert (answer.status_code, row.status_code) == (403, 403)
        assert refusals() == [(verb.value, "not_permitted")] * 2


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_added_changed_or_removed_at_the_desk(rows, name):
    model = PAGES[name][0]
    row = of(rows, model)
    before = list(model.objects.order_by("pk").values())
    client = browser_of(rows.officer)
    fields = {"name": "changed", "role": "it_administrator", "state": "over", "reason": "mild"}
    urls = [
        (reverse(f"admin:{name}_add"), fields),
        (reverse(f"admin:{name}_change", args=[row.pk]), fields),
        (reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}),
        (
            reverse(f"admin:{name}_changelist"),
            {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
        ),
    ]
    for url, data in urls:
        answer = client.post(url, data, secure=True)
        # A list that is posted to is shown again: it has no actions.
        assert answer.status_code == 403 or "changelist" in answer.resolver_match.url_name
    assert client.get(reverse(f"admin:{name}_add"), secure=True).status_code == 403
    delete = reverse(f"admin:{name}_delete", args=[row.pk])
    assert client.get(delete, secure=True).status_code == 403
    assert list(model.objects.order_by("pk").values())[: len(before)] == before


@pytest.mark.parametrize("name", PAGES)
def test_no_page_offers_a_button_that_changes_something(rows, name):
    row = of(rows, PAGES[name][0])
    client = browser_of(rows.officer)
    for url in (
        reverse(f"admin:{name}_changelist"),
        reverse(f"admin:{name}_change", args=[row.pk]),
    ):
        shown = client.get(url, secure=True).content.decode()
        for button in ('name="_save"', "deletelink", "addlink", 'name="action"'):
            assert button not in shown


def test_a_row_of_another_organisation_is_not_shown_by_its_id(rows):
    client = browser_of(rows.officer)
    foreign = [
        ("meetings_meeting", rows.foreign.pk),
        ("accounts_membership", Membership.objects.get(person=rows.stranger).pk),
        ("audit_trailrow", TrailRow.objects.filter(organisation_id=rows.elsewhere.pk).first().pk),
    ]
    for name, pk in foreign:
        answer = client.get(reverse(f"admin:{name}_change", args=[pk]), secure=True)
        assert answer.status_code in {302, 404}
        for url in (f"/admin/r/1/{pk}/", reverse(f"admin:{name}_history", args=[pk])):
            assert client.get(url, secure=True).status_code in {302, 403, 404}


def test_the_trail_shows_personal_fields_to_their_officer_only(rows):
    from audit import trail

    row_uuid = trail.record(
        rows.acting(rows.clinician),
        "tests:thing:do",
        trail.Outcome.DONE,
        personal={"address": "192.0.2.77"},
    )
    row = TrailRow.objects.get(uuid=row_uuid)
    url = reverse("admin:audit_trailrow_change", args=[row.pk])
    assert b"192.0.2.77" in browser_of(rows.officer).get(url, secure=True).content
    for other in (rows.foreign_officer, rows.administrator, rows.clinician):
        assert b"192.0.2.77" not in browser_of(other).get(url, secure=True, follow=True).content


def test_the_trail_can_be_searched(rows):
    client = browser_of(rows.officer)
    url = reverse("admin:audit_trailrow_changelist")
    found = client.get(f"{url}?q={rows.planned.pk}", secure=True)
    none = client.get(f"{url}?q={rows.foreign.pk}", secure=True)
    assert found.status_code == none.status_code == 200
    assert none.context["cl"].queryset.count() == 0


def test_the_front_door_leads_an_officer_to_the_desk(rows):
    answer = browser_of(rows.officer).get("/", secure=True)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    answer = browser_of(rows.clinician).get("/", secure=True)
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")

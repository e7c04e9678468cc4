"""How a refusal is answered: a problem for programs, a page for people, never a traceback."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from access.verbs import Verb
from audit.models import TrailRow
from tests.accounts.signing_in import signed_in

JSON = {"headers": {"accept": "application/json"}, "secure": True}


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    "url", ["/accounts/2fa/", "/accounts/password/change/", "/accounts/2fa/recovery-codes/"]
)
def test_an_anonymous_browser_is_asked_to_sign_in_for_a_library_page(url):
    answer = Client().get(url, secure=True)
    assert answer.status_code == 401
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.reason) == (Verb.ACCOUNT_MANAGE.value, "sign_in_required")


@pytest.mark.usefixtures("cast")
def test_a_program_gets_a_problem():
    answer = Client().get("/desk/", **JSON)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:consilium:problem:sign_in_required"
    assert problem["code"] == "sign_in_required"
    assert problem["status"] == 401
    assert problem["title"]
    assert problem["detail"]
    row = TrailRow.objects.get(outcome="refused")
    assert (row.tag, row.reason) == (Verb.DESK_OPEN.value, "sign_in_required")
    assert (row.actor, row.subject) == ("anonymous:-", "installation")


@pytest.mark.usefixtures("cast")
def test_a_person_gets_a_page_in_their_language():
    answer = Client().get("/desk/", secure=True, headers={"accept-language": "es"})
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("text/html")
    assert b'lang="es"' in answer.content


def test_a_strangers_look_at_a_meeting_says_that_there_is_nothing(cast):
    meeting, _ = cast.meeting()
    client = signed_in(Client(), cast.stranger)
    there = client.get(f"/desk/meetings/{meeting.pk}/", **JSON)
    nowhere = client.get(f"/desk/meetings/{uuid.uuid4()}/", **JSON)
    assert there.status_code == nowhere.status_code == 404
    assert there.json() == nowhere.json()


@pytest.mark.usefixtures("cast")
def test_plain_http_is_redirected_and_serves_nothing():
    answer = Client(headers={"host": "localhost"}).get("/desk/")
    assert answer.status_code == 301
    assert answer["Location"] == "https://localhost/desk/"


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("url", ["/", "/desk/", "/visit/", "/accounts/login/"])
def test_every_page_carries_the_headers(url):
    answer = Client().get(url, secure=True)
    csp = answer["Content-Security-Policy"]
    assert "default-src 'none'" in csp
    assert "unsafe-inline" not in csp
    assert "unsafe-eval" not in csp
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")
    assert answer["Cache-Control"].find("no-store") >= 0
    assert "camera=(self)" in answer["Permissions-Policy"]

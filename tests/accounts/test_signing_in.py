"""Signing in, as a browser does it: password, then the second factor, each on the trail."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from access.verbs import Verb
from accounts.models import LoginSession, Person
from audit import trail
from audit.models import TrailRow
from consilium.demo import add_totp
from tests.accounts.signing_in import signed_in
from tests.cast import PASSWORD
from tests.vault.test_sealed_columns import everything_stored

EMAIL = "clara.clinician@example.test"
LOGIN = "/accounts/login/"
FACTOR = "/accounts/2fa/authenticate/"
SETUP = "/accounts/2fa/totp/activate/"
USE = "/accounts/2fa/reauthenticate/"


@pytest.fixture(scope="module")
def hashed() -> str:
    """The password as it is stored; to make that takes longer than most of these tests."""
    return make_password(PASSWORD)


@pytest.fixture
def clinician(cast, hashed) -> Person:
    cast.clinician.password = hashed
    cast.clinician.save()
    return cast.clinician


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": "localhost"})


def code_of(secret: str) -> str:
    counters = list(yield_hotp_counters_from_time())
    return f"{hotp_value(secret, counters[len(counters) // 2]):06d}"


def wrong_code(secret: str) -> str:
    right = {f"{hotp_value(secret, counter):06d}" for counter in yield_hotp_counters_from_time()}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def type_password(browser: Client, password: str, email: str = EMAIL):
    return browser.post(LOGIN, {"login": email, "password": password}, secure=True)


def entries(tag: str) -> list[tuple[str, str]]:
    return list(TrailRow.objects.filter(tag=tag).values_list("outcome", "reason"))


SIGN_IN = "accounts:session:sign_in"
ADDED, REMOVED = "accounts:second_factor:add", "accounts:second_factor:remove"
CHANGED = "accounts:password:change"
CHANGE = "/accounts/password/change/"


def test_a_wrong_password_lets_nobody_in(clinician, browser):
    answer = type_password(browser, "wrong")
    assert answer.status_code == 200
    assert "_auth_user_id" not in browser.session
    assert entries(SIGN_IN) == [("refused", "credentials_wrong")]
    row = TrailRow.objects.get(tag=SIGN_IN)
    assert row.subject == f"person:{clinician.pk}"
    assert row.actor == "anonymous:-"
    assert "example.test" not in row.body
    assert trail.personal_fields(row) == {"address": "127.0.0.1"}


def test_an_unknown_address_reads_like_a_wrong_password(clinician, browser):
    known = type_password(browser, "wrong").content
    unknown = type_password(browser, "wrong", "nobody@example.test").content
    token = rb'name="csrf(?:middlewaretoken" value|-token" content)="[^"]+"'
    masked = [
        re.sub(token, b"", content).replace(b"nobody@", b"clara.clinician@")
        for content in (known, unknown)
    ]
    assert masked[0] == masked[1]
    assert entries(SIGN_IN) == [("refused", "credentials_wrong")] * 2
    assert "nobody@" not in everything_stored()


def test_what_was_typed_as_an_address_is_kept_nowhere(clinician, browser):
    type_password(browser, PASSWORD, "my-password-in-the-wrong-field@example.test")
    assert "my-password" not in everything_stored()


def test_the_right_password_leads_to_the_second_factor_and_no_further(clinician, browser):
    add_totp(clinician)
    answer = type_password(browser, PASSWORD)
    assert answer.status_code == 302
    assert answer["Location"].startswith(FACTOR)
    assert browser.get("/desk/", secure=True).status_code in {302, 401}
    assert entries(SIGN_IN) == []


def test_a_wrong_second_factor_lets_nobody_in(clinician, browser):
    secret = add_totp(clinician)
    type_password(browser, PASSWORD)
    answer = browser.post(FACTOR, {"code": wrong_code(secret)}, secure=True)
    assert answer.status_code == 200
    assert browser.get("/desk/", secure=True).status_code in {302, 401}
    assert entries(SIGN_IN) == [("refused", "second_factor_wrong")]
    row = TrailRow.objects.get(tag=SIGN_IN)
    assert (row.actor, row.subject) == ("anonymous:-", f"person:{clinician.pk}")
    assert trail.personal_fields(row) == {"address": "127.0.0.1"}


def test_the_right_second_factor_opens_the_desk(clinician, browser):
    secret = add_totp(clinician)
    type_password(browser, PASSWORD, EMAIL.upper())
    answer = browser.post(FACTOR, {"code": code_of(secret)}, secure=True)
    assert answer.status_code == 302
    assert browser.get("/desk/", secure=True).status_code == 200
    assert entries(SIGN_IN) == [("done", "")]
    row = TrailRow.objects.get(tag=SIGN_IN)
    assert row.actor == f"person:{clinician.pk}"


def test_a_code_serves_once(clinician, browser):
    secret = add_totp(clinician)
    code = code_of(secret)
    type_password(browser, PASSWORD)
    assert browser.post(FACTOR, {"code": code}, secure=True).status_code == 302
    other = Client(headers={"host": "localhost"})
    type_password(other, PASSWORD)
    assert other.post(FACTOR, {"code": code}, secure=True).status_code == 200


def test_a_code_serves_once_for_as_long_as_it_is_taken(clinician, browser):
    """allauth forgets a code after one step, before it has run out."""
    secret = add_totp(clinician)
    code = code_of(secret)
    type_password(browser, PASSWORD)
    assert browser.post(FACTOR, {"code": code}, secure=True).status_code == 302
    for again in (code, f"{code[:3]} {code[3:]}"):
        cache.delete(f"allauth.mfa.totp.used?user={clinician.pk}&code={code}")
        other = Client(headers={"host": "localhost"})
        type_password(other, PASSWORD)
        assert other.post(FACTOR, {"code": again}, secure=True).status_code == 200
    assert entries(SIGN_IN).count(("refused", "second_factor_wrong")) == 2


@pytest.mark.parametrize(("steps", "answer"), [(-2, 200), (-1, 302), (1, 302), (2, 200)])
def test_a_phone_may_be_half_a_minute_off(clinician, browser, monkeypatch, steps, answer):
    secret = add_totp(clinician)
    # So that no step ends in between.
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: now)
    code = f"{hotp_value(secret, int(now) // 30 + steps):06d}"
    type_password(browser, PASSWORD)
    assert browser.post(FACTOR, {"code": code}, secure=True).status_code == answer


def test_a_second_factor_without_a_password_leads_nowhere(clinician, browser):
    secret = add_totp(clinician)
    answer = browser.post(FACTOR, {"code": code_of(secret)}, secure=True)
    assert answer.status_code == 302
    assert answer["Location"].startswith(LOGIN)


def test_staff_without_a_second_factor_set_one_up_and_then_work(clinician, browser):
    answer = type_password(browser, PASSWORD)
    assert answer.status_code == 302
    answer = browser.get("/desk/", secure=True)
    assert (answer.status_code, answer["Location"]) == (302, SETUP)
    page = browser.get(SETUP, secure=True)
    assert page.status_code == 200, "the password was typed a moment ago"
    secret = page.context["form"].secret
    answer = browser.post(SETUP, {"code": wrong_code(secret)}, secure=True)
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()
    secret = answer.context["form"].secret
    answer = browser.post(SETUP, {"code": code_of(secret)}, secure=True)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/recovery-codes/")
    assert browser.get(answer["Location"], secure=True).status_code == 200
    assert entries(ADDED) == [("done", "")] * 2, "TOTP and recovery codes"
    # Having one is not having used it in this sign-in.
    answer = browser.get("/desk/", secure=True)
    assert (answer.status_code, answer["Location"]) == (302, USE)
    answer = browser.post(USE, {"code": code_of(secret)}, secure=True)
    assert answer.status_code == 302
    assert browser.get("/desk/", secure=True).status_code == 200
    assert secret not in everything_stored()


def recently_signed_in(person: Person, minutes_ago: float) -> Client:
    """``person``'s browser, whose sign-in with a second factor was then."""
    client = signed_in(Client(headers={"host": "localhost"}), person)
    session = client.session
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    for record in records:
        record["at"] -= 60 * minutes_ago
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session.save()
    return client


def test_after_a_while_the_password_is_asked_for_again(clinician):
    assert recently_signed_in(clinician, 4).get(SETUP, secure=True).status_code == 200
    answer = recently_signed_in(clinician, 6).get(SETUP, secure=True)
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_second_factor_whose_entry_cannot_be_written_is_not_added(
    clinician, browser, monkeypatch
):
    type_password(browser, PASSWORD)
    secret = browser.get(SETUP, secure=True).context["form"].secret
    monkeypatch.setattr(trail, "record", no_trail)
    with pytest.raises(DatabaseError):
        browser.post(SETUP, {"code": code_of(secret)}, secure=True)
    assert not Authenticator.objects.exists()


def test_a_second_factor_whose_entry_cannot_be_written_is_not_removed(clinician, monkeypatch):
    add_totp(clinician)
    client = recently_signed_in(clinician, 0)
    monkeypatch.setattr(trail, "record", no_trail)
    with pytest.raises(DatabaseError):
        client.post("/accounts/2fa/totp/deactivate/", secure=True)
    # Django deletes in a transaction without a savepoint: here it is the test's that is undone.
    assert connection.needs_rollback


def test_removing_a_second_factor_is_on_the_trail(clinician):
    add_totp(clinician)
    answer = recently_signed_in(clinician, 0).post("/accounts/2fa/totp/deactivate/", secure=True)
    assert answer.status_code == 302
    assert not Authenticator.objects.exists()
    assert entries(REMOVED) == [("done", "")]


NEW = "an entirely different staple"


def change_password(client: Client):
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    return client.post(CHANGE, fields, secure=True)


def test_a_changed_password_is_on_the_trail(clinician):
    assert change_password(recently_signed_in(clinician, 0)).status_code == 302
    clinician.refresh_from_db()
    assert clinician.check_password(NEW)
    row = TrailRow.objects.get(tag=CHANGED)
    assert (row.outcome, row.actor) == ("done", f"person:{clinician.pk}")
    assert NEW not in everything_stored()


def test_a_password_whose_entry_cannot_be_written_is_not_changed(clinician, monkeypatch):
    client = recently_signed_in(clinician, 0)
    monkeypatch.setattr(trail, "record", no_trail)
    with pytest.raises(DatabaseError):
        change_password(client)
    clinician.refresh_from_db()
    assert clinician.check_password(PASSWORD)


def no_trail(*args: object, **kwargs: object) -> None:
    raise DatabaseError("the trail cannot be written")


OUTSIDE = [
    "/",
    "/desk/",
    "/desk/meetings/new/",
    "/admin/",
    "/admin/audit/trailrow/",
    "/visit/",
    "/accounts/password/change/",
    "/nowhere/",
]


@pytest.mark.parametrize("url", OUTSIDE)
@pytest.mark.parametrize("who", ["clinician", "officer", "administrator", "coordinator"])
def test_staff_without_a_second_factor_open_nothing_else(cast, who, url):
    client = signed_in(Client(), getattr(cast, who), mfa=False)
    answer = client.get(url, secure=True)
    assert (answer.status_code, answer["Location"]) == (302, SETUP)


@pytest.mark.parametrize("url", OUTSIDE)
def test_staff_with_an_unused_second_factor_must_use_it(cast, url):
    add_totp(cast.clinician)
    client = signed_in(Client(), cast.clinician, mfa=False)
    answer = client.get(url, secure=True)
    assert (answer.status_code, answer["Location"]) == (302, USE)


def test_staff_cannot_post_past_the_second_factor(cast):
    meeting, _ = cast.meeting()
    client = signed_in(Client(), cast.clinician, mfa=False)
    answer = client.post(f"/desk/meetings/{meeting.pk}/end/", secure=True)
    assert answer.status_code == 302
    meeting.refresh_from_db()
    assert meeting.state == "planned"


def test_a_disabled_person_is_signed_out_at_once(cast):
    client = signed_in(Client(), cast.clinician)
    assert client.get("/desk/", secure=True).status_code == 200
    Person.objects.filter(pk=cast.clinician.pk).update(is_active=False)
    assert client.get("/desk/", secure=True).status_code == 401


def test_a_disabled_person_cannot_sign_in(clinician, browser):
    Person.objects.filter(pk=clinician.pk).update(is_active=False)
    type_password(browser, PASSWORD)
    assert browser.get("/desk/", secure=True).status_code == 401


def test_nobody_signs_up(browser, cast):
    before = Person.objects.count()
    answer = browser.post(
        "/accounts/signup/", {"username": "x", "password1": PASSWORD}, secure=True
    )
    assert answer.status_code == 403
    assert Person.objects.count() == before


def test_too_many_wrong_passwords_are_throttled(clinician, browser):
    for _ in range(12):
        answer = type_password(browser, "wrong")
    assert "_auth_user_id" not in browser.session
    answer = type_password(browser, PASSWORD)
    assert answer.status_code in {200, 429}
    assert "_auth_user_id" not in browser.session
    reasons = [reason for _, reason in entries(SIGN_IN)]
    assert reasons[0] == "credentials_wrong"
    assert reasons[-1] == "too_many_attempts"
    assert len(reasons) == 13, "each of them"


def test_too_many_wrong_second_factors_are_throttled_and_on_the_trail(clinician, browser):
    secret = add_totp(clinician)
    type_password(browser, PASSWORD)
    for _ in range(12):
        browser.post(FACTOR, {"code": wrong_code(secret)}, secure=True)
    browser.post(FACTOR, {"code": code_of(secret)}, secure=True)
    assert "_auth_user_id" not in browser.session
    reasons = [reason for _, reason in entries(SIGN_IN)]
    assert set(reasons) == {"second_factor_wrong", "too_many_attempts"}
    assert len(reasons) == 13


def test_whoever_sends_the_form_too_often_gets_a_page_and_an_entry(clinician, browser):
    """Thirty sign-ins a minute from one address, whoever they are for."""
    for number in range(31):
        answer = type_password(browser, "wrong", f"nobody-{number}@example.test")
    assert answer.status_code == 429
    assert b'data-problem="too_many_attempts"' in answer.content
    row = TrailRow.objects.latest("id")
    assert (row.tag, row.outcome) == (Verb.DOOR_KNOCK.value, "refused")
    assert row.reason == "too_many_attempts"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The e-mail address or the password is not right."),
        ("es", "La dirección de correo o la contraseña no son correctas."),
    ],
)
def test_the_error_speaks_of_the_address_that_was_typed(clinician, browser, language, words):
    browser.cookies["django_language"] = language
    answer = type_password(browser, "wrong").content.decode()
    assert words in answer
    assert "username and" not in answer


def test_signing_in_renews_the_sessions_key(clinician, browser):
    secret = add_totp(clinician)
    type_password(browser, PASSWORD)
    before = browser.cookies["__Host-session"].value
    browser.post(FACTOR, {"code": code_of(secret)}, secure=True)
    assert browser.cookies["__Host-session"].value != before
    old = Client(headers={"host": "localhost"})
    old.cookies["__Host-session"] = before
    assert old.get("/desk/", secure=True).status_code == 401


def test_signing_out_ends_the_session_and_is_on_the_trail(cast):
    client = signed_in(Client(), cast.clinician)
    client.post("/accounts/logout/", secure=True)
    assert entries("accounts:session:sign_out") == [("done", "")]
    assert client.get("/desk/", secure=True).status_code == 401
    assert not LoginSession.objects.filter(session_data__contains="clinician").exists()


def test_cookies_are_for_this_host_over_tls_and_out_of_scripts_reach(clinician, browser):
    browser.get(LOGIN, secure=True)
    add_totp(clinician)
    type_password(browser, PASSWORD)
    for name in ("__Host-session", "__Host-csrf"):
        morsel = browser.cookies[name]
        assert morsel["secure"]
        assert morsel["httponly"]
        assert morsel["path"] == "/"
        assert not morsel["domain"]
        assert morsel["samesite"] in {"Lax", "Strict"}


def test_no_page_sends_the_second_factors_secret_again(cast):
    secret = add_totp(cast.clinician)
    client = signed_in(Client(), cast.clinician)
    for name in ("mfa_index", "mfa_reauthenticate"):
        assert secret.encode() not in client.get(reverse(name), secure=True).content
    assert secret not in everything_stored()


def test_people_stand_in_the_database_without_their_names(cast):
    stored = everything_stored().casefold()
    for person in Person.objects.all():
        assert person.email not in stored
        assert person.full_name.casefold() not in stored
    assert len({person.email_index for person in Person.objects.all()}) == Person.objects.count()


def test_one_address_makes_one_account(cast):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create_person(f"  {EMAIL.upper()} ", "Another Clara")

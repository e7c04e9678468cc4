"""Browser sessions that a stolen database can't resume."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import LoginSession
from accounts.sessions import SessionStore
from tests.accounts.signing_in import signed_in
from tests.vault.test_sealed_columns import everything_stored
from vault import keyring
from vault.models import OrganisationKey

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture
def stored(cast) -> SessionStore:
    store = SessionStore()
    store["name"] = "Canaryname"
    store.save()
    return store


def test_the_cookies_key_is_nowhere_in_the_database(cast):
    client = signed_in(Client(), cast.clinician)
    cookie = client.cookies["__Host-session"].value
    assert LoginSession.objects.count() == 1
    dumped = everything_stored()
    assert cookie not in dumped
    assert str(cast.clinician.pk) not in LoginSession.objects.get().session_data
    assert LoginSession.objects.get().session_key in dumped, "the search finds what is there"


def test_the_content_is_sealed(stored):
    row = LoginSession.objects.get()
    assert row.session_data.startswith("s1.")
    assert "Canaryname" not in row.session_data
    assert SessionStore(stored.session_key)["name"] == "Canaryname"


def test_the_stored_hash_is_no_key(stored):
    """Whoever read the table can't come in with what they read."""
    assert SessionStore(LoginSession.objects.get().session_key).load() == {}


@pytest.mark.parametrize("key", ["", "x", "a" * 32, "' OR 1=1 --", "ünïcode", None])
def test_an_unknown_key_opens_nothing(stored, key):
    assert SessionStore(key).load() == {}
    assert not SessionStore().exists(key or "")


def test_a_session_under_a_key_that_is_gone_is_empty(stored):
    other = keyring.active_key_id(None)
    row = LoginSession.objects.get()
    prefix, _, rest = row.session_data.split(".")
    organisation = OrganisationKey.objects.exclude(pk=other).first()
    for wrong in (organisation.pk.hex, "0" * 32):
        LoginSession.objects.update(session_data=f"{prefix}.{wrong}.{rest}")
        assert SessionStore(stored.session_key).load() == {}


def test_content_moved_from_another_session_is_what_it_is_but_garbage_is_empty(stored):
    LoginSession.objects.update(session_data="garbage")
    assert SessionStore(stored.session_key).load() == {}


def test_an_expired_session_is_empty_and_is_swept(stored):
    LoginSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert SessionStore(stored.session_key).load() == {}
    SessionStore.clear_expired()
    assert not LoginSession.objects.exists()


def test_deleting_and_renaming_reach_the_row(stored):
    old = stored.session_key
    stored.cycle_key()
    assert stored.session_key != old
    assert SessionStore(old).load() == {}
    assert SessionStore(stored.session_key)["name"] == "Canaryname"
    assert LoginSession.objects.count() == 1
    stored.delete()
    assert not LoginSession.objects.exists()


def test_a_session_that_was_ended_elsewhere_is_not_made_again(stored):
    from django.contrib.sessions.backends.base import UpdateError

    LoginSession.objects.all().delete()
    stored["more"] = 1
    with pytest.raises(UpdateError):
        stored.save()
    assert not LoginSession.objects.exists()

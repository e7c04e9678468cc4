"""Sealed text opens where it was sealed and nowhere else."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault import keyring, sealing
from vault.models import OrganisationKey
from vault.sealing import SealBroken

LABEL = "tests.row.column"
TEXT = "Rosa Canaryname, born 1957-03-02 – ünïcode ☂"


@pytest.fixture
def sealed(cast) -> str:
    return sealing.seal(cast.hospital.pk, LABEL, TEXT)


def test_what_was_sealed_opens(sealed):
    assert sealing.open_sealed(LABEL, sealed) == TEXT
    assert "Canary" not in sealed


def test_the_installation_has_a_key_of_its_own(cast):
    assert sealing.open_sealed(LABEL, sealing.seal(None, LABEL, TEXT)) == TEXT
    assert keyring.active_key_id(None) != keyring.active_key_id(cast.hospital.pk)


def test_sealing_twice_gives_two_texts(cast, sealed):
    assert sealing.seal(cast.hospital.pk, LABEL, TEXT) != sealed


def test_text_moved_to_another_column_does_not_open(sealed):
    with pytest.raises(SealBroken):
        sealing.open_sealed("tests.row.other", sealed)


def test_text_under_another_organisations_key_does_not_open(cast, sealed):
    prefix, _, rest = sealed.split(".")
    other = keyring.active_key_id(cast.elsewhere.pk)
    with pytest.raises(SealBroken):
        sealing.open_sealed(LABEL, f"{prefix}.{other.hex}.{rest}")


def test_every_changed_character_is_noticed(sealed):
    for at in range(len(sealed)):
        changed = "A" if sealed[at] != "A" else "B"
        with pytest.raises(SealBroken):
            sealing.open_sealed(LABEL, sealed[:at] + changed + sealed[at + 1 :])


def test_every_truncation_is_noticed(sealed):
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealing.open_sealed(LABEL, sealed[:length])


def test_a_key_that_is_gone_opens_nothing(cast, sealed):
    OrganisationKey.objects.filter(organisation_id=cast.hospital.pk).delete()
    keyring.forget_cached_keys()
    with pytest.raises(SealBroken):
        sealing.open_sealed(LABEL, sealed)


@pytest.mark.usefixtures("cast")
def test_other_ways_to_write_the_same_bytes_are_refused(sealed):
    prefix, key, encoded = sealed.split(".")
    raw = base64.urlsafe_b64decode(encoded)
    for other in (
        f"{prefix}.{uuid.UUID(key)}.{encoded}",
        f"{prefix}.{key.upper()}.{encoded}",
        f"{prefix}.{{{key}}}.{encoded}",
        f"{prefix}.{key}.!{encoded}",
        f"{prefix}.{key}.{encoded[:8]} {encoded[8:]}",
        f"{prefix}.{key}.{encoded}\n",
        f" {sealed}",
        f"s2.{key}.{encoded}",
        f"{prefix}.{key}.{base64.b64encode(raw).decode()}x",
    ):
        with pytest.raises(SealBroken):
            sealing.open_sealed(LABEL, other)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "...",
        "s1",
        "s1..",
        "s1.00.",
        TEXT,
        f"s1.{'0' * 32}.AAAA",
        "\ud800",
        "\0",
    ],
)
def test_garbage_is_refused(garbage):
    with pytest.raises(SealBroken):
        sealing.open_sealed(LABEL, garbage)


@pytest.mark.usefixtures("cast")
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back(text):
    assert sealing.open_sealed(LABEL, sealing.seal(None, LABEL, text)) == text


@pytest.mark.usefixtures("cast")
@given(text=st.text(max_size=100))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_a_stranger_opens(text):
    with pytest.raises(SealBroken):
        sealing.open_sealed(LABEL, text)


@pytest.mark.django_db
def test_without_a_key_nothing_is_stored_in_clear():
    with pytest.raises(keyring.KeyMissing):
        sealing.seal(uuid.uuid4(), LABEL, TEXT)


def test_an_index_is_equal_for_equal_texts_only(cast):
    here, there = cast.hospital.pk, cast.elsewhere.pk
    assert sealing.index(here, LABEL, "a@b") == sealing.index(here, LABEL, "a@b")
    others = {
        sealing.index(here, LABEL, "a@c"),
        sealing.index(here, "tests.row.other", "a@b"),
        sealing.index(there, LABEL, "a@b"),
        sealing.index(None, LABEL, "a@b"),
    }
    assert len(others | {sealing.index(here, LABEL, "a@b")}) == 5


@pytest.mark.usefixtures("cast")
def test_a_keyed_hash_is_stable_and_of_its_label():
    assert sealing.keyed_hash("session", "x") == sealing.keyed_hash("session", "x")
    assert sealing.keyed_hash("session", "x") != sealing.keyed_hash("seat", "x")
    assert sealing.keyed_hash("session", "x") != sealing.keyed_hash("session", "y")
    assert len(sealing.keyed_hash("session", "")) == 64


def test_hash_index_and_seal_share_no_key(cast):
    key = keyring.active_key_id(cast.hospital.pk)
    derived = {keyring.derived(key, purpose) for purpose in ("seal", "hash/a", "index/a", "a")}
    assert len(derived) == 4


def test_keys_survive_the_end_of_the_process(sealed):
    keyring.forget_cached_keys()
    assert sealing.open_sealed(LABEL, sealed) == TEXT


def test_an_organisation_has_one_active_key(cast):
    from django.db import IntegrityError, transaction

    with transaction.atomic(), pytest.raises(IntegrityError):
        keyring.make_key(cast.hospital.pk)

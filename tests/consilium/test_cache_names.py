"""Whom a throttle counts is not to be read in the cache."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.test import override_settings

from consilium.cache_names import hidden


def test_a_name_cannot_be_read_and_is_found_again():
    name = hidden("throttle_redeem_203.0.113.5", "", 1)
    assert name == hidden("throttle_redeem_203.0.113.5", "", 1)
    assert len(name) == 64
    assert name != hidden("throttle_redeem_203.0.113.6", "", 1)
    assert name != hidden("throttle_redeem_203.0.113.5", "", 2)


def test_who_does_not_have_the_secret_cannot_try_addresses_out():
    name = hidden("throttle_redeem_203.0.113.5", "", 1)
    with override_settings(SECRET_KEY="somebody else's guess"):
        assert name != hidden("throttle_redeem_203.0.113.5", "", 1)


def test_the_cache_goes_by_such_names():
    assert settings.CACHES["default"]["KEY_FUNCTION"] == "consilium.cache_names.hidden"
    cache.set("a name", "a value", 5)
    assert cache.make_key("a name") == hidden("a name", "", 1)
    assert cache.get("a name") == "a value"

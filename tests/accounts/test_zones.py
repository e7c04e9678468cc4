"""An organisation's time zone: what is one, and what people call it."""

from __future__ import annotations

from datetime import UTC

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.zones import check_zone, zone, zone_words


@pytest.mark.parametrize("name", ["UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires"])
def test_a_place_is_a_zone(name):
    check_zone(name)
    assert str(zone(name)) == name


@pytest.mark.parametrize(
    "name", ["", "CET", "+02:00", "Etc/GMT+2", "Europe/Nowhere", "../Europe/Madrid", "/etc/passwd"]
)
def test_what_nobody_would_read_as_a_place_is_no_zone(name):
    with pytest.raises(ValidationError):
        check_zone(name)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "/etc/passwd", ""])
def test_a_zone_that_this_machine_does_not_know_is_told_as_utc(name):
    assert zone(name) is UTC


def test_a_zone_is_called_by_its_city():
    assert zone_words("UTC") == "UTC"
    assert zone_words("America/New_York") == "New York time"
    with translation.override("es"):
        assert zone_words("America/Argentina/Buenos_Aires") == "hora de Buenos Aires"

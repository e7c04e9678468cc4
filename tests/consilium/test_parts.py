"""What the libraries of the real parts are told: who is checked, what is given up, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from consilium import parts

AUTHORITY = Path("/etc/hospital/ca.pem")
FAR = "postgresql://me:p%40ss@db.example.test:5433/consilium"


def test_sqlite_waits_for_its_turn(tmp_path: Path) -> None:
    options = parts.sqlite(tmp_path)["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_a_database_is_read_from_its_url() -> None:
    read = parts.postgresql(FAR, None, {})
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("db.example.test", 5433, "consilium")
    assert (read["USER"], read["PASSWORD"]) == ("me", "p@ss")
    assert read["OPTIONS"]["pool"]["max_size"] == 16
    assert "statement_timeout" in read["OPTIONS"]["options"]


@pytest.mark.parametrize(
    ("url", "inherited", "mode", "root"),
    [
        (FAR, {}, "verify-full", "system"),
        ("postgresql://me@localhost/consilium", {}, None, None),
        (f"{FAR}?sslmode=require", {}, "require", None),
        (f"{FAR}?sslrootcert=/own.pem", {}, "verify-full", "/own.pem"),
        (FAR, {"PGSSLMODE": "verify-ca", "PGSSLROOTCERT": "/x"}, None, None),
    ],
)
def test_a_database_in_the_network_proves_who_it_is(url, inherited, mode, root) -> None:
    options = parts.postgresql(url, None, inherited)["OPTIONS"]
    assert options.get("sslmode") == mode
    assert options.get("sslrootcert") == root


def test_the_operators_authority_takes_the_place_of_the_systems() -> None:
    assert parts.postgresql(FAR, AUTHORITY, {})["OPTIONS"]["sslrootcert"] == str(AUTHORITY)
    assert parts.redis("rediss://:pw@redis.example.test/0", AUTHORITY) == (
        "rediss://:pw@redis.example.test/0"
        "?ssl_cert_reqs=required&ssl_ca_certs=%2Fetc%2Fhospital%2Fca.pem"
    )


def test_redis_without_tls_is_left_alone() -> None:
    assert parts.redis("redis://localhost", AUTHORITY) == "redis://localhost"


def test_the_tests_stand_on_the_database_they_were_told_to(db) -> None:
    """So that a run on PostgreSQL is one."""
    import os

    from django.db import connection

    wanted = os.environ.get("CONSILIUM_TEST_DATABASE", "sqlite")
    assert connection.vendor == wanted
    assert settings.DATABASES["default"]["ENGINE"].endswith(wanted.replace("sqlite", "sqlite3"))

"""The parts an installation stands on, and what their libraries are told: from one URL each.

Whoever is reached over a network proves who they are: by ``authority``, a PEM file of the
operator's, or by the system's roots. What the URL itself says about that stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

#: Connections of one process. Sockets use eight threads (``outbox.database``), requests a thread
#: each; who waits longer than this for one is told so instead of hanging.
POOL = {"min_size": 1, "max_size": 16, "timeout": 10.0}

#: What PostgreSQL ends by itself: a statement nobody waits for any more, a lock that does not come,
#: a transaction whose process hangs with its locks. SQLite's writers wait 10 s for a lock, too.
SERVER_SETTINGS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_this_machine(url: str) -> bool:
    """Whether what ``url`` names is reached without a network."""
    parts = urlsplit(url)
    return parts.scheme == "unix" or parts.hostname in _THIS_MACHINE


def sqlite(data: Path) -> dict[str, Any]:
    """Django's settings of the embedded database, one file in ``data``."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "consilium.sqlite3",
        # Opening the file and its pragmas cost more than most queries.
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # IMMEDIATE: a writer waits for its turn at BEGIN; without it, four writers saw
            # "database is locked" in 42 of 100 transactions.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": data / "test.sqlite3"},
    }


def postgresql(url: str, authority: Path | None, inherited: Mapping[str, str]) -> dict[str, Any]:
    """Django's settings of the database at ``url``.

    What follows its ``?`` are libpq's options. Its own variables (``PGSSLMODE``) in ``inherited``
    stand where the URL says nothing.
    """
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "connect_timeout": 5,
        "application_name": "consilium",
        "options": " ".join(f"-c {name}={value}" for name, value in SERVER_SETTINGS.items()),
    }
    if "PGSSLMODE" not in inherited and not is_this_machine(url):
        options["sslmode"] = "verify-full"
    if "PGSSLROOTCERT" not in inherited:
        options["sslrootcert"] = str(authority) if authority else "system"
    options |= dict(parse_qsl(parts.query))
    mode = options.get("sslmode") or inherited.get("PGSSLMODE", "prefer")
    if not mode.startswith("verify-") and options.get("sslrootcert") == "system":
        del options["sslrootcert"]  # libpq takes the system's roots for verify-full alone
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        # A connection that a restart of the server broke is replaced before it is given out.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**options, "pool": dict(POOL)},
    }


def is_verified_postgresql(url: str, inherited: Mapping[str, str]) -> bool:
    """Whether nobody can stand between us and the database at ``url``."""
    options = postgresql(url, None, inherited)["OPTIONS"]
    mode = options.get("sslmode") or inherited.get("PGSSLMODE")
    return is_this_machine(url) or mode == "verify-full"


def redis(url: str, authority: Path | None) -> str:
    """``url`` as all three clients take it: the channel layer's, the cache's and Celery's.

    Celery's does without a check of the certificate unless it is told to check.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return url
    options = {"ssl_cert_reqs": "required"}
    if authority is not None:
        options["ssl_ca_certs"] = str(authority)
    options |= dict(parse_qsl(parts.query))
    return parts._replace(query=urlencode(options)).geturl()


def channel_layer_host(url: str) -> dict[str, Any]:
    """``url`` for the channel layer, which waits for messages by a question of five seconds.

    The client gives up an answer after five seconds of its own accord. Whichever was first decided
    whether a socket that nobody had anything to tell was cut.
    """
    return {"address": url, "socket_connect_timeout": 5, "socket_timeout": 15}

"""What an installation for patients may not be started with, one sentence for each mistake.

Every process asks when it reads its environment (``environment.load``), so none of them runs on a
part that loses messages, keeps mails as files or is reached in the clear. A sentence names the
variable that has to change and says to what. No secret is repeated in one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from consilium import parts

if TYPE_CHECKING:
    from consilium.environment import Environment

#: A password that a machine types: 16 random letters and digits are beyond guessing.
SECRET_CHARACTERS = 16

#: Random text of that length has more different characters than this; `aaaa…` and `123123…` don't.
DIFFERENT_CHARACTERS = 8

#: What stands in examples until somebody puts a secret there.
_PLACEHOLDER = re.compile(
    r"change.?me|changeit|example|insecure|password|passw0rd|secret|…|xxxx", re.IGNORECASE
)

_MAKE_ONE = "make one with: openssl rand -hex 32"


def mistakes(environment: Environment, inherited: Mapping[str, str] = os.environ) -> list[str]:
    """The sentences; none when nothing is wrong. The data directory is looked at, nothing else."""
    return [
        *_embedded(environment),
        *_in_the_clear(environment, inherited),
        *_weak(environment),
        *_open_to_others(environment),
    ]


def _embedded(environment: Environment) -> Iterator[str]:
    """Parts that are for one machine and for trying out."""
    if environment.database_url is None:
        yield (
            "DATABASE_URL must be set in production, for SQLite is for one machine:"
            " postgresql://consilium:…@db.example.test/consilium"
        )
    if environment.redis_url is None:
        yield (
            "REDIS_URL must be set in production, for without it messages stay within one process"
            " and work lies in files: rediss://:…@redis.example.test"
        )
    if environment.smtp_url is None:
        yield (
            "SMTP_URL must be set in production, for without it mails with links and codes are"
            " files and reach nobody: smtp://consilium:…@mail.example.test:587"
        )
    if not environment.storage_url.startswith("s3://"):
        yield (
            "CONSILIUM_STORAGE_URL must be a bucket with Object Lock in production, for whoever can"
            " write in a directory can delete there: s3://bucket/prefix?endpoint=https://…"
        )
    if not any(url.startswith("turns:") for url in environment.turn_urls):
        yield (
            "TURN_URLS must name a relay by TLS in production, for other ways are shut in many"
            " hospitals: turns:turn.example.test:443?transport=tcp"
        )
    if environment.demo:
        yield (
            "CONSILIUM_DEMO has no place in production: set it to 0, and begin with an empty"
            " database if the demo has been in this one"
        )


def _in_the_clear(environment: Environment, inherited: Mapping[str, str]) -> Iterator[str]:
    """What travels a network, and could be read or answered by somebody else there."""
    if (url := _text(environment.database_url)) and not parts.is_verified_postgresql(
        url, inherited
    ):
        yield (
            "DATABASE_URL must not weaken the check of the server's certificate: leave sslmode out"
            " (and PGSSLMODE), or set it to verify-full"
        )
    url = _text(environment.redis_url)
    if url.startswith("redis://") and not parts.is_this_machine(url):
        yield "REDIS_URL must begin with rediss:// when Redis is on another machine"
    if "ssl_cert_reqs=" in url or "ssl_check_hostname=" in url:
        yield "REDIS_URL must not change how the certificate is checked: leave ssl_… out"


def _weak(environment: Environment) -> Iterator[str]:
    secrets = {
        "CONSILIUM_SECRET_KEY": _text(environment.secret_key),
        "TURN_SECRET": _text(environment.turn_secret),
        "CONSILIUM_STORAGE_SECRET_KEY": _text(environment.storage_secret_key),
        "DATABASE_URL": _password(_text(environment.database_url)),
        "REDIS_URL": _password(_text(environment.redis_url)),
    }
    urls = {"DATABASE_URL": environment.database_url, "REDIS_URL": environment.redis_url}
    if not secrets["CONSILIUM_SECRET_KEY"]:
        yield f"CONSILIUM_SECRET_KEY must be set in production: {_MAKE_ONE}"
    for variable, url in urls.items():
        if url is not None and not secrets[variable] and not parts.is_this_machine(_text(url)):
            yield f"{variable} must hold a password in production: {_MAKE_ONE}"
    for variable, secret in secrets.items():
        if secret and not _is_strong(secret):
            what = f"the password in {variable}" if variable in urls else variable
            yield f"{what} can be guessed or comes from an example: {_MAKE_ONE}"
    seen: dict[str, str] = {}
    for variable, secret in secrets.items():
        if secret and (first := seen.setdefault(secret, variable)) != variable:
            yield f"{variable} holds the same secret as {first}: {_MAKE_ONE}"


def _open_to_others(environment: Environment) -> Iterator[str]:
    """Files that open everything; and the cookie key of a start that was no production."""
    try:
        if environment.key_file.stat().st_mode & 0o077:
            yield (
                f"CONSILIUM_KEY_FILE: {environment.key_file} can be read by others:"
                " chmod 600, and make it the account's own"
            )
        made_by_the_demo = (environment.data / "keys" / "cookie-key").read_text()
    except OSError:  # not there yet, or not ours: whoever needs it says so
        return
    if made_by_the_demo == _text(environment.secret_key):
        yield (
            "CONSILIUM_SECRET_KEY is the one that a start without production made in"
            f" {environment.data / 'keys'}: {_MAKE_ONE}"
        )


def _is_strong(secret: str) -> bool:
    return (
        len(secret) >= SECRET_CHARACTERS
        and len(set(secret)) >= DIFFERENT_CHARACTERS
        and not _PLACEHOLDER.search(secret)
    )


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "") if url else ""


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""

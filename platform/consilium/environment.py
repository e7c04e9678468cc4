"""The typed environment: every variable an installation can be given, read once, checked at once.

``load()`` returns an ``Environment`` or raises ``SettingsWrong`` with one plain line per mistake.
A value that may hold a password is never repeated in such a line. An empty variable counts as not
set, because compose files and unit files cannot easily leave one out.

Nothing is needed to start: without any variable the installation runs on its embedded parts.
``DATABASE_URL``, ``REDIS_URL``, ``SMTP_URL``, ``TURN_URLS`` and ``CONSILIUM_STORAGE_URL`` each put
the real part in the place of an embedded one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from consilium import production
from foundation.blobs.address import read_address

SOURCE_ROOT = Path(__file__).resolve().parents[2]

PREFIX = "CONSILIUM_"

#: The exit status of whoever has said in plain lines why it cannot start.
CANNOT_START = 2

# Always answered to: the supervisor asks the web process and the media worker dials in by these.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# 32 random characters are beyond guessing; less is what people type.
SECRET_KEY_CHARACTERS = 32

_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class SettingsWrong(Exception):
    """The environment cannot be used. ``lines`` holds one sentence per variable that is wrong."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class PairWrong(ValueError):
    """Two variables do not fit together; ``variable`` is the one to change."""

    def __init__(self, variable: str, sentence: str) -> None:
        self.variable = variable
        super().__init__(sentence)


def _switch(value: object) -> bool:
    """True or false from the words people write for it."""
    word = str(value).strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{value!r} is neither 1 nor 0")


def _whole_number(low: int, high: int, what: str) -> Callable[[object], int]:
    """A reader of whole numbers from ``low`` to ``high``; ``what`` names the idea in the error."""

    def read(value: object) -> int:
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise ValueError(f"{value!r} is not {what}")
        if not low <= int(text) <= high:
            raise ValueError(f"{text} is not {what} ({low} to {high})")
        return int(text)

    return read


def _items(value: object) -> list[str]:
    """The parts of a comma-separated list, trimmed, without empty ones and repetitions."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def _hosts(value: object) -> list[str]:
    """Host names and addresses in the form Django compares: IPv6 in brackets, no wildcard."""
    hosts = list(LOOPBACK_HOSTS)
    for item in _items(value):
        host = item.lower()
        try:
            address = ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError:
            if not _HOST_NAME.fullmatch(host):
                raise ValueError(f"{item!r} is not a host name or address") from None
        else:
            host = f"[{address}]" if address.version == 6 else str(address)
        hosts.append(host)
    return list(dict.fromkeys(hosts))


def _addresses(value: object) -> list[str]:
    """IP addresses, each checked."""
    addresses = []
    for item in _items(value):
        try:
            address = ip_address(item)
        except ValueError:
            raise ValueError(f"{item!r} is not an IP address") from None
        if address.is_unspecified or address.is_multicast:
            raise ValueError(f"{item!r} is no address that a browser could send to")
        addresses.append(str(address))
    return addresses


def _port_range(value: object) -> str:
    """A range of ports as the media worker takes it, or nothing."""
    text = str(value).strip()
    found = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if text and not (found and 1024 <= int(found[1]) <= int(found[2]) <= 65_535):
        raise ValueError(f"{value!r} is not a range of ports such as 40000-49999 (1024 to 65535)")
    return text


def _networks(value: object) -> list[str]:
    """IP addresses and networks, as networks. All addresses at once would believe everybody."""
    networks = []
    for item in _items(value):
        try:
            network = ip_network(item)
        except ValueError:
            raise ValueError(
                f"{item!r} is neither an IP address nor a network such as 10.0.0.0/24"
            ) from None
        if network.prefixlen == 0:
            raise ValueError(f"{item!r} is everybody, and everybody is not to be trusted")
        networks.append(str(network))
    return networks


def _listen(value: object) -> str:
    """Where the web listens: this machine alone, or every network it is on."""
    if value not in {"127.0.0.1", "0.0.0.0"}:  # noqa: S104 - an operator may ask for it
        raise ValueError(f"{value!r} is neither 127.0.0.1 (this machine) nor 0.0.0.0 (the network)")
    return str(value)


def _turn_urls(value: object) -> list[str]:
    """TURN addresses as browsers take them (RFC 7065)."""
    urls = _items(value)
    for url in urls:
        if not re.fullmatch(r"turns?:[^\s/?@]+(\?transport=(udp|tcp))?", url):
            raise ValueError(
                f"{url!r} is not a TURN address such as turns:turn.example.org:443?transport=tcp"
            )
    return urls


def _url(*schemes: str) -> Callable[[object], str]:
    """A reader of URLs with one of ``schemes``; errors do not show them, for their passwords."""

    def read(value: object) -> str:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value).strip()
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(text)
            _ = parts.port  # raises when it is no number
        except ValueError:
            raise ValueError("it is not a URL") from None
        if parts.scheme not in schemes:
            raise ValueError(f"it does not begin with {wanted}")
        if not (parts.hostname or parts.scheme == "unix"):
            raise ValueError("it names no host")
        if parts.scheme.startswith("postgres") and not parts.path.strip("/"):
            raise ValueError("it names no database, as postgresql://host/database does")
        return text

    return read


def _public_url(value: object) -> str:
    """The address people type: https, a host, perhaps a port, and nothing behind it."""
    text = str(value).strip().rstrip("/")
    found = re.fullmatch(
        r"https://([a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(:(?P<port>[0-9]{1,5}))?", text
    )
    if not found or not 1 <= int(found["port"] or 443) <= 65535:
        raise ValueError(f"{value!r} is not an address such as https://visits.example.org")
    return text


def _mail_address(value: object) -> str:
    """One address that mails come from, without a name: the organisation's is put before it."""
    text = str(value).strip()
    box, _, host = text.rpartition("@")
    known_host = _HOST_NAME.fullmatch(host.lower()) or re.fullmatch(r"\[[0-9A-Za-z:.]+\]", host)
    if not re.fullmatch(r"[\w.+-]{1,64}", box, re.ASCII) or not known_host:
        raise ValueError(f"{value!r} is not an address such as visits@example.org")
    return text


def _mail_from(public_url: str) -> str:
    """``consilium@`` the host that people type; an IP address is a literal (RFC 5321 4.1.3)."""
    host = urlsplit(public_url).hostname or "localhost"
    if ":" in host:
        return f"consilium@[IPv6:{host}]"
    return f"consilium@[{host}]" if re.fullmatch(r"[0-9.]+", host) else f"consilium@{host}"


def _path(value: object) -> Path:
    """An absolute path; a relative one is meant from where the process was started."""
    return Path(str(value)).expanduser().absolute()


def _file(value: object) -> Path:
    """As ``_path``, of a file that is there."""
    path = _path(value)
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    return path


def _secret_key(value: object) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    if len(text) < SECRET_KEY_CHARACTERS:
        raise ValueError(f"it is too short ({SECRET_KEY_CHARACTERS} characters at least)")
    return text


def _storage_url(value: object) -> str:
    """Where blobs are kept; errors do not show it, for what people put into URLs."""
    text = str(value).strip()
    read_address(text)
    return text


Switch = Annotated[bool, BeforeValidator(_switch)]
Postgres = Annotated[SecretStr, BeforeValidator(_url("postgresql", "postgres"))]
Redis = Annotated[SecretStr, BeforeValidator(_url("redis", "rediss", "unix"))]
Smtp = Annotated[SecretStr, BeforeValidator(_url("smtp", "smtps"))]


class Environment(BaseSettings):
    """What this installation was told. ``port`` is read from ``CONSILIUM_PORT``, and so on."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        extra="ignore",
        validate_default=True,
    )

    # Where everything is kept that must survive a restart: SQLite, keys, mails, certificate, spool.
    data: Annotated[Path, BeforeValidator(_path)] = SOURCE_ROOT / "data"
    key_file: Annotated[Path, BeforeValidator(_path)] = Field(
        default_factory=lambda read: read["data"] / "keys" / "local.json"
    )

    # How it is reached. The loopback names are always among ``hosts``.
    port: Annotated[int, BeforeValidator(_whole_number(1, 65535, "a port number"))] = 8443
    hosts: Annotated[list[str], NoDecode, BeforeValidator(_hosts)] = []
    public_url: Annotated[str, BeforeValidator(_public_url)] = Field(
        default_factory=lambda read: f"https://localhost:{read['port']}"
    )
    mail_from: Annotated[str, BeforeValidator(_mail_address)] = Field(
        default_factory=lambda read: _mail_from(read["public_url"])
    )
    listen: Annotated[str, BeforeValidator(_listen)] = "127.0.0.1"
    # A certificate of the operator's own and its key (PEM); without, a self-signed one is made.
    certificate: Annotated[Path, BeforeValidator(_path)] | None = None
    certificate_key: Annotated[Path, BeforeValidator(_path)] | None = None
    # Whose word counts for where a visitor comes from; see ``proxies``.
    trusted_proxies: Annotated[list[str], NoDecode, BeforeValidator(_networks)] = []
    web_processes: Annotated[
        int, BeforeValidator(_whole_number(1, 64, "a number of web processes"))
    ] = 1

    # What it is for: ``production`` refuses embedded parts, ``demo`` invents people.
    production: Switch = False
    demo: Switch = False
    secret_key: Annotated[SecretStr, BeforeValidator(_secret_key)] | None = None
    # Where tests say at which point a process shall die; read by ``foundation.fault_points``.
    fault_point: Annotated[Path, BeforeValidator(_path)] | None = None

    # The real parts that replace the embedded ones, and a PEM file that vouches for them.
    ca: Annotated[Path, BeforeValidator(_file)] | None = None
    database_url: Postgres | None = Field(default=None, validation_alias="DATABASE_URL")
    redis_url: Redis | None = Field(default=None, validation_alias="REDIS_URL")
    smtp_url: Smtp | None = Field(default=None, validation_alias="SMTP_URL")

    # Where recordings are kept: a directory or a bucket (``foundation.blobs.address``). Its keys
    # stand apart. ``storage_ca`` vouches for its certificate, or ``ca``.
    storage_url: Annotated[str, BeforeValidator(_storage_url)] = Field(
        default_factory=lambda read: (read["data"] / "blobs").as_uri()
    )
    storage_access_key: SecretStr | None = None
    storage_secret_key: SecretStr | None = None
    storage_ca: Annotated[Path, BeforeValidator(_file)] | None = Field(
        default_factory=lambda read: read["ca"]
    )

    # The relay. ``turn_seconds`` is how long a credential can begin allocations.
    turn_urls: Annotated[list[str], NoDecode, BeforeValidator(_turn_urls)] = Field(
        default=[], validation_alias="TURN_URLS"
    )
    turn_secret: SecretStr | None = Field(default=None, validation_alias="TURN_SECRET")
    turn_seconds: Annotated[
        int, BeforeValidator(_whole_number(60, 86_400, "a number of seconds"))
    ] = Field(default=3600, validation_alias="TURN_SECONDS")

    # The media worker: addresses it offers to browsers, the UDP ports there (empty: the kernel's
    # choice), and how long a call outlives the web.
    worker_addresses: Annotated[list[str], NoDecode, BeforeValidator(_addresses)] = []
    worker_ports: Annotated[str, BeforeValidator(_port_range)] = ""
    lease_seconds: Annotated[
        int, BeforeValidator(_whole_number(10, 86_400, "a number of seconds"))
    ] = 3600

    @model_validator(mode="after")
    def _parts_that_need_each_other(self) -> Self:
        """Combinations that would fail later, silently or in front of a patient."""
        if self.production and self.fault_point is not None:
            raise PairWrong("CONSILIUM_FAULT_POINT", "it has no place in production")
        if self.turn_urls and self.turn_secret is None:
            raise PairWrong("TURN_SECRET", "it is needed when TURN_URLS is set")
        if self.turn_secret is not None and not self.turn_urls:
            raise PairWrong("TURN_URLS", "it is needed when TURN_SECRET is set")
        if self.storage_url.startswith("s3://"):
            for variable, key in (
                ("CONSILIUM_STORAGE_ACCESS_KEY", self.storage_access_key),
                ("CONSILIUM_STORAGE_SECRET_KEY", self.storage_secret_key),
            ):
                if key is None:
                    raise PairWrong(variable, "it is needed when CONSILIUM_STORAGE_URL is a bucket")
        if self.certificate is not None and self.certificate_key is None:
            raise PairWrong(
                "CONSILIUM_CERTIFICATE_KEY", "it is needed when CONSILIUM_CERTIFICATE is set"
            )
        if self.certificate_key is not None and self.certificate is None:
            raise PairWrong(
                "CONSILIUM_CERTIFICATE", "it is needed when CONSILIUM_CERTIFICATE_KEY is set"
            )
        if self.port + self.web_processes - 1 > 65535:
            raise PairWrong(
                "CONSILIUM_PORT", f"{self.web_processes} web processes need as many ports from it"
            )
        if self.web_processes > 1 and self.redis_url is None:
            raise PairWrong(
                "CONSILIUM_WEB_PROCESSES",
                f"{self.web_processes} web processes need REDIS_URL,"
                " because without it messages between them are lost",
            )
        return self

    @property
    def is_for_this_machine_alone(self) -> bool:
        """Whether every browser is on this machine: it answers to no other name or address."""
        public = f"[{host}]" if ":" in (host := urlsplit(self.public_url).hostname or "") else host
        return self.listen == "127.0.0.1" and {*self.hosts, public} <= set(LOOPBACK_HOSTS)


def load() -> Environment:
    """The environment of this process; ``SettingsWrong`` with a line for each wrong value.

    In production also with a line for each part or secret that is not fit for patients.
    """
    try:
        environment = Environment()
    except ValidationError as error:
        raise SettingsWrong(_lines(error)) from None
    if environment.production and (mistakes := production.mistakes(environment)):
        raise SettingsWrong(mistakes)
    return environment


def is_ours(variable: str) -> bool:
    """Whether ``variable`` is one that ``Environment`` reads."""
    return variable in {variable_of(field) for field in Environment.model_fields}


def variable_of(field: str) -> str:
    """The name of the variable a field of ``Environment`` is read from."""
    info = Environment.model_fields.get(field)
    if info is not None and isinstance(info.validation_alias, str):
        return info.validation_alias
    # pydantic reports an aliased field by its alias, which is the variable already
    return f"{PREFIX}{field.upper()}" if info is not None else field


def _lines(error: ValidationError) -> list[str]:
    """One line per mistake, named by the variable that has to change."""
    lines = []
    for mistake in error.errors(include_url=False):
        if mistake["type"] == "default_factory_not_called":
            continue  # follows from a mistake that has its own line
        context: dict[str, Any] = mistake.get("ctx", {})
        cause = context.get("error")
        if isinstance(cause, PairWrong):
            variable = cause.variable
        else:
            variable = variable_of(str(mistake["loc"][0]))
        lines.append(f"{variable}: {cause if cause is not None else mistake['msg']}")
    return lines

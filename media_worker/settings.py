"""What the worker is told by its environment, read once at start."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: ``present`` of a reconnecting worker must fit into one message of 64 KiB (foundation.wire).
MAX_CAPACITY = 400

#: What the spool may hold by default: an hour of a consultation of four while the platform is away.
SPOOL_BYTES = 1_073_741_824

#: A spool below this would be full at the first key frame.
MIN_SPOOL_BYTES = 16_777_216

#: Each participant has two peer connections, and each takes one port at every address.
PORTS_EACH = 2


class SettingsWrong(ValueError):
    """A variable is missing or makes no sense; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``addresses`` are where media is received; people's browsers must be able to reach them.

    ``ports`` are the UDP ports there; None leaves them to the kernel. ``spool`` is where sealed
    segments wait.
    """

    platform_url: str
    ca_file: Path | None
    identity_file: Path
    enrolment_file: Path | None
    enrolment_code: str | None
    name: str
    addresses: tuple[str, ...]
    ports: range | None
    capacity: int
    spool: Path
    spool_bytes: int = SPOOL_BYTES
    pinned_file: Path | None = None

    @property
    def https_url(self) -> str:
        return "https" + self.platform_url.removeprefix("wss")


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings in ``environment``. Raises SettingsWrong with one line that says what to do."""

    def path(variable: str) -> Path | None:
        value = environment.get(variable, "")
        return Path(value) if value else None

    url = environment.get("CONSILIUM_PLATFORM_URL", "wss://localhost:8443").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme != "wss" or not parts.hostname or parts.path or parts.query:
        raise SettingsWrong("CONSILIUM_PLATFORM_URL must look like wss://host:port")
    identity = path("CONSILIUM_WORKER_IDENTITY")
    if identity is None:
        raise SettingsWrong("CONSILIUM_WORKER_IDENTITY must name the file that holds the identity")
    ca_file = path("CONSILIUM_WORKER_CA")
    if ca_file is not None and not ca_file.is_file():
        raise SettingsWrong("CONSILIUM_WORKER_CA names a file that does not exist")
    pinned_file = path("CONSILIUM_WORKER_PIN")
    if pinned_file is not None and not pinned_file.is_file():
        raise SettingsWrong("CONSILIUM_WORKER_PIN names a file that does not exist")
    name = environment.get("CONSILIUM_WORKER_NAME", "worker")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise SettingsWrong("CONSILIUM_WORKER_NAME may hold a-z, 0-9 and -, at most 40 of them")
    ports = _ports(environment.get("CONSILIUM_WORKER_PORTS", ""))
    capacity = _capacity(environment.get("CONSILIUM_WORKER_CAPACITY", "100"))
    if ports is not None and len(ports) < PORTS_EACH * capacity:
        raise SettingsWrong(
            f"CONSILIUM_WORKER_PORTS must have {PORTS_EACH * capacity} ports or more,"
            f" {PORTS_EACH} for each of the {capacity} people of CONSILIUM_WORKER_CAPACITY"
        )
    return Settings(
        platform_url=url,
        ca_file=ca_file,
        identity_file=identity,
        enrolment_file=path("CONSILIUM_WORKER_ENROLMENT_FILE"),
        enrolment_code=environment.get("CONSILIUM_WORKER_ENROLMENT_CODE") or None,
        name=name,
        addresses=_addresses(environment.get("CONSILIUM_WORKER_ADDRESSES", "127.0.0.1")),
        ports=ports,
        capacity=capacity,
        spool=path("CONSILIUM_WORKER_SPOOL") or identity.parent / "spool",
        spool_bytes=_spool_bytes(environment.get("CONSILIUM_WORKER_SPOOL_BYTES", str(SPOOL_BYTES))),
        pinned_file=pinned_file,
    )


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in found:
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            address = None
        if address is None or address.is_unspecified or address.is_multicast:
            raise SettingsWrong(
                "CONSILIUM_WORKER_ADDRESSES must list IP addresses of this machine, by commas"
            )
    if not 1 <= len(found) <= 8:
        raise SettingsWrong("CONSILIUM_WORKER_ADDRESSES must list one to eight IP addresses")
    return found


def _ports(text: str) -> range | None:
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text.strip())
    first, last = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1_024 <= first <= last <= 65_535:
        raise SettingsWrong("CONSILIUM_WORKER_PORTS must look like 40000-49999, from 1024 to 65535")
    return range(first, last + 1)


def _capacity(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_CAPACITY:
        raise SettingsWrong(f"CONSILIUM_WORKER_CAPACITY must be 1 to {MAX_CAPACITY} participants")
    return int(text)


def _spool_bytes(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < MIN_SPOOL_BYTES:
        raise SettingsWrong(
            f"CONSILIUM_WORKER_SPOOL_BYTES must be a number of bytes, {MIN_SPOOL_BYTES} or more"
        )
    return int(text)

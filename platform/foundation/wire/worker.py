"""Messages between the server and a media worker, version 1. Prose: docs/protocol.md.

The worker dials in (one WSS connection), is told the time, and says ``hello`` with an assertion
signed by its enrolled Ed25519 identity. It admits a participant to a room only by a *media lease*:
a JWT signed by the platform (Ed25519, RFC 9864) whose claims are ``LeaseClaims``. A lease outlives
the connection, so a call in progress outlives the platform; who has no lease any more is dropped.

``room`` is the meeting's id, ``participant`` the participation's; neither names anybody.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from foundation.wire.browser import (
    MAX_CANDIDATE_CHARS,
    MAX_TICKET_CHARS,
    Description,
    Epoch,
    Link,
)
from foundation.wire.message import Message, kinds

VERSION = 1
SPOKEN_VERSIONS = frozenset({1})

#: ``aud`` of a worker's assertion and of a lease: a token for one is no token for the other.
ASSERTION_AUDIENCE = "consilium:media-link"
LEASE_AUDIENCE = "consilium:media-worker"


class LeaseClaims(Message):
    """Claims of a media lease. Times are seconds since the epoch (RFC 7519 NumericDate)."""

    aud: str
    jti: str
    iat: int
    exp: int
    worker: UUID
    room: UUID
    participant: UUID
    epoch: Epoch
    mode: Literal["governed"]
    relay_only: bool


class Present(Message):
    """One participant that a worker holds, at the epoch it holds."""

    room: UUID
    participant: UUID
    epoch: Epoch


# ---------------------------------------------------------------- worker → server


class WorkerHello(Message):
    """``assertion``: JWT, Ed25519, ``iss`` = worker id, ``aud`` = ASSERTION_AUDIENCE, ≤ 60 s."""

    type: Literal["hello"] = "hello"
    version: int
    assertion: Annotated[str, Field(max_length=MAX_TICKET_CHARS)]
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    present: Annotated[list[Present], Field(max_length=10_000)]


class Renew(Message):
    """Every 2 s: I am here, and this is my load (participants held, process CPU in percent)."""

    type: Literal["renew"] = "renew"
    participants: Annotated[int, Field(ge=0)]
    cpu_percent: Annotated[float, Field(ge=0)]


class WorkerDescribe(Message):
    """The worker's answer to ``publish`` or its offer of ``subscribe``, candidates included."""

    type: Literal["describe"] = "describe"
    room: UUID
    participant: UUID
    epoch: Epoch
    link: Link
    description: Description


class Path(Message):
    """The state of one participant's media path."""

    type: Literal["path"] = "path"
    room: UUID
    participant: UUID
    epoch: Epoch
    link: Link
    state: Literal["connected", "failed", "refused"]


WORKER_TYPES = (Path, Renew, WorkerDescribe, WorkerHello)
WorkerMessage = Annotated[Path | Renew | WorkerDescribe | WorkerHello, Field(discriminator="type")]
WORKER_ADAPTER: TypeAdapter[WorkerMessage] = TypeAdapter(WorkerMessage)
WORKER_KINDS = kinds(*WORKER_TYPES)


# ---------------------------------------------------------------- server → worker


class LeaseKey(Message):
    """A platform key that signs leases: ``x`` is the raw Ed25519 public key, base64url."""

    kid: str
    x: str


class WorkerWelcome(Message):
    """The assertion was good. ``lease_keys`` replaces the keys known so far."""

    type: Literal["welcome"] = "welcome"
    version: int
    renew_seconds: float
    lease_keys: list[LeaseKey]


class Time(Message):
    """First of all, and after every ``renew``: the platform's time, in seconds since 1970.

    A worker signs and judges leases by it, whatever its own clock says.
    """

    type: Literal["time"] = "time"
    now: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Lease(Message):
    """Admits a participant at an epoch, or prolongs it. A higher epoch ends the lower."""

    type: Literal["lease"] = "lease"
    token: Annotated[str, Field(max_length=MAX_TICKET_CHARS)]


class ServerDescribe(Message):
    """The browser's offer of ``publish`` or its answer of ``subscribe``."""

    type: Literal["describe"] = "describe"
    room: UUID
    participant: UUID
    epoch: Epoch
    link: Link
    description: Description


class ServerCandidate(Message):
    """The browser's candidate."""

    type: Literal["candidate"] = "candidate"
    room: UUID
    participant: UUID
    epoch: Epoch
    link: Link
    candidate: Annotated[str, Field(max_length=MAX_CANDIDATE_CHARS)]
    mid: str | None = None
    line: int | None = None


class Revoke(Message):
    """End this participant's media now, whatever the lease says; lower or equal epochs."""

    type: Literal["revoke"] = "revoke"
    room: UUID
    participant: UUID
    epoch: Epoch


class CloseRoom(Message):
    """End all media of a room."""

    type: Literal["close_room"] = "close_room"
    room: UUID


SERVER_TYPES = (CloseRoom, Lease, Revoke, ServerCandidate, ServerDescribe, Time, WorkerWelcome)
ServerMessage = Annotated[
    CloseRoom | Lease | Revoke | ServerCandidate | ServerDescribe | Time | WorkerWelcome,
    Field(discriminator="type"),
]
SERVER_ADAPTER: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)
SERVER_KINDS = kinds(*SERVER_TYPES)


# ---------------------------------------------------------------- enrolment


class Enrol(Message):
    """POST /media/enrol, once: a code for an identity. ``public_key``: raw Ed25519, base64url."""

    code: Annotated[str, Field(min_length=20, max_length=128)]
    public_key: Annotated[str, Field(min_length=43, max_length=44)]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Enrolled(Message):
    """The answer: the worker's id, and where to dial in."""

    worker: UUID
    link_path: str

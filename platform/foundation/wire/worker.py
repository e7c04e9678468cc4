"""Messages between the server and a media worker, version 2. Prose: docs/protocol.md.

The worker dials in (one WSS connection), is told the time, and says ``hello`` with an assertion
signed by its enrolled Ed25519 identity. It admits a participant to a room only by a *media lease*:
a JWT signed by the platform (Ed25519, RFC 9864) whose claims are ``LeaseClaims``. A lease outlives
the connection, so a call in progress outlives the platform; who has no lease any more is dropped.

``room`` is the meeting's id, ``participant`` the participation's; neither names anybody. A
recording knows a participation as a *place*, as its segments do.

Version 2 has the messages about recordings. They are not sent to a worker that said 1.
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

VERSION = 2
SPOKEN_VERSIONS = frozenset({1, 2})

#: The version that brought the messages about recordings.
RECORDS_SINCE = 2

#: ``aud`` of a worker's assertions and of a lease: a token for one is no token for another.
ASSERTION_AUDIENCE = "consilium:media-link"
SEGMENT_AUDIENCE = "consilium:segments"
LEASE_AUDIENCE = "consilium:media-worker"

#: Why a recording stops; the words of a segment's closing record (sealing/FORMAT.md, section 2).
StopWhy = Literal[
    "stopped", "starter_left", "withdrawn", "meeting_ended", "draining", "handed_over"
]

#: What a worker says of a recording's state: why it stopped, or what keeps it from recording.
RecordingReason = Literal[
    "stopped",
    "starter_left",
    "withdrawn",
    "meeting_ended",
    "draining",
    "handed_over",
    "spool_full",
    "room_empty",
    "capacity",
    "conflict",
    "unknown",
    "refused",
    "fault",
]

#: People of one recording: more than a room holds, since some leave and others come.
MAX_PLACES = 64


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


class Recording(Message):
    """The state of one recording here: told when it changes, and again on a new link.

    ``stopped`` and ``failed`` are the end of ``run``. ``run`` is missing where none was begun.
    """

    type: Literal["recording"] = "recording"
    room: UUID
    recording: UUID
    run: UUID | None
    state: Literal["recording", "paused", "stopped", "failed"]
    reason: RecordingReason | None = None


WORKER_TYPES = (Path, Recording, Renew, WorkerDescribe, WorkerHello)
WorkerMessage = Annotated[
    Path | Recording | Renew | WorkerDescribe | WorkerHello, Field(discriminator="type")
]
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


class Record(Message):
    """Record these places of a room; again with more places, to add them.

    ``public_key``: the recording's raw X25519 public key, base64url.
    """

    type: Literal["record"] = "record"
    room: UUID
    recording: UUID
    organisation: UUID
    public_key: Annotated[str, Field(min_length=43, max_length=44)]
    places: Annotated[list[UUID], Field(max_length=MAX_PLACES)]


class PauseRecording(Message):
    """Record nobody until ``resume_recording``."""

    type: Literal["pause_recording"] = "pause_recording"
    room: UUID
    recording: UUID


class ResumeRecording(Message):
    """Go on."""

    type: Literal["resume_recording"] = "resume_recording"
    room: UUID
    recording: UUID


class Withdraw(Message):
    """Record this place no more, at once and for good: consent was withdrawn."""

    type: Literal["withdraw"] = "withdraw"
    room: UUID
    recording: UUID
    place: UUID


class StopRecording(Message):
    """End the recording."""

    type: Literal["stop_recording"] = "stop_recording"
    room: UUID
    recording: UUID
    why: StopWhy


SERVER_TYPES = (
    CloseRoom,
    Lease,
    PauseRecording,
    Record,
    ResumeRecording,
    Revoke,
    ServerCandidate,
    ServerDescribe,
    StopRecording,
    Time,
    Withdraw,
    WorkerWelcome,
)
RecordingOrder = PauseRecording | Record | ResumeRecording | StopRecording | Withdraw
ServerMessage = Annotated[
    CloseRoom
    | Lease
    | PauseRecording
    | Record
    | ResumeRecording
    | Revoke
    | ServerCandidate
    | ServerDescribe
    | StopRecording
    | Time
    | Withdraw
    | WorkerWelcome,
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

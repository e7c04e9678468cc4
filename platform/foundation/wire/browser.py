"""Messages between a browser and the server, version 2. Prose: docs/protocol.md.

One socket serves one seat: a person's place in one meeting on one device. The first message is
``hello`` with a ticket; what the ticket was made for (``wait`` or ``join``) decides what the
socket may say. ``media`` opens a media attempt, numbered by ``epoch``; descriptions and
candidates of another epoch are dropped without an answer.

Sources have a fixed order of m-lines in every offer a browser publishes: microphone, camera,
screen, then the data channel. A media worker names the stream it forwards
``<participation id>.<source group>``, where the group is ``camera`` (with the microphone) or
``screen``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from foundation.wire.message import Message, kinds

VERSION = 2
SPOKEN_VERSIONS = frozenset({1, 2})

#: People who can be in one room with somebody; a ward round with students has fewer.
MAX_OTHERS_IN_ROOM = 30

#: What a host says about who they are.
MAX_WHO_CHARS = 200

#: A complete SDP; see MAX_MESSAGE_BYTES.
MAX_SDP_CHARS = 49_152
MAX_CANDIDATE_CHARS = 512
MAX_TICKET_CHARS = 2_048

Epoch = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Link(StrEnum):
    """Which peer connection a description or candidate belongs to."""

    PEER = "peer"  # private: browser to browser
    PUBLISH = "publish"  # governed: browser offers, worker answers
    SUBSCRIBE = "subscribe"  # governed: worker offers, browser answers


class Purpose(StrEnum):
    """What a ticket, and so a socket, is for."""

    WAIT = "wait"
    JOIN = "join"


class Mode(StrEnum):
    """Who can decrypt the media of a meeting."""

    PRIVATE = "private"
    GOVERNED = "governed"
    # "sealed" comes with group end-to-end encryption; the value is kept free.


class Description(Message):
    """A session description (RFC 8829)."""

    type: Literal["offer", "answer"]
    sdp: Annotated[str, Field(min_length=1, max_length=MAX_SDP_CHARS)]


# ---------------------------------------------------------------- browser → server


class Hello(Message):
    """Opens the socket; on a socket that waits, a ``join`` ticket makes it one of the call.

    ``keep_media`` says that this page's media path still lives.
    """

    type: Literal["hello"] = "hello"
    version: int
    ticket: Annotated[str, Field(min_length=16, max_length=MAX_TICKET_CHARS)]
    keep_media: bool = False


class Ping(Message):
    """Asks for ``pong``; the server closes a socket that is silent for 15 s."""

    type: Literal["ping"] = "ping"
    n: Annotated[int, Field(ge=0, le=2**53 - 1)]


class Describe(Message):
    """A local description, for the other side of ``link``."""

    type: Literal["describe"] = "describe"
    link: Link
    epoch: Epoch
    description: Description


class Candidate(Message):
    """A local ICE candidate (RFC 8839 ``candidate-attribute``), for the other side of ``link``."""

    type: Literal["candidate"] = "candidate"
    link: Link
    epoch: Epoch
    candidate: Annotated[str, Field(max_length=MAX_CANDIDATE_CHARS)]
    mid: Annotated[str, Field(max_length=16)] | None = None
    line: Annotated[int, Field(ge=0, le=64)] | None = None


class Sources(Message):
    """What this person sends at the moment, for the others' screens; media itself decides."""

    type: Literal["sources"] = "sources"
    microphone: bool
    camera: bool
    screen: bool


class RestartMedia(Message):
    """The media path of ``epoch`` is lost: please open a new attempt."""

    type: Literal["restart_media"] = "restart_media"
    epoch: Epoch


class Admit(Message):
    """The host lets one waiting person in."""

    type: Literal["admit"] = "admit"
    participation: UUID


class Decline(Message):
    """The host turns one waiting person away."""

    type: Literal["decline"] = "decline"
    participation: UUID


class Remove(Message):
    """The host removes one person from the call."""

    type: Literal["remove"] = "remove"
    participation: UUID


class EndMeeting(Message):
    """The host ends the meeting for everyone."""

    type: Literal["end_meeting"] = "end_meeting"


class Leave(Message):
    """This person leaves the call or the queue; they may come back while the meeting is open."""

    type: Literal["leave"] = "leave"


class AskRecording(Message):
    """The host asks everybody to agree to a recording, and attests who else is in their room.

    ``who``: in the host's own words; empty where nobody else is.
    """

    type: Literal["ask_recording"] = "ask_recording"
    others_in_room: Annotated[int, Field(ge=0, le=MAX_OTHERS_IN_ROOM)]
    who: Annotated[str, Field(max_length=MAX_WHO_CHARS)] = ""


class TakeBackRecording(Message):
    """The question is withdrawn before it was answered by all."""

    type: Literal["take_back_recording"] = "take_back_recording"


class PauseRecording(Message):
    """Nobody is recorded until ``resume_recording``."""

    type: Literal["pause_recording"] = "pause_recording"


class ResumeRecording(Message):
    """The recording goes on."""

    type: Literal["resume_recording"] = "resume_recording"


class StopRecording(Message):
    """The recording ends."""

    type: Literal["stop_recording"] = "stop_recording"


class HandOverRecording(Message):
    """Somebody else of the staff keeps the recording from now on."""

    type: Literal["hand_over_recording"] = "hand_over_recording"
    participation: UUID


class GiveConsent(Message):
    """This person agrees to the words of ``text``, which their screen showed."""

    type: Literal["give_consent"] = "give_consent"
    text: UUID


class RefuseConsent(Message):
    """This person does not agree."""

    type: Literal["refuse_consent"] = "refuse_consent"
    text: UUID


class WithdrawConsent(Message):
    """This person agrees no more: from now on nothing of them is recorded."""

    type: Literal["withdraw_consent"] = "withdraw_consent"


CLIENT_TYPES = (
    Admit,
    AskRecording,
    Candidate,
    Decline,
    Describe,
    EndMeeting,
    GiveConsent,
    HandOverRecording,
    Hello,
    Leave,
    PauseRecording,
    Ping,
    RefuseConsent,
    Remove,
    RestartMedia,
    ResumeRecording,
    Sources,
    StopRecording,
    TakeBackRecording,
    WithdrawConsent,
)
ClientMessage = Annotated[
    Admit
    | AskRecording
    | Candidate
    | Decline
    | Describe
    | EndMeeting
    | GiveConsent
    | HandOverRecording
    | Hello
    | Leave
    | PauseRecording
    | Ping
    | RefuseConsent
    | Remove
    | RestartMedia
    | ResumeRecording
    | Sources
    | StopRecording
    | TakeBackRecording
    | WithdrawConsent,
    Field(discriminator="type"),
]
CLIENT_ADAPTER: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)
CLIENT_KINDS = kinds(*CLIENT_TYPES)


# ---------------------------------------------------------------- server → browser


class IceServer(Message):
    """One entry of RTCConfiguration.iceServers, with a time-limited credential."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Recordable(StrEnum):
    """Whether a call may be recorded, and if not, why."""

    YES = "yes"
    NOT_THIS_KIND = "not_this_kind"  # nobody but the people in it could record it
    NOT_BY_POLICY = "not_by_policy"  # the organisation does not allow it


class Welcome(Message):
    """The ticket was good. ``you`` is the participation this socket speaks for.

    ``recordable`` is how it stands now; asking is decided anew.
    """

    type: Literal["welcome"] = "welcome"
    version: int
    purpose: Purpose
    you: UUID
    host: bool
    mode: Mode
    ping_seconds: int
    recordable: Recordable


class Pong(Message):
    """Answers ``ping``."""

    type: Literal["pong"] = "pong"
    n: int


class Terms(Message):
    """Who will be able to see a recording, beside nobody else, and for how long it is kept."""

    seen_by: list[Literal["clinician", "compliance_officer"]]
    keep_days: int


class Question(Message):
    """Words to agree to, in the reader's language; ``text`` names this version of them."""

    text: UUID
    words: str
    terms: Terms


class Lobby(Message):
    """To one who waits: place 1 is next. ``host_here`` says whether a host is in the room.

    ``question``: they are let in as soon as they agree (place is 0 then).
    """

    type: Literal["lobby"] = "lobby"
    place: int
    waiting: int
    host_here: bool
    question: Question | None = None


class Admitted(Message):
    """To one who waited: come in. ``ticket`` is for a ``hello`` to join on this same socket."""

    type: Literal["admitted"] = "admitted"
    ticket: str


class Person(Message):
    """One who is admitted. ``connected`` is false while their page reconnects or has left."""

    id: UUID
    name: str
    host: bool
    connected: bool
    microphone: bool
    camera: bool
    screen: bool


class Waiting(Message):
    """One who waits, as a host sees them. ``verified_by`` names each proof, e.g. ``mailbox``."""

    id: UUID
    name: str
    verified_by: list[str]
    since: datetime
    connected: bool


class RecordingShown(Message):
    """What everybody in the call is told of its recording.

    ``state``: ``asked`` until everybody agreed, then ``recording`` or ``paused``. ``falters``: the
    media worker does not record at the moment, though it should. ``since``: when it began.
    ``keeper``: who may pause and stop it. ``agreed``: who agreed and did not withdraw.
    ``unanswered``: who in the call has still to answer. ``outside``: who was let in and stands
    at the door without having agreed. ``question``: for who has not answered.
    """

    state: Literal["asked", "recording", "paused"]
    falters: bool
    since: datetime | None
    keeper: UUID
    agreed: list[UUID]
    unanswered: list[UUID]
    outside: list[UUID]
    terms: Terms
    question: Question | None


class RecordingOver(Message):
    """What became of the newest recording of this call, once it is over.

    ``abandoned``: it never began; ``why`` is then ``refused``, ``taken_back`` or how it ended.
    ``percent``: how far ``sealing`` is. ``stored`` is said after everything was read back.
    """

    id: UUID
    state: Literal["abandoned", "gathering", "empty", "sealing", "stored"]
    why: str
    percent: int


class State(Message):
    """The whole room, as this person may see it; ``waiting`` is filled for hosts only.

    A later ``seq`` replaces all of an earlier one; an equal or lower one is ignored.
    """

    type: Literal["state"] = "state"
    seq: int
    people: list[Person]
    waiting: list[Waiting]
    recording: RecordingShown | None = None
    recording_over: RecordingOver | None = None


class Media(Message):
    """Open media attempt ``epoch``: forget peer connections of earlier ones.

    ``path`` ``peer``: connect to ``peer``; the side with ``offers`` makes the offer.
    ``path`` ``worker``: offer ``publish``, then answer the worker's ``subscribe`` offers.
    ``ready`` false: nothing to connect to yet. By ``path`` ``peer`` that is nobody else in the
    call, by ``worker`` no media worker.
    """

    type: Literal["media"] = "media"
    path: Literal["peer", "worker"]
    epoch: Epoch
    ready: bool
    offers: bool
    peer: UUID | None = None
    relay_only: bool
    ice_servers: list[IceServer]


class Described(Message):
    """The other side's description for ``link`` in ``epoch``."""

    type: Literal["described"] = "described"
    link: Link
    epoch: Epoch
    description: Description


class RemoteCandidate(Message):
    """The other side's candidate for ``link`` in ``epoch``."""

    type: Literal["remote_candidate"] = "remote_candidate"
    link: Link
    epoch: Epoch
    candidate: str
    mid: str | None = None
    line: int | None = None


class Failure(Message):
    """A message was refused; the socket stays open unless a close follows. ``about``: its type."""

    type: Literal["error"] = "error"
    code: str
    text: str
    about: str | None = None


class Goodbye(Message):
    """The seat's time is over here; the socket closes next."""

    type: Literal["goodbye"] = "goodbye"
    reason: Literal["left", "removed", "declined", "ended", "taken_over"]
    may_return: bool


SERVER_TYPES = (
    Admitted,
    Described,
    Failure,
    Goodbye,
    Lobby,
    Media,
    Pong,
    RemoteCandidate,
    State,
    Welcome,
)
ServerMessage = Annotated[
    Admitted
    | Described
    | Failure
    | Goodbye
    | Lobby
    | Media
    | Pong
    | RemoteCandidate
    | State
    | Welcome,
    Field(discriminator="type"),
]
SERVER_ADAPTER: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)

"""One recording as the platform sees it: its key pair, its orders, and what came of them."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import Any

import av
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from foundation.wire import worker as wire
from tests.media_worker.harness import Platform, eventually
from tests.media_worker.people import Person, brightness
from tests.media_worker.recorder.segment_door import roll
from tests.vectors.sealing import reader

MICROPHONE, CAMERA, SCREEN = 1, 2, 3


@dataclass
class Ordered:
    """Orders go to the worker; ``opened`` reads what it shipped, with the private key."""

    platform: Platform
    room: uuid.UUID
    recording: uuid.UUID = field(default_factory=uuid.uuid4)
    organisation: uuid.UUID = field(default_factory=uuid.uuid4)
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    async def record(self, *people: Person, public_key: str | None = None) -> None:
        x = base64.urlsafe_b64encode(self.key.public_key().public_bytes_raw())
        await self.platform.send(
            wire.Record(
                room=self.room,
                recording=self.recording,
                organisation=self.organisation,
                public_key=public_key or x.rstrip(b"=").decode(),
                places=[person.id for person in people],
            )
        )

    async def withdraw(self, person: Person) -> None:
        await self.platform.send(
            wire.Withdraw(room=self.room, recording=self.recording, place=person.id)
        )

    async def pause(self) -> None:
        await self.platform.send(wire.PauseRecording(room=self.room, recording=self.recording))

    async def resume(self) -> None:
        await self.platform.send(wire.ResumeRecording(room=self.room, recording=self.recording))

    async def stop(self, why: str = "stopped") -> None:
        await self.platform.send(
            wire.StopRecording.model_validate(
                {"room": self.room, "recording": self.recording, "why": why}
            )
        )

    @property
    def states(self) -> list[tuple[str, str | None]]:
        said = [m for m in self.platform.messages if isinstance(m, wire.Recording)]
        return [(m.state, m.reason) for m in said if m.recording == self.recording]

    async def becomes(self, state: str, reason: str | None = None) -> None:
        await eventually(lambda: self.states and self.states[-1] == (state, reason), 8)

    @property
    def shipped(self) -> dict[uuid.UUID, list[bytes]]:
        return self.platform.segments.runs_of(self.recording)

    def segments(self) -> int:
        return sum(len(kept) for kept in self.shipped.values())

    async def goes_on(self, more: int = 2) -> None:
        """Waits for ``more`` further segments."""
        wanted = self.segments() + more
        await eventually(lambda: self.segments() >= wanted, 15)

    async def is_over(self) -> None:
        """Waits for the last segment of a run."""
        await eventually(
            lambda: any(kept and kept[-1][11] & 1 for kept in self.shipped.values()), 10
        )

    def opened(self) -> list[Run]:
        """Every run, through all checks of FORMAT.md by a reader that is not ours."""
        shipped = self.shipped
        runs = reader.read_segments(
            reader.Wanted(self.organisation.bytes, self.recording.bytes, 0),
            self.key.private_bytes_raw(),
            [(run.bytes, roll(kept)) for run, kept in shipped.items()],
            {
                (run.bytes, number): segment
                for run, kept in shipped.items()
                for number, segment in enumerate(kept)
            },
        )
        return [Run(run) for run in runs]

    def the_run(self) -> Run:
        runs = self.opened()
        assert len(runs) == 1
        return runs[0]


class Run:
    """The records of one run."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.id = uuid.UUID(run["run"])
        self.is_finished: bool = run["finished"]
        self.segments: list[list[dict[str, Any]]] = [one["records"] for one in run["segments"]]
        self.streams: dict[tuple[str, int], int] = {}
        for record in self.all("source"):
            name = (record["place"], record["kind"])
            assert self.streams.setdefault(name, record["stream"]) == record["stream"]

    def all(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        return [
            record
            for records in self.segments
            for record in records
            if record["type"] == kind and all(record[name] == v for name, v in fields.items())
        ]

    def frames(self, person: Person, kind: int) -> list[dict[str, Any]]:
        stream = self.streams.get((str(person.id), kind))
        return [] if stream is None else self.all("frame", stream=stream)

    def places(self) -> set[str]:
        return {place for place, _ in self.streams}


def pictures(frames: list[dict[str, Any]]) -> list[av.VideoFrame]:
    """All frames decoded. Raises whatever the decoder raises."""
    decoder = av.CodecContext.create("libvpx", "r")
    return [
        picture
        for frame in frames
        for picture in decoder.decode(av.Packet(bytes.fromhex(frame["payload"])))
    ]


def shows(frames: list[dict[str, Any]], person: Person) -> bool:
    """Whether every frame decodes to a picture, and to one of ``person``."""
    made = pictures(frames)
    assert len(made) == len(frames)
    return all(abs(brightness(picture) - person.brightness) < 12 for picture in made)


def sounds(frames: list[dict[str, Any]]) -> int:
    """Samples in all Opus packets, decoded."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = 48_000
    decoder.layout = "stereo"
    return sum(
        sound.samples
        for frame in frames
        for sound in decoder.decode(av.Packet(bytes.fromhex(frame["payload"])))
    )

"""What everybody who is recorded sends: VP8 and Opus that were encoded once, beforehand.

640 × 480 at 25 pictures a second and 600 kbit/s with a key frame every two seconds, and a voice of
32 kbit/s. Nobody's encoder runs while something is measured.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

PICTURES_A_SECOND = 25
PACKETS_A_SECOND = 50
_SECONDS = 10


@dataclass(frozen=True)
class Prepared:
    """Ten seconds that may be repeated: a picture or packet each, in order."""

    pictures: tuple[bytes, ...]
    sounds: tuple[bytes, ...]

    def is_key(self, number: int) -> bool:
        return not self.pictures[number % len(self.pictures)][0] & 1


@cache
def prepared(folder: Path) -> Prepared:
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / "prepared.webm"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi"]
    command += ["-i", f"testsrc2=size=640x480:rate={PICTURES_A_SECOND}", "-f", "lavfi"]
    command += ["-i", "sine=frequency=440:sample_rate=48000", "-t", str(_SECONDS)]
    command += ["-c:v", "libvpx", "-b:v", "600k", "-minrate", "600k", "-maxrate", "600k"]
    command += ["-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-auto-alt-ref", "0"]
    command += ["-c:a", "libopus", "-b:a", "32k", "-frame_duration", "20", str(film)]
    subprocess.run(command, check=True, timeout=120)
    with av.open(str(film)) as container:
        pieces: dict[str, list[bytes]] = {"video": [], "audio": []}
        for packet in container.demux():
            if packet.size:
                pieces[packet.stream.type].append(bytes(packet))
    return Prepared(tuple(pieces["video"]), tuple(pieces["audio"][: _SECONDS * PACKETS_A_SECOND]))


class Replay(MediaStreamTrack):
    """One of the two, at its own pace, for ever. aiortc sends packets as they are."""

    def __init__(self, kind: str, prepared: Prepared) -> None:
        super().__init__()
        self.kind = kind
        is_video = kind == "video"
        self._pieces = prepared.pictures if is_video else prepared.sounds
        self._seconds = 1 / (PICTURES_A_SECOND if is_video else PACKETS_A_SECOND)
        self._began: float | None = None
        self._count = 0

    async def recv(self) -> av.Packet:  # type: ignore[override]
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        due = self._began + self._count * self._seconds
        if due > now:
            await asyncio.sleep(due - now)
        packet = av.Packet(self._pieces[self._count % len(self._pieces)])
        packet.time_base = Fraction(1, 90_000)
        packet.pts = round(self._count * self._seconds * 90_000)
        self._count += 1
        return packet

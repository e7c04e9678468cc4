"""Looks at films as others do: through ffprobe, ffmpeg and a decoder."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av


def probe(film: Path, *what: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", *what, "-of", "json", str(film)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stderr == "", said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def packets(film: Path, track: str) -> list[tuple[float, bool]]:
    """When each packet of a track ("v" or "a") is shown, in seconds, and if it is a key frame."""
    entries = "packet=pts_time,flags"
    found = probe(film, "-select_streams", track, "-show_entries", entries)["packets"]
    return [(float(p["pts_time"]), "K" in p["flags"]) for p in found]


def decode_errors(film: Path) -> str:
    """What ffmpeg has to complain of when it decodes everything; nothing, usually."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-i", str(film)]
    # In the film's own times: rounded to the rate it guesses, two pictures may fall on one.
    command += ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stderr + (f"status {said.returncode}" if said.returncode else "")


@dataclass
class Events:
    flashes: list[float]
    beeps: list[float]


def events(film: Path, from_s: float = 0, to_s: float = 1e9) -> Events:
    """When the picture turns white and a tone begins, in seconds of the film."""
    return Events(_flashes(film, from_s, to_s), _beeps(film, from_s, to_s))


def _flashes(film: Path, from_s: float, to_s: float) -> list[float]:
    found, was_white = [], False
    with av.open(str(film)) as container:
        if not container.streams.video:
            return []
        if from_s:
            container.seek(int(from_s * 1e6))
        for frame in container.decode(video=0):
            if frame.time > to_s:
                break
            plane = frame.planes[0]
            is_white = bytes(plane)[plane.line_size * (plane.height // 2) + plane.width // 8] > 160
            if is_white and not was_white and frame.time >= from_s:
                found.append(frame.time)
            was_white = is_white
    return found


def _beeps(film: Path, from_s: float, to_s: float) -> list[float]:
    found, quiet_since = [], -1.0
    with av.open(str(film)) as container:
        if not container.streams.audio:
            return []
        if from_s:
            container.seek(int(from_s * 1e6))
        for frame in container.decode(audio=0):
            if frame.time > to_s:
                break
            samples = memoryview(bytes(frame.planes[0])).cast("f")
            step = 2 if len(frame.planes) == 1 else 1
            for index in range(0, frame.samples, 24):
                at = frame.time + index / frame.sample_rate
                if abs(samples[index * step]) > 0.1:
                    if at - quiet_since > 0.2 and at >= from_s:
                        found.append(at)
                    quiet_since = at
    return found

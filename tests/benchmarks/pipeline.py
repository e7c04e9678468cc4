"""From the last packet of a recording until it is stored, beside Janus and its post-processor.

``pipeline.cpu_ms``: everything between a sealed segment at the platform's door and films that were
stored and read back, for each person and each recorded second; HTTP and TLS of the door are not in
it. Janus beside: ``janus-pp-rec`` of each track and ffmpeg to put a person's two into one film,
without encoding; nothing is sealed there and nothing read back.

``pipeline.memory_mb``: what the process that makes the films of a recording of two hours needs
beyond what it needs idle.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks import janus
from tests.benchmarks.figures import Figure
from tests.benchmarks.prepared import Prepared, prepared
from tests.benchmarks.recording import janus_recorded, only_send
from tests.servers.processes import REPOSITORY
from tests.servers.server import small_environment

_PEOPLE = 2
_SECONDS = 60
_TWO_HOURS = 7_200


def measure(folder: Path) -> list[Figure]:
    media_folder = folder / "prepared"
    media = prepared(media_folder)
    seconds = _PEOPLE * _SECONDS
    fed, made = _stored(folder / "pipeline-short", media_folder, _SECONDS)
    ours = (fed["cpu_ms"] + made["cpu_ms"]) / seconds
    parts = f"(door {fed['cpu_ms'] / seconds:.2f}, films {made['cpu_ms'] / seconds:.2f})"
    beside = _janus(folder / "pipeline-janus", media) if janus.is_installed() else None
    _, long = _stored(folder / "pipeline-long", media_folder, _TWO_HOURS)
    beyond = long["peak_mb"] - long["idle_mb"]
    told = f"({long['films_mb']:.0f} MB of films in {long['seconds']:.0f} s)"
    return [
        Figure("pipeline.cpu_ms", ours, "ms", beside, parts),
        Figure("sealing.memory_mb", beyond, "MB", None, told),
    ]


def _stored(folder: Path, media: Path, seconds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    (folder / "data").mkdir(parents=True)
    fed = _run(folder, "feed", str(seconds), str(_PEOPLE), str(media))
    return fed, _run(folder, "films", fed["recording"])


def _run(folder: Path, *arguments: str) -> dict[str, Any]:
    roots = (str(REPOSITORY / root) for root in ("platform", "apps", "."))
    result = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.stored_films", *arguments],
        env=small_environment(
            PYTHONPATH=":".join(roots), CONSILIUM_DATA=str(folder / "data"), CONSILIUM_DEMO="1"
        ),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    said: dict[str, Any] = json.loads(result.stdout.rpartition("SAID")[2])
    return said


def _janus(folder: Path, media: Prepared) -> float:
    """Milliseconds for each person and second, of programs that this process waited for."""
    only_send()
    recordings = asyncio.run(janus_recorded(folder, media, _PEOPLE, _SECONDS))
    videos = sorted(recordings.glob("*-video*.mjr"))
    assert len(videos) == _PEOPLE, list(recordings.iterdir())
    before = _children_ms()
    for number, video in enumerate(videos):
        user = video.name.partition("-user-")[2].partition("-")[0]
        [audio] = recordings.glob(f"*-user-{user}-*audio*.mjr")
        picture, sound = folder / f"{number}.webm", folder / f"{number}.opus"
        for track, target in ((video, picture), (audio, sound)):
            command = ["janus-pp-rec", str(track), str(target)]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(picture), "-i", str(sound)]
        command += ["-c", "copy", str(folder / f"film-{number}.webm")]
        subprocess.run(command, check=True, timeout=120)
    return (_children_ms() - before) / _PEOPLE / _SECONDS


def _children_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1_000

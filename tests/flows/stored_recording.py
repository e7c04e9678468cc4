"""A stored recording as somebody outside gets it: files, keys, and the program of one file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.flows.back_room import BackRoom
from tests.servers.processes import REPOSITORY, wait_for

OPENER = REPOSITORY / "deploy" / "opener" / "open_recording.py"

_ALLOW = """
from accounts.models import Organisation
from recordings import policies
policies.write(Organisation.objects.get(name="Riverside Hospital").pk, may_record=True)
"""

#: Stored, and nothing left of what it was made of.
_IS_STORED = """
from recordings import storage
from recordings.models import Recording
it = Recording.objects.get(meeting_id=meeting)
prefix = storage.segments_prefix(it.organisation_id, it.pk)
answer = it.state == "stored" and not list(storage.blobs().names(prefix))
"""

_EXPORT = """
import base64
from pathlib import Path
from recordings import storage
from recordings.models import Recording
from vault import recording_keys, signing
from vault.models import SigningKey
it = Recording.objects.get(meeting_id=meeting)
folder = Path(folder)
objects = folder / "objects"
objects.mkdir()
for film in it.films.all():
    name = storage.film_name(it.organisation_id, it.pk, film.pk)
    (objects / f"{film.pk}.bin").write_bytes(storage.blobs().read(name, 0, film.size + 1))
name = storage.manifest_name(it.organisation_id, it.pk)
(folder / "manifest.json").write_bytes(storage.blobs().read(name, 0, 1 << 22))
keys = {str(film.pk): recording_keys.data_key(it.pk, film.pk).hex() for film in it.films.all()}
(folder / "keys.json").write_text(json.dumps(keys))
kid, public = signing.public_keys(SigningKey.Purpose.MANIFEST)[0]
answer = {
    "recording": str(it.pk),
    "organisation": str(it.organisation_id),
    "started": it.started_at.timestamp(),
    "key": kid + "=" + base64.urlsafe_b64decode(public + "==").hex(),
}
"""


@dataclass(frozen=True)
class OpenedFilm:
    place: str
    sources: tuple[str, ...]
    path: Path
    #: When it begins, in seconds of the machine's clock.
    begins_s: float


@dataclass(frozen=True)
class OpenedRecording:
    manifest: dict[str, Any]
    films: tuple[OpenedFilm, ...]
    #: When the recording began, in seconds of the machine's clock.
    started_s: float

    def film_of(self, place: str, source: str = "camera") -> OpenedFilm:
        [film] = [one for one in self.films if one.place == place and source in one.sources]
        return film


def allow_recording(back_room: BackRoom) -> None:
    back_room.do(_ALLOW)


def wait_until_stored(back_room: BackRoom, meeting: str, seconds: float = 40) -> None:
    wait_for(lambda: back_room.do(_IS_STORED, meeting=meeting), "a stored recording", seconds)


def open_stored(back_room: BackRoom, meeting: str, folder: Path) -> OpenedRecording:
    """Everything that is stored, opened by the stand-alone program with unwrapped keys."""
    told = back_room.do(_EXPORT, meeting=meeting, folder=str(folder))
    out = folder / "films"
    out.mkdir()
    said = subprocess.run(
        [
            *(sys.executable, OPENER, "--manifest", folder / "manifest.json"),
            *("--manifest-key", told["key"], "--organisation", told["organisation"]),
            *("--recording", told["recording"], "--objects", folder / "objects"),
            *("--keys", folder / "keys.json", "--out", out),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    manifest = json.loads((folder / "manifest.json").read_text())["manifest"]
    films = tuple(
        OpenedFilm(
            place=entry["place"],
            sources=tuple(entry["sources"]),
            path=out / f"{entry['object']}.webm",
            begins_s=told["started"] + entry["starts_ms"] / 1_000,
        )
        for entry in manifest["objects"]
    )
    return OpenedRecording(manifest, films, told["started"])

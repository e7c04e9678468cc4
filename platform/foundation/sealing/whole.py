"""A whole recording: a verified manifest and all that the storage has of it. FORMAT.md section 5.

With the data keys every chunk is opened; without them it is still shown that all is there and
unchanged, by somebody who may not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from foundation.sealing.errors import ObjectMissing, ObjectReplaced, ObjectUnlisted
from foundation.sealing.records import Protection
from foundation.sealing.shape import Manifest, ObjectEntry
from foundation.sealing.stored import ObjectReader, Wanted

#: (object, from, to): those bytes of the stored object; fewer, or none, if it ends before.
Fetch = Callable[[UUID, int, int], bytes]

#: (object, piece): takes a film as it is opened.
Give = Callable[[UUID, bytes], None]


def wanted(manifest: Manifest, entry: ObjectEntry) -> Wanted:
    """What a verified manifest says of one of its objects."""
    return Wanted(
        organisation=UUID(manifest["organisation"]),
        recording=UUID(manifest["recording"]),
        object=UUID(entry["object"]),
        consent_digest=bytes.fromhex(manifest["consent_digest"]),
        protection=Protection.SFRAME if manifest["mode"] == "sealed" else Protection.NONE,
        key_commitment=bytes.fromhex(entry["key_commitment"]),
    )


def verify_recording(
    manifest: Manifest,
    present: Iterable[UUID],
    fetch: Fetch,
    data_keys: Mapping[UUID, bytes],
    give: Give | None = None,
) -> None:
    """Returns if the storage has exactly what the manifest lists, each whole and as it was stored.

    Objects without a data key are not opened and all else of them is checked. ``give`` gets each
    film in pieces, before its end was checked: keep nothing of it if this raises.
    """
    stored = list(dict.fromkeys(present))
    listed = {UUID(entry["object"]): entry for entry in manifest["objects"]}
    for name in listed:
        if name not in stored:
            raise ObjectMissing({"object": str(name)})
    for name in stored:
        if name not in listed:
            raise ObjectUnlisted({"object": str(name)})
    for name, entry in listed.items():
        reader = ObjectReader(wanted(manifest, entry), _fetch_of(fetch, name), data_keys.get(name))
        opens = name in data_keys
        found = reader.whole(_given_to(give, name)) if opens else reader.digest()
        if reader.header.plaintext_bytes != entry["plaintext_bytes"]:
            raise ObjectReplaced(reader.where)
        if found.hex() != entry["sha256"]:
            raise ObjectReplaced(reader.where)


def _fetch_of(fetch: Fetch, name: UUID) -> Callable[[int, int], bytes]:
    return lambda start, end: fetch(name, start, end)


def _given_to(give: Give | None, name: UUID) -> Callable[[bytes], None]:
    return lambda piece: None if give is None else give(name, piece)

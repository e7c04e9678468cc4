"""What can be wrong with what is read: the names of FORMAT.md section 7. They never change meaning.

Each says ``where``: ``run`` and ``sequence``, or ``object`` and ``chunk``, or the manifest's
``member``. Neither names nor places ever hold contents, so these errors may be logged and shown.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Places, by the words of FORMAT.md.
Where = Mapping[str, str | int]


class Refused(Exception):
    """What was read is not what it should be; the class says what, ``where`` which part."""

    def __init__(self, where: Where | None = None) -> None:
        self.where: dict[str, str | int] = dict(where or {})
        super().__init__(" ".join([self.name, *(f"{k}={v}" for k, v in self.where.items())]))

    @property
    def name(self) -> str:
        """The stable name."""
        return type(self).__name__


# Of more than one format


class ConsentMismatch(Refused):
    """Made under other consents than the manifest shows, or its digest of them is wrong."""


class ProtectionMismatch(Refused):
    """Frames are under SFrame where they should be clear, or the other way round."""


class SuiteUnsupported(Refused):
    """A suite of algorithms that this reader does not know."""


class VersionUnsupported(Refused):
    """A version that this reader does not know."""


class WrongKey(Refused):
    """The key at hand is not the one it was sealed with, or an object's header was changed."""


# Segments


class NotASegment(Refused):
    """It does not begin as a segment does."""


class RunUnknown(Refused):
    """The storage has a run that is not on the roll."""


class SegmentAfterLast(Refused):
    """A run goes on after its end."""


class SegmentBeyondRoll(Refused):
    """The storage has a segment that is not on the roll."""


class SegmentChainBroken(Refused):
    """It was not sealed after the segment that is before it."""


class SegmentFromAnotherRecording(Refused):
    """Its header names another organisation or recording."""


class SegmentFromAnotherRun(Refused):
    """Its header names another run."""


class SegmentMalformed(Refused):
    """Its header or its records are not made as they must be."""


class SegmentMisplaced(Refused):
    """It belongs further on in its run."""


class SegmentMissing(Refused):
    """The storage does not have it."""


class SegmentRepeated(Refused):
    """It was read before in this run."""


class SegmentTampered(Refused):
    """Its digest is not the one on the roll."""


class SegmentTrailingBytes(Refused):
    """It is longer than it says."""


class SegmentTruncated(Refused):
    """It is shorter than it says."""


class SegmentUnopened(Refused):
    """It does not open with the key that it names."""


# Stored objects


class NotAnObject(Refused):
    """It does not begin as a stored object does."""


class ObjectFromAnotherRecording(Refused):
    """Its header names another organisation or recording."""


class ObjectMalformed(Refused):
    """Its header holds what none may hold."""


class ObjectMisplaced(Refused):
    """Its header names another object of this recording."""


class ObjectMissing(Refused):
    """The manifest lists it and the storage does not have it."""


class ObjectReplaced(Refused):
    """A sound object, perhaps, but not the one that the manifest lists."""


class ObjectTampered(Refused):
    """A chunk does not open."""


class ObjectTrailingBytes(Refused):
    """It is longer than it says."""


class ObjectTruncated(Refused):
    """It is shorter than it says."""


class ObjectUnlisted(Refused):
    """The storage has it and the manifest does not list it."""


class RangeOutside(Refused):
    """Bytes were asked for that it does not have."""


# Manifests


class ManifestCarriesKeys(Refused):
    """A member is named like a wrapped or a private key."""


class ManifestCriticalUnknown(Refused):
    """It holds something that must not be ignored and is not known here."""


class ManifestForged(Refused):
    """The signature is wrong."""


class ManifestFromAnotherRecording(Refused):
    """It is another recording's."""


class ManifestKeyRetired(Refused):
    """It says that it was made after its key was retired."""


class ManifestKeyUnknown(Refused):
    """It was signed by a key that is not known here."""


class ManifestMalformed(Refused):
    """It is no JSON that is allowed, or a member is missing or of another shape."""


class ManifestNotCanonical(Refused):
    """Its bytes are not the canonical form of what they say."""

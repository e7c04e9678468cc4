"""The seam between contexts below the vault and the vault: sealing of personal text.

``audit`` and ``access`` stand beside or below ``vault`` and may not import it, yet must not store
personal text in clear. They call ``seal`` and ``open_sealed`` here; ``vault`` provides the real
thing when it starts. Until then both refuse, so nothing is ever stored unsealed by mistake.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class PersonalSealer(Protocol):
    def seal(self, organisation_id: UUID | None, label: str, text: str) -> str: ...

    def open_sealed(self, label: str, sealed: str) -> str: ...


_sealer: PersonalSealer | None = None


def provide(sealer: PersonalSealer) -> None:
    """Called once by the vault at start."""
    global _sealer  # noqa: PLW0603 - one provider for the whole process is the point
    _sealer = sealer


def seal(organisation_id: UUID | None, label: str, text: str) -> str:
    """``text`` sealed under the organisation's key, bound to ``label`` (table and column)."""
    return _provided().seal(organisation_id, label, text)


def open_sealed(label: str, sealed: str) -> str:
    """What ``seal`` was given for the same ``label``."""
    return _provided().open_sealed(label, sealed)


def _provided() -> PersonalSealer:
    if _sealer is None:
        raise RuntimeError("personal text can't be sealed: the vault has not started")
    return _sealer

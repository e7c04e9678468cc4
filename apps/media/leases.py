"""Media leases: what lets a participant's media through a worker, for a while, at one epoch.

A lease is a JWT signed by the platform's lease key. It holds when the platform is away, so a call
in progress outlives a restart of the web processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings

from audit.clock import database_now
from foundation.wire.worker import LEASE_AUDIENCE
from media.models import Path
from vault import signing
from vault.models import SigningKey


@dataclass(frozen=True, slots=True)
class MediaLease:
    token: str = field(repr=False)
    expires_at: datetime


def ends_at() -> datetime:
    """When a lease issued now ends."""
    return database_now() + timedelta(seconds=settings.LEASE_SECONDS)


def issue(worker_id: UUID, path: Path) -> MediaLease:
    """A lease for ``path`` at its epoch on that worker, for ``settings.LEASE_SECONDS``."""
    now = database_now()
    expires_at = ends_at()
    token = signing.sign(
        SigningKey.Purpose.LEASE,
        {
            "aud": LEASE_AUDIENCE,
            "jti": str(uuid4()),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "worker": str(worker_id),
            "room": str(path.meeting_id),
            "participant": str(path.participation_id),
            "epoch": path.epoch,
            "mode": path.meeting.mode,
            "relay_only": path.meeting.relay_only,
        },
    )
    return MediaLease(token, expires_at)

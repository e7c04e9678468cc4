"""Database sessions that a stolen database can't resume: the key hashed, the content sealed.

``settings.SESSION_ENGINE`` names this module.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone

from accounts.models import LoginSession
from vault import sealing

_LABEL = "accounts.loginsession.session_data"


class SessionStore(DatabaseStore):
    """Django's database store over ``LoginSession``; the cookie's key never reaches a table."""

    @classmethod
    def get_model_class(cls) -> Any:
        return LoginSession

    def _stored_key(self, session_key: str | None) -> str:
        return sealing.keyed_hash("session", session_key or "")

    def _get_session_from_db(self) -> Any:
        try:
            return self.model.objects.get(
                session_key=self._stored_key(self.session_key), expire_date__gt=timezone.now()
            )
        except (self.model.DoesNotExist, SuspiciousOperation):
            self._session_key = None
            return None

    def exists(self, session_key: str) -> bool:
        return bool(self.model.objects.filter(session_key=self._stored_key(session_key)).exists())

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        return self.model(
            session_key=self._stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=self._stored_key(key)).delete()

    def encode(self, session_dict: dict[str, Any]) -> str:
        return sealing.seal(None, _LABEL, json.dumps(session_dict))

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        try:
            opened: dict[str, Any] = json.loads(sealing.open_sealed(_LABEL, str(session_data)))
        except sealing.SealBroken:
            return {}
        return opened

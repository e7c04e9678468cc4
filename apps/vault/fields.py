"""A column whose text is sealed on the way in and opened on the way out."""

from __future__ import annotations

from typing import Any

from django.db import models

from vault import sealing


class SealedText(models.TextField):  # type: ignore[type-arg]
    """Text sealed under the row's organisation's key (``organisation_id``; absent: installation's).

    Written by ``save`` and ``create`` only: an ``update()`` does not know the row's organisation
    and raises ``TypeError``. It can't be searched; keep a keyed index beside it where needed.
    """

    @property
    def label(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"  # noqa: SLF001 - Django's documented door

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        text = super().pre_save(model_instance, add)
        if text is None:
            return None
        organisation_id = getattr(model_instance, "organisation_id", None)
        return _Sealed(sealing.seal(organisation_id, self.label, str(text)))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is not None and not isinstance(value, _Sealed):
            raise TypeError(f"{self.label} is sealed: write it with save(), not update()")
        return None if value is None else str(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return None if value is None else sealing.open_sealed(self.label, value)


class _Sealed(str):
    """Text that is sealed already; never shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"

"""The one AdminSite: read-only, behind MFA, closed to whoever the gate refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import AdminSite, ModelAdmin, RelatedFieldListFilter
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from access import gate
from access.facts import Installation
from access.requests import acting
from access.verbs import Verb

# Django's classes take their type arguments only when types are checked.
if TYPE_CHECKING:
    _Page = ModelAdmin[models.Model]
else:
    _Page = ModelAdmin


class OfficersDesk(AdminSite):
    """Where compliance officers and IT administrators look; nothing is changed here directly."""

    site_header = _("Consilium")
    site_title = _("Consilium")
    index_title = _("Your organisation")
    enable_nav_sidebar = True

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """All pages as one list: a heading for each app would repeat the name of its only page."""
        apps = super().get_app_list(request, app_label)
        return [{"models": [page for app in apps for page in app["models"]]}] if apps else []

    def app_index(  # type: ignore[override]  # Django's own view is typed as a page of its own
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one list."""
        return redirect("admin:index")

    def has_permission(self, request: HttpRequest) -> bool:
        return gate.allows(acting(request), Verb.ADMIN_OPEN, Installation())

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(f"{reverse('account_login')}?next={request.get_full_path()}")
        gate.require(
            acting(request), Verb.ADMIN_OPEN, Installation(acting(request).organisation_id)
        )
        return redirect("admin:index")


desk = OfficersDesk(name="admin")


def yes_or_no(claim: bool) -> str:
    """A fact in words: Django's red cross would call every "no" a fault."""
    return str(_("yes") if claim else _("no"))


class OwnRowsFilter(RelatedFieldListFilter):
    """A filter by a relation that offers rows of the actor's organisation only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        own = {"organisation_id": acting(request).organisation_id}
        choices: list[Any] = field.get_choices(
            include_blank=False, ordering=("name",), limit_choices_to=own
        )
        return choices


class ShownOnly(_Page):
    """A page that shows rows of the actor's organisation. Each names the verb that opens it."""

    verb: ClassVar[Verb]
    organisation_path: ClassVar[str] = "organisation_id"
    actions = None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[models.Model]:
        return (
            super()
            .get_queryset(request)
            .filter(**{self.organisation_path: acting(request).organisation_id})
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require(request)
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        self._require(request)
        title = {"title": capfirst(self.opts.verbose_name), "subtitle": None}
        return super().changeform_view(
            request, object_id, form_url, {**title, **(extra_context or {})}
        )

    def _require(self, request: HttpRequest) -> None:
        """Before Django asks ``has_view_permission``, which leaves no trail of a refusal."""
        gate.require(acting(request), self.verb, Installation(acting(request).organisation_id))

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return gate.allows(acting(request), self.verb, Installation())

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

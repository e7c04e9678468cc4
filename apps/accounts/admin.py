"""People and organisations on the officers' desk; shown, not changed."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from access.site import OwnRowsFilter, ShownOnly, desk, yes_or_no
from access.verbs import Verb
from accounts.models import Department, Membership


@admin.register(Membership, site=desk)
class MembershipPage(ShownOnly):
    verb = Verb.PEOPLE_SHOW
    list_display = ("person_name", "role", "department", "is_active", "created_at")
    list_filter = ("role", ("department", OwnRowsFilter))
    list_select_related = ("person", "department")
    fields = ("person_name", "email", "role", "department", "is_active", "created_at")

    @admin.display(description=_("name"))
    def person_name(self, membership: Membership) -> str:
        return str(membership.person.full_name)

    @admin.display(description=_("e-mail"))
    def email(self, membership: Membership) -> str:
        return str(membership.person.email)

    @admin.display(description=_("active"))
    def is_active(self, membership: Membership) -> str:
        return yes_or_no(membership.person.is_active)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return self.fields


@admin.register(Department, site=desk)
class DepartmentPage(ShownOnly):
    verb = Verb.PEOPLE_SHOW
    list_display = ("name", "mode_preset")

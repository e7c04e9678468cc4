from __future__ import annotations

from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from access.site import desk

#: allauth asks for this by its name.
handler429 = "access.problems.throttled"

urlpatterns = [
    path("", include("meetings.urls")),
    path("", include("media.urls")),
    path("", include("recordings.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("jsi18n/", JavaScriptCatalog.as_view(packages=None), name="javascript-catalog"),
    path("admin/", desk.urls),
]

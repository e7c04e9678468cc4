from __future__ import annotations

from django.urls import path

from meetings import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("promise/", views.promise, name="promise"),
    path("visit/", views.visit, name="visit"),
    path("visit/redeem", api.Redeem.as_view(), name="redeem"),
    path("desk/", views.desk, name="desk"),
    path("desk/meetings/new/", views.new_meeting, name="meeting-new"),
    path("desk/meetings/<uuid:meeting_id>/", views.meeting, name="meeting"),
    path("desk/meetings/<uuid:meeting_id>/invite/", views.invite, name="meeting-invite"),
    path("desk/meetings/<uuid:meeting_id>/end/", views.end_meeting, name="meeting-end"),
    path(
        "desk/meetings/<uuid:meeting_id>/guests/<uuid:participation_id>/renew/",
        views.renew_invitation,
        name="invitation-renew",
    ),
    path(
        "desk/meetings/<uuid:meeting_id>/guests/<uuid:participation_id>/revoke/",
        views.revoke_invitation,
        name="invitation-revoke",
    ),
    path("meetings/<uuid:meeting_id>/room/", views.room, name="room"),
    path("meetings/<uuid:meeting_id>/me", api.Me.as_view(), name="me"),
    path("meetings/<uuid:meeting_id>/ticket", api.Ticket.as_view(), name="ticket"),
    path(
        "meetings/<uuid:meeting_id>/verification/send",
        api.SendCode.as_view(),
        name="verification-send",
    ),
    path(
        "meetings/<uuid:meeting_id>/verification/check",
        api.CheckCode.as_view(),
        name="verification-check",
    ),
]

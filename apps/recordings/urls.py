from django.urls import path

from recordings import views

urlpatterns = [
    path(
        "media/segments/<uuid:recording>/<uuid:run>/<int:sequence>", views.segment, name="segment"
    ),
    path("recordings/<uuid:recording>/", views.page, name="recording"),
    path("recordings/<uuid:recording>/play/", views.play, name="recording-play"),
    path("recordings/<uuid:recording>/inspect/", views.inspect, name="recording-inspect"),
    path("recordings/<uuid:recording>/viewings/<uuid:viewing>/", views.viewing, name="viewing"),
    path(
        "recordings/<uuid:recording>/viewings/<uuid:viewing>/films/<uuid:film>",
        views.film,
        name="viewing-film",
    ),
    path("recordings/<uuid:recording>/holds/", views.hold, name="recording-hold"),
    path(
        "recordings/<uuid:recording>/holds/<uuid:hold>/release/",
        views.release,
        name="recording-release",
    ),
    path(
        "desk/organisations/<uuid:organisation>/recording-policy/",
        views.policy,
        name="recording-policy",
    ),
]

from django.urls import path

from recordings import views

urlpatterns = [
    path(
        "media/segments/<uuid:recording>/<uuid:run>/<int:sequence>", views.segment, name="segment"
    ),
]

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MediaConfig(AppConfig):
    name = "media"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Media")

    def ready(self) -> None:
        from foundation.events import subscribe
        from media.actions import paths
        from meetings.events import MeetingEnded, PlaceEnded

        subscribe(PlaceEnded, paths.end_place)
        subscribe(MeetingEnded, paths.end_room)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "recordings"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from foundation.events import subscribe
        from media.events import RecordingReported, RoomLeased
        from meetings.events import (
            ConsentGiven,
            ConsentRefused,
            ConsentWithdrawn,
            MeetingEnded,
            PlaceEnded,
        )
        from recordings.actions import ask, capture

        subscribe(ConsentGiven, ask.somebody_agreed)
        subscribe(ConsentRefused, ask.somebody_refused)
        subscribe(ConsentWithdrawn, capture.somebody_withdrew)
        subscribe(PlaceEnded, capture.somebody_left)
        subscribe(MeetingEnded, capture.meeting_ended)
        subscribe(RoomLeased, capture.order_again)
        subscribe(RecordingReported, capture.worker_reported)

"""What Celery does for media."""

from __future__ import annotations

from celery import shared_task

from access.doors import door
from access.verbs import Verb
from media.actions import paths, workers


@door(Verb.WORKER_PLACE)
@shared_task(name="media.move_rooms_of_lost_workers", ignore_result=True)
def move_rooms_of_lost_workers() -> None:
    """For the case that the web process which kept a worker's presence died with it."""
    for worker_id in workers.lost_workers():
        paths.leave_worker(worker_id)

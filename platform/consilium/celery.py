"""The Celery application. Tasks take ids and call one idempotent action."""

from __future__ import annotations

import os

from celery import Celery

from foundation.private_memory import keep_memory_private

keep_memory_private()  # worker and beat load this module first
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.settings")

app = Celery("consilium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

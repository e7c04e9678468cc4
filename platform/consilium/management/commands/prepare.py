"""``manage.py prepare``: everything an installation needs before it starts. Safe to repeat."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from consilium import demo
from foundation.actor import service
from foundation.keys import localfile
from media.actions.workers import invite_worker
from media.models import MediaWorker
from vault import keyring, signing
from vault.models import SigningKey


class Command(BaseCommand):
    help = "Make keys, migrate the database, and in the demo make people and a meeting."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in ("mail", "static", "worker"):
            (settings.DATA / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.PRODUCTION:
            # Embedded parts in production end here, with a sentence for each.
            call_command("check", deploy=True, fail_level="ERROR")
        localfile.create(settings.KEY_FILE)
        call_command("migrate", verbosity=0, interactive=False)
        make_missing_keys()
        call_command("collectstatic", verbosity=0, interactive=False)
        self._invite_first_worker()
        if settings.DEMO:
            for line in demo.make():
                self.stdout.write(line)

    def _invite_first_worker(self) -> None:
        """A one-time code where the worker on this machine looks for it."""
        code_file = settings.DATA / "worker" / "enrolment-code"
        identity = settings.DATA / "worker" / "identity.json"
        if identity.exists() and MediaWorker.objects.exists():
            return
        identity.unlink(missing_ok=True)
        code_file.touch(mode=0o600)
        code_file.write_text(invite_worker(service("prepare")))


def make_missing_keys() -> None:
    """The installation's key and its signing keys, where there are none."""
    if not keyring.has_key(None):
        keyring.make_key(None)
    for purpose in SigningKey.Purpose:
        if not SigningKey.objects.filter(purpose=purpose).exists():
            signing.make_signing_key(purpose)

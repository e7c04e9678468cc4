"""``manage.py prepare``: everything an installation needs before it starts. Safe to repeat.

What stands in the way (a key file that is gone, a database that does not answer, a disk that is
full) is one line and status 2: whoever starts us has nothing to add.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import psycopg
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from consilium import demo, static_files
from consilium.environment import CANNOT_START
from foundation.actor import service
from foundation.blobs import BlobsRefused, BlobsUnavailable
from foundation.keys import KeyServiceError, WrapRefused, localfile
from media.actions.workers import invite_worker
from media.models import MediaWorker
from recordings import storage
from vault import keyring, signing
from vault.models import SigningKey


class Command(BaseCommand):
    help = "Make keys, migrate the database, and in the demo make people and a meeting."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._prepare()
        except KeyServiceError as problem:
            self._give_up(f"CONSILIUM_KEY_FILE: {problem}.")
        except DatabaseError as problem:
            # A driver's further lines are hints for programmers.
            self._give_up(f"The database cannot be used: {str(problem).splitlines()[0]}.")
        except OSError as problem:
            self._give_up(f"{problem.filename or 'prepare'}: {problem.strerror}.")

    def _give_up(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(CANNOT_START)

    def _prepare(self) -> None:
        for folder in ("mail", "static", "worker"):
            (settings.DATA / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.PRODUCTION:
            found = checks.run_checks(include_deployment_checks=True)
            if wrong := [check.msg for check in found if check.level >= checks.ERROR]:
                self._give_up("\n".join(wrong))
        reach_database()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # What takes long here is wanted; what waits for a lock still gives up.
                cursor.execute("SET statement_timeout = 0")
        call_command("migrate", verbosity=0, interactive=False)
        make_missing_keys()
        self._look_at_storage()
        static_files.collect()
        self._invite_first_worker()
        if settings.DEMO:
            for line in demo.make():
                self.stdout.write(line)

    def _look_at_storage(self) -> None:
        """Set up wrong, it ends the start; away, it does not: calls need no storage."""
        try:
            storage.configured().ensure_ready()
        except BlobsUnavailable as problem:
            self.stderr.write(f"The storage cannot be reached, and nothing can be kept: {problem}.")
        except BlobsRefused as problem:
            self._give_up(f"CONSILIUM_STORAGE_URL: {problem}.")

    def _invite_first_worker(self) -> None:
        """A one-time code where the worker on this machine looks for it."""
        code_file = settings.DATA / "worker" / "enrolment-code"
        identity = settings.DATA / "worker" / "identity.json"
        if identity.exists() and MediaWorker.objects.exists():
            return
        identity.unlink(missing_ok=True)
        code_file.touch(mode=0o600)
        code_file.write_text(invite_worker(service("prepare")))


def reach_database() -> None:
    """Connect once beside the pool, which would try for 30 s and then not say what was wrong."""
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors:
            psycopg.connect(**{"connect_timeout": 5, **connection.get_connection_params()}).close()


def make_missing_keys() -> None:
    """The key file, the installation's key and its signing keys, where there are none.

    Raises ``KeyServiceError`` when the database was sealed under a key file that is not this one.
    """
    if not keyring.has_key(None):
        try:
            localfile.create(settings.KEY_FILE)
        except OSError as problem:
            raise KeyServiceError(
                f"{settings.KEY_FILE} cannot be made: {problem.strerror}"
            ) from None
        keyring.make_key(None)
    elif not settings.KEY_FILE.exists():
        # A new one would open nothing and look as if all were well.
        raise KeyServiceError(
            f"{settings.KEY_FILE} is missing, and the database is sealed under it: restore it"
        )
    try:
        keyring.derived(keyring.active_key_id(None), "seal")
    except WrapRefused:
        raise KeyServiceError(
            f"{settings.KEY_FILE} is not the key file under which the database is sealed"
        ) from None
    for purpose in SigningKey.Purpose:
        if not SigningKey.objects.filter(purpose=purpose).exists():
            signing.make_signing_key(purpose)

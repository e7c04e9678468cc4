"""``manage.py demo_sign_in``: new sign-in details for the demo's people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consilium import demo


class Command(BaseCommand):
    help = "Give the demo's people new passwords and TOTP keys, and print them once."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("This is no demo (CONSILIUM_PRODUCTION).")
        try:
            for line in demo.renew_sign_in():
                self.stdout.write(line)
        except demo.NoDemo as problem:
            raise CommandError(str(problem)) from None

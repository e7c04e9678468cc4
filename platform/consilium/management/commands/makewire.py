"""``manage.py makewire``: write what comes from ``foundation.wire``; ``--check`` compares."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consilium.wire_types import files


class Command(BaseCommand):
    help = "Write JSON Schema and the browser's types of all messages."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        for path, content in files(settings.BASE_DIR).items():
            if options["check"]:
                if not path.exists() or path.read_text() != content:
                    raise CommandError(f"{path.name} is stale: run `make wire`")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

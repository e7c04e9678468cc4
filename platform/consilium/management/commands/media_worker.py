"""``manage.py media_worker``: whoever runs the machines invites, lists and withdraws workers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from foundation.actor import service
from foundation.errors import ConsiliumError
from media.actions import workers
from media.models import MediaWorker

#: On the trail: who may run commands on this machine is not known to us by name.
OPERATOR = service("operator")


class Command(BaseCommand):
    help = "Invite a media worker, list those there are, or withdraw one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="do", required=True, metavar="invite|list|withdraw")
        commands.add_parser("invite", help="print a one-time code for one new worker")
        commands.add_parser("list", help="every worker, and whether it is connected")
        withdraw = commands.add_parser("withdraw", help="never accept this worker again")
        withdraw.add_argument("worker", help="its name, or its id when several have that name")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["do"]:
            case "invite":
                self._invite()
            case "list":
                self._list()
            case "withdraw":
                self._withdraw(options["worker"])

    def _invite(self) -> None:
        """The code alone goes to standard output, so that it can be piped to where it is needed."""
        code = workers.invite_worker(OPERATOR)
        minutes = int(workers.ENROLMENT_LASTS.total_seconds() // 60)
        self.stderr.write(f"For one worker, within {minutes} minutes; it is not shown again:")
        self.stdout.write(code)

    def _list(self) -> None:
        for worker in MediaWorker.objects.order_by("name", "enrolled_at"):
            if worker.state != "enrolled":
                standing = worker.state
            elif worker.is_present():
                standing = f"connected, {worker.participants} of {worker.capacity} people"
            else:
                standing = "not connected"
            self.stdout.write(f"{worker.name:<16} {worker.pk}  {standing}")

    def _withdraw(self, name_or_id: str) -> None:
        worker = _worker(name_or_id)
        try:
            workers.withdraw_worker(OPERATOR, worker.pk)
        except ConsiliumError as refusal:
            if worker.state == "withdrawn":
                raise CommandError(f"{worker.name} ({worker.pk}) is withdrawn already.") from None
            raise CommandError(f"Refused: {refusal.problem.code}.") from None
        self.stdout.write(f"{worker.name} ({worker.pk}) is withdrawn; its calls have moved on.")


def _worker(name_or_id: str) -> MediaWorker:
    """The worker of this id, or the only one of this name that is not withdrawn."""
    try:
        found = list(MediaWorker.objects.filter(pk=UUID(name_or_id)))
    except ValueError:
        named = MediaWorker.objects.filter(name=name_or_id)
        found = list(named.exclude(state="withdrawn")) or list(named)
    if not found:
        raise CommandError(f"There is no media worker {name_or_id}; see: media_worker list")
    if len(found) > 1:
        ids = ", ".join(str(worker.pk) for worker in found)
        raise CommandError(f"Several workers are called {name_or_id}; name one by its id: {ids}")
    return found[0]

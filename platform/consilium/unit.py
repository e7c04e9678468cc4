"""One process of an installation, in the foreground: what a container or a systemd unit runs.

``python -m consilium.unit web`` (or ``celery``, ``beat``) becomes the process that the supervisor
would start under that name. ``--check`` instead asks the web process on this port whether it
answers, and ends with 0 or 1: a health check.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
from collections.abc import Sequence
from typing import NoReturn

from consilium import environment as environment_module
from consilium.environment import CANNOT_START, Environment, SettingsWrong
from consilium.launch import certificate, door, plan

#: Whoever needs longer to answer does not count as healthy.
CHECK_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """The status of a check or of a start that failed; otherwise this process is another one."""
    parser = argparse.ArgumentParser(prog="consilium.unit", description=__doc__)
    parser.add_argument("name", choices=("web", "celery", "beat"))
    parser.add_argument("--check", action="store_true", help="ask whether the web answers")
    options = parser.parse_args(arguments)
    try:
        environment = environment_module.load()
        paths = plan.Paths(environment.data)
        shown = certificate.shown(paths.tls, environment)
        if options.check:
            return 0 if asyncio.run(_answers(environment, shown)) else 1
        paths.beat_schedule.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _become(options.name, environment, shown)
    except (SettingsWrong, certificate.CertificateWrong) as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        print(f"{problem.filename or 'start'}: {problem.strerror}.", file=sys.stderr)
    return CANNOT_START


def _become(name: str, environment: Environment, shown: certificate.Certificate) -> NoReturn:
    # As under the supervisor: no core dump, and what is written is nobody else's to read.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    [child] = [one for one in plan.children(environment, shown, os.environ) if one.name == name]
    os.execve(child.command[0], child.command, dict(child.environment))  # noqa: S606 - no shell


async def _answers(environment: Environment, shown: certificate.Certificate) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await door.wait_until_it_answers(environment.port, certificate.trusting(shown.path))
    except TimeoutError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

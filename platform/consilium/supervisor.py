"""Runs a whole installation on one machine: ``python -m consilium.supervisor``, or ``make run``.

It prepares what is missing (data directory, certificate, keys, tables), starts the web, the media
worker and Celery, starts again whoever dies, and ends everybody on Ctrl-C. Mistakes in the
settings, a port in use, a second start on the same data: each is one plain line and status 2.

In production each of these processes has its own container or unit, and this module is not used.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from consilium import environment as environment_module
from consilium.environment import CANNOT_START, Environment, SettingsWrong
from consilium.launch import certificate, door, plan
from consilium.launch.supervision import StepFailed, Supervisor
from foundation.private_memory import keep_memory_private

NAME_COLUMNS = 12


class AlreadyRunning(Exception):
    """Another supervisor uses the same data; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; the process's exit status: 0, or 2 when it could not start."""
    parser = argparse.ArgumentParser(prog="consilium.supervisor", description=__doc__)
    parser.add_argument(
        "--ready-file",
        type=Path,
        help="write ports and process ids there (JSON) once the web answers; kept up to date",
    )
    options = parser.parse_args(arguments)
    # A core dump would write keys and people's words to a disk. Children inherit this.
    keep_memory_private()
    os.umask(0o077)  # what is written here, database and mails too, is nobody else's to read
    try:
        environment = environment_module.load()
        _make_directory(environment.data)
        with _only_one(plan.Paths(environment.data).lock):
            try:
                asyncio.run(_run(environment, options.ready_file))
            finally:
                if options.ready_file is not None:
                    options.ready_file.unlink(missing_ok=True)
    except (
        SettingsWrong,
        AlreadyRunning,
        certificate.CertificateWrong,
        door.DoorShut,
        StepFailed,
    ) as problem:
        if str(problem):
            print(problem, file=sys.stderr)
        return CANNOT_START
    except OSError as problem:
        print(f"{problem.filename or 'start'}: {problem.strerror}.", file=sys.stderr)
        return CANNOT_START
    return 0


async def _run(environment: Environment, ready_file: Path | None) -> None:
    """Prepare, start, watch, stop."""
    paths, ports = plan.Paths(environment.data), plan.ports(environment)
    door.check_free(environment.listen, ports)
    for directory in (paths.worker, paths.beat_schedule.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    shown = certificate.shown(paths.tls, environment)
    trust = certificate.trusting(shown.path)

    children = plan.children(environment, shown, os.environ)
    names = [child.name for child in children]

    async def ready() -> None:
        say("", f"Starting {', '.join(names[:-1])} and {names[-1]}.")
        for port in ports:
            await door.wait_until_it_answers(port, trust)
        say("", f"Consilium answers at {environment.public_url}")
        if shown.self_signed:
            say("", f"Its certificate is self-signed: {certificate.fingerprint(shown.path)}")
        say("", "Ctrl-C stops it; what was done stays.")

    def changed(pids: dict[str, int]) -> None:
        if ready_file is not None:
            _write_whole(ready_file, {"port": ports[0], "ports": ports, "pids": pids})

    say("", f"Preparing {paths.data}.")
    await Supervisor(
        children,
        stop_order=plan.STOP_ORDER,
        steps=[plan.prepare_step(environment, os.environ)],
        say=say,
        ready=ready,
        changed=changed,
    ).run()


def say(name: str, line: str) -> None:
    """One line on the terminal, with the name of who says it in front; ours have none."""
    if name and not line.strip():
        return
    try:
        print(f"{name:<{NAME_COLUMNS}} | {line}" if name else line, flush=True)
    except OSError:  # nobody reads any more (EPIPE, EIO): that is no reason to end calls
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of our life


def _make_directory(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise SettingsWrong([f"CONSILIUM_DATA: {data} is not a directory"]) from None
    except OSError as problem:
        raise SettingsWrong([f"CONSILIUM_DATA: {data}: {problem.strerror}"]) from None


def _only_one(lock: Path) -> IO[str]:
    """Hold ``lock`` while the returned file is open. The kernel releases it when we die."""
    file = lock.open("a", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(
            f"Another Consilium is running on {lock.parent}; stop it or set CONSILIUM_DATA."
        ) from None
    return file


def _write_whole(path: Path, content: object) -> None:
    """Write JSON so that a reader sees all of it or the file before."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())

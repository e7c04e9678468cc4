"""Which processes an installation on one machine consists of, and what each is told.

A child's environment is written down here in full. The media worker in particular is given
nothing that opens anything: no database, no broker, no secret key.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from consilium.environment import SOURCE_ROOT, Environment
from consilium.launch.certificate import Certificate
from consilium.launch.child import ChildSpec
from foundation import fault_points

# The media worker first: calls are told while the web can still pass it on. The web last.
STOP_ORDER = ("media-worker", "celery", "beat")

# A browser's message is a few kilobytes (an SDP with all candidates). Daphne's default is 1 MiB.
WEBSOCKET_BYTES = 65_536

# What the media worker may inherit: where it is and how it speaks, nothing it could betray.
_HARMLESS = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", fault_points.VARIABLE)
_HARMLESS_PREFIXES = ("LC_", "CONSILIUM_WORKER_", "CONSILIUM_LOG")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the installation keeps what must survive a restart."""

    data: Path

    @property
    def tls(self) -> Path:
        return self.data / "tls"

    @property
    def worker(self) -> Path:
        return self.data / "worker"

    @property
    def beat_schedule(self) -> Path:
        return self.data / "celery" / "beat-schedule"

    @property
    def lock(self) -> Path:
        return self.data / "run.lock"


def ports(environment: Environment) -> list[int]:
    """One port for each web process."""
    return [environment.port + number for number in range(environment.web_processes)]


def prepare_step(environment: Environment, inherited: Mapping[str, str]) -> ChildSpec:
    """Makes keys, migrates, invents the demo's people, writes the worker's enrolment code."""
    return ChildSpec(
        "prepare",
        (sys.executable, str(SOURCE_ROOT / "manage.py"), "prepare"),
        _django_environment(environment, inherited),
    )


def children(
    environment: Environment, certificate: Certificate, inherited: Mapping[str, str]
) -> list[ChildSpec]:
    """Everybody who runs, in the order of starting. Together they may take 10 s to stop."""
    django = _django_environment(environment, inherited)
    paths = Paths(environment.data)
    return [
        *(
            ChildSpec(
                _web_name(number),
                _daphne(environment, port, certificate),
                django,
                stop_seconds=1.5,
            )
            for number, port in enumerate(ports(environment), start=1)
        ),
        ChildSpec(
            "media-worker",
            (sys.executable, "-m", "media_worker"),
            _worker_environment(environment, certificate, inherited),
            stop_seconds=3.0,  # it says goodbye to the browsers and ships its last segment
        ),
        ChildSpec("celery", _celery("worker", *_WORKER_OPTIONS), django, stop_seconds=4.0),
        ChildSpec(
            "beat",
            _celery(
                "beat", f"--schedule={paths.beat_schedule}", "--pidfile=", "--loglevel=WARNING"
            ),
            django,
            stop_seconds=1.5,
        ),
    ]


# Threads: a slow mail server must not hold up the sweeper, as it would with the solo pool, and
# unlike prefork there are no child processes that could outlive a killed worker. The other
# options switch off talk between several Celery workers, of which there is one here.
_WORKER_OPTIONS = (
    "--pool=threads",
    "--concurrency=4",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=WARNING",
)


def _web_name(number: int) -> str:
    return "web" if number == 1 else f"web-{number}"


def _daphne(environment: Environment, port: int, certificate: Certificate) -> tuple[str, ...]:
    """The command of a web process that ends TLS itself.

    ``-v 0`` is what switches Daphne's access log off: it would name people's addresses. Its own
    reading of forwarded headers stays off, because it believes everybody; see ``proxies``.
    """
    endpoint = ":".join(
        (
            "ssl",
            str(port),
            f"privateKey={_quoted(certificate.key)}",
            f"certKey={_quoted(certificate.path)}",
            *([f"extraCertChain={_quoted(certificate.chain)}"] if certificate.chain else ()),
            f"interface={environment.listen}",
        )
    )
    return (
        sys.executable,
        "-m",
        "consilium.web",
        "-e",
        endpoint,
        "-v",
        "0",
        "--no-server-name",
        # What a socket does at its end waits for the database, which may be busy for 10 s.
        "--application-close-timeout",
        "60",
        "--websocket-max-message-size",
        str(WEBSOCKET_BYTES),
        "--websocket-max-frame-size",
        str(WEBSOCKET_BYTES),
        "consilium.asgi:application",
    )


def _quoted(path: Path) -> str:
    """A path in a Twisted endpoint description, where ``:``, ``=`` and backslash mean something."""
    text = str(path)
    for character in "\\:=":
        text = text.replace(character, f"\\{character}")
    return text


def _celery(*arguments: str) -> tuple[str, ...]:
    """A Celery command, without the banner.

    Its warning about root concerns pickled messages; ours are JSON. Who runs the demo in a
    container is root there, and the advice to use another option would mislead.
    """
    quiet = ("-W", "ignore:You're running the worker with superuser privileges")
    return (sys.executable, *quiet, "-m", "celery", "-A", "consilium.celery", "--quiet", *arguments)


def _python(inherited: Mapping[str, str]) -> dict[str, str]:
    """What every Python process needs: our source roots, and output at once."""
    roots = [SOURCE_ROOT / "platform", SOURCE_ROOT / "apps", SOURCE_ROOT]
    return {
        "PYTHONPATH": ":".join(str(root) for root in roots),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": inherited.get("PYTHONDONTWRITEBYTECODE", ""),
    }


def _django_environment(environment: Environment, inherited: Mapping[str, str]) -> dict[str, str]:
    return {
        **inherited,
        **_python(inherited),
        "DJANGO_SETTINGS_MODULE": "consilium.settings",
        "CONSILIUM_DATA": str(environment.data),
    }


def _worker_environment(
    environment: Environment, certificate: Certificate, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The media worker's: its identity, whom to trust, whom to call. No key of the platform."""
    worker = Paths(environment.data).worker
    harmless = {
        name: value
        for name, value in inherited.items()
        if name in _HARMLESS or name.startswith(_HARMLESS_PREFIXES)
    }
    return {
        "CONSILIUM_WORKER_NAME": "worker-1",
        **harmless,
        **_python(inherited),
        "CONSILIUM_PLATFORM_URL": f"wss://localhost:{environment.port}",
        "CONSILIUM_WORKER_PIN": str(certificate.path),
        "CONSILIUM_WORKER_IDENTITY": str(worker / "identity.json"),
        "CONSILIUM_WORKER_ENROLMENT_FILE": str(worker / "enrolment-code"),
        "CONSILIUM_WORKER_ADDRESSES": ",".join(
            environment.worker_addresses or addresses_of_this_machine()
        ),
        "CONSILIUM_WORKER_PORTS": environment.worker_ports,
    }


def addresses_of_this_machine() -> list[str]:
    """Where browsers can reach this machine: the address of its default route, and loopback.

    A UDP socket that is connected but sends nothing shows which address the kernel would use.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737: nobody's
            outward = str(probe.getsockname()[0])
        except OSError:  # no route: a machine on its own
            return ["127.0.0.1"]
    return list(dict.fromkeys((outward, "127.0.0.1")))

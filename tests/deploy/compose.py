"""What ``deploy/compose`` says, started on this machine without a container engine.

Each service's command runs as it stands there, with the environment, the files and the order of
the file, by Debian's servers. Three things differ, because everybody shares one machine: paths in a
container become paths below one directory, its address becomes 127.0.0.1, and its ports become free
ones (``postgresql:5432`` elsewhere, ``5432`` within the service itself). What an image does before
the command (PostgreSQL's makes the cluster) is done here.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.postgresql import NOT_ROOT, programs
from tests.servers.processes import REPOSITORY, free_ports, wait_for
from tests.servers.server import Server, artefacts, small_environment

FILES = REPOSITORY / "deploy" / "compose"

#: The ports that services listen on, by the names under which others reach them. ``localhost`` is
#: the public name of proxy and relay here.
PORTS = {
    "postgresql": [5432],
    "redis": [6379],
    "coturn": [3478, 5349],
    "web-1": [8443],
    "web-2": [8443],
    "proxy": [443, 80],
}
PUBLIC = {443: "proxy", 5349: "coturn"}

#: As the Dockerfile sets them.
IMAGE = {
    "PYTHONPATH": ":".join(str(REPOSITORY / root) for root in ("platform", "apps", ".")),
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "DJANGO_SETTINGS_MODULE": "consilium.settings",
}

#: The distribution's Python, which reads YAML.
_TO_JSON = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"

#: Who listens for everybody in a container listens for this machine here.
_LOOPBACK = {":": "127.0.0.1:", "0.0.0.0": "127.0.0.1"}

_INTERPOLATED = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<word>[^}]*))?\}")


def read(environment: Mapping[str, str]) -> dict[str, Any]:
    """The compose file with its merges resolved and its variables filled in."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", _TO_JSON],
        input=(FILES / "compose.yaml").read_text(),
        capture_output=True,
        text=True,
        check=True,
    )

    def value(found: re.Match[str]) -> str:
        given = environment.get(found["name"], "")
        if not given and found["how"] == "?":
            raise KeyError(f"{found['name']}: {found['word']}")
        return given or (found["word"] if found["how"] == "-" else "")

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(below) for key, below in node.items()}
        if isinstance(node, list):
            return [filled(below) for below in node]
        return _INTERPOLATED.sub(value, node) if isinstance(node, str) else node

    composed: dict[str, Any] = filled(json.loads(done.stdout))
    return composed


def dotenv(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


class Service(Server):
    """One service of the file."""

    def start(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._launch(command, environment)

    def wait_until_it_ends_well(self, seconds: float = 60.0) -> None:
        assert self._process is not None
        assert self._process.wait(seconds) == 0, self.text


class Composed:
    """The whole file, running. It is an installation for ``tests.flows.http_door``."""

    def __init__(self, **said: str) -> None:
        """``said`` is what an operator puts into .env after ``make-secrets.sh``."""
        # Not below pytest's: the database's account must get there.
        self.directory = Path(tempfile.mkdtemp(prefix="consilium-compose-"))
        self.directory.chmod(0o711)
        self._project = shutil.copytree(
            FILES, self.directory / "project", ignore=shutil.ignore_patterns("secrets", ".env")
        )
        subprocess.run(
            [self._project / "make-secrets.sh", "localhost", "localhost"],
            check=True,
            capture_output=True,
            env=small_environment(),
        )
        self._project.chmod(0o711)
        self.said = {**dotenv(self._project / ".env"), **said}
        self._ports = {
            name: dict(zip(ports, range(free_ports(len(ports)), 65_536), strict=False))
            for name, ports in PORTS.items()
        }
        self.services: dict[str, Service] = {}
        self._done: set[str] = set()

    @property
    def door(self) -> int:
        return self._ports["proxy"][443]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.door}"

    @property
    def authority(self) -> Path:
        return self._project / "secrets" / "servers-ca.pem"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    # ------------------------------------------------------------------ starting
    def start(self, *names: str) -> None:
        """These services, and before each of them those it depends on, as far as they must be."""
        for name in names:
            self._start(name)

    def _start(self, name: str) -> None:
        if name in self._done:
            return
        self._done.add(name)
        service = self._service(name)
        needs = service.get("depends_on", {})
        for other in needs:
            self._start(other)
            condition = needs[other]["condition"] if isinstance(needs, dict) else "service_started"
            if condition == "service_healthy":
                self.wait_until_healthy(other)
            elif condition == "service_completed_successfully":
                self.services[other].wait_until_it_ends_well()
        running = Service(name, artefacts("compose") / f"{name}.log")
        self.services[name] = running
        command = service["command"]
        if name == "postgresql":
            command = self._with_a_cluster(service)
        running.start(self._native(command), self._environment(service))

    def wait_until_healthy(self, name: str, seconds: float = 60.0) -> None:
        """As an engine would: its check's command ends with 0."""
        service = self._service(name)
        check = service["healthcheck"]
        kind, *command = check["test"]
        assert kind == "CMD"

        def is_healthy() -> bool:
            try:
                done = subprocess.run(
                    self._native(command),
                    env=self._environment(service),
                    cwd=REPOSITORY,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=int(check["timeout"].removesuffix("s")),
                )
            except subprocess.TimeoutExpired:
                # A datagram that nobody answers, for one. An engine ends it and asks again, too.
                return False
            assert self.services[name].is_running(), self.services[name].text[-4000:]
            return done.returncode == 0

        wait_for(is_healthy, f"{name} is healthy", seconds)

    def manage(self, *arguments: str) -> str:
        """A management command in the container of ``web-1``."""
        done = subprocess.run(
            [sys.executable, REPOSITORY / "manage.py", *arguments],
            env=self._environment(self._service("web-1")),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        """The last first. Nothing is left."""
        for service in reversed(self.services.values()):
            service.stop()
        shutil.rmtree(self.directory)

    # ------------------------------------------------------------------ from containers to here
    def _service(self, name: str) -> dict[str, Any]:
        """The service with its paths, names, addresses and ports as they are on this machine."""
        service = read(self.said)["services"][name]
        paths = self._paths(name, service)
        ports = self._ports.get(name, {})

        def here(text: str) -> str:
            for inside in sorted(paths, key=len, reverse=True):
                text = text.replace(inside, paths[inside])
            for other, numbers in self._ports.items():
                for port, free in numbers.items():
                    text = text.replace(f"{other}:{port}", f"localhost:{free}")
                    if PUBLIC.get(port) == other:
                        text = re.sub(rf"\blocalhost:{port}\b", f"localhost:{free}", text)
            text = re.sub(r"\b172\.30\.\d+\.\d+\b", "127.0.0.1", text)
            for port, free in ports.items():
                text = re.sub(rf"(?<![\w.]){port}(?![\w.])", str(free), text)
            return text

        # Files with settings name paths and ports as well.
        for secret in service.get("secrets", []):
            if secret.endswith(".conf"):
                source = self._project / "secrets" / secret
                own = self.directory / "native" / secret
                own.parent.mkdir(exist_ok=True)
                own.touch(mode=0o600)
                text = source.read_text()
                if secret == "turnserver.conf":
                    text += "allow-loopback-peers\n"  # one machine
                own.write_text(here(text))
                paths[f"/run/secrets/{secret}"] = str(own)

        def everywhere(node: Any) -> Any:
            if isinstance(node, dict):
                return {key: everywhere(below) for key, below in node.items()}
            if isinstance(node, list):
                return [everywhere(below) for below in node]
            return here(node) if isinstance(node, str) else node

        environment = {
            key: "127.0.0.1" + text
            if text.startswith(":")
            else text.replace("0.0.0.0", "127.0.0.1")
            for key, text in everywhere(service.get("environment", {})).items()
        }
        return {**service,
            "environment": environment,
            "command": everywhere(service["command"]),
            "healthcheck": everywhere(service.get("healthcheck", {})),
            "paths": paths
        }  # fmt: skip

    def _paths(self, name: str, service: Mapping[str, Any]) -> dict[str, str]:
        paths = {}
        for volume in service.get("volumes", []):
            source, inside, *_ = volume.split(":")
            if source.startswith("./"):
                paths[inside] = str(self._project / source)
            else:
                kept = self.directory / "volumes" / source
                kept.mkdir(parents=True, exist_ok=True, mode=0o711)
                paths[inside] = str(kept)
        for folder in service.get("tmpfs", []):
            if folder != "/tmp":
                own = self.directory / "tmpfs" / name
                own.mkdir(parents=True, exist_ok=True)
                paths[folder] = str(own)
        for secret in service.get("secrets", []):
            assert f"./secrets/{secret}" == read(self.said)["secrets"][secret]["file"]
            paths[f"/run/secrets/{secret}"] = str(self._project / "secrets" / secret)
        return paths

    def _environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        is_ours = service["image"].startswith("consilium")
        return small_environment(**(IMAGE if is_ours else {}), **service["environment"])

    def _native(self, command: list[str]) -> list[str]:
        """The same program, where Debian has it; ``manage.py`` lies in the image's directory."""
        program, *arguments = command
        arguments = [str(REPOSITORY / word) if word == "manage.py" else word for word in arguments]
        if program == "python":
            return [sys.executable, *arguments]
        if program == "celery":
            return [sys.executable, "-m", "celery", *arguments]
        if program.startswith("pg_"):
            return [str(programs() / program), *arguments]
        return [program, *arguments]

    def _with_a_cluster(self, service: Mapping[str, Any]) -> list[str]:
        """What the image does at its first start, and who it then is: not root."""
        environment = service["environment"]
        data = self.directory / "volumes" / "postgresql" / "cluster"
        password = self.directory / "native" / "password"
        password.parent.mkdir(exist_ok=True, mode=0o711)
        password.parent.chmod(0o711)
        password.touch(mode=0o600)
        password.write_text(environment["POSTGRES_PASSWORD"])
        secrets = self._project / "secrets"
        secrets.chmod(0o711)
        somebody: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam(NOT_ROOT)
            for path in (data.parent, password, *secrets.glob("postgresql.*")):
                os.chown(path, user.pw_uid, user.pw_gid)
            somebody = [
                *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"),
                *("--clear-groups", "--pdeathsig", "KILL", "--"),
            ]
        user_name, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
        subprocess.run(
            [*somebody, programs() / "initdb", "--pgdata", data, "--username", user_name,
             "--pwfile", password, "--auth", "scram-sha-256", "--no-sync"],
            check=True, capture_output=True, env=small_environment(),
        )  # fmt: skip
        single = [programs() / "postgres", "--single", "-D", data, "postgres"]
        subprocess.run(
            [*somebody, *single],
            input=f"CREATE DATABASE {database}\n".encode(),
            check=True, capture_output=True, env=small_environment(),
        )  # fmt: skip
        _, *arguments = service["command"]
        here = ["-D", str(data), "-c", "unix_socket_directories="]
        return [*somebody, str(programs() / "postgres"), *here, *arguments]

"""A real S3 server with Object Lock: Ceph's gateway over one monitor and one store in memory.

It takes seconds to start, so one serves all processes of a test run (``borrow``). A keeper of its
own starts it and ends it when the last borrower has gone, however that one went: borrowers hold a
lock of the kernel's.

``python -m tests.servers.radosgw DIRECTORY`` is the keeper.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers import authority
from tests.servers.processes import REPOSITORY, free_ports, is_alive, wait_for
from tests.servers.server import PYTHON, Server, artefacts, small_environment

START_SECONDS = 90.0
MEMORY_BYTES = 1 << 30

#: Beside what two runs in one tree share, so that one tree has one gateway.
_SHARED = REPOSITORY / "build" / "tests" / "radosgw"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the server is, and a user of it who owns every bucket they make."""

    pid: int  # the keeper's
    tls_port: int
    clear_port: int  # the same server without TLS, for a proxy that must see what it passes
    authority: str
    access_key: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.tls_port}"


@contextmanager
def borrow() -> Iterator[Gateway]:
    """The gateway of this run; started by whoever comes first, ended after the last."""
    _SHARED.mkdir(parents=True, exist_ok=True)
    with (_SHARED / "users.lock").open("a") as users:
        with (_SHARED / "start.lock").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is ending the last one
            gateway = _running() or _started()
        yield gateway


def _running() -> Gateway | None:
    try:
        gateway = Gateway(**json.loads((_SHARED / "gateway.json").read_text()))
    except FileNotFoundError:
        return None
    return gateway if is_alive(gateway.pid) and _accepts(gateway.tls_port) else None


def _started() -> Gateway:
    (_SHARED / "gateway.json").unlink(missing_ok=True)
    log = artefacts("radosgw") / "keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [PYTHON, "-m", "tests.servers.radosgw", _SHARED],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives the process that happened to come first
        )

    def answer() -> Gateway | None:
        assert keeper.poll() is None, f"radosgw did not start:\n{log.read_text()[-4000:]}"
        return _running()

    return wait_for(answer, "radosgw: a gateway", START_SECONDS)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Daemon(Server):
    """One of Ceph's programs in the foreground."""

    def start(self, command: list[str]) -> None:
        self._launch(command, small_environment())


class Cluster:
    """Monitor, store and gateway in a private directory, on loopback."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.configuration = directory / "ceph.conf"
        logs = artefacts("radosgw")
        self._daemons = [Daemon(name, logs / f"{name}.log") for name in ("mon", "osd", "rgw")]
        for daemon in self._daemons:
            daemon.log.unlink(missing_ok=True)

    def start(self) -> Gateway:
        monitor, store, gateway = self._daemons
        tls = authority.issue(self.directory / "tls")
        ports = free_ports(20)
        cluster, disk = uuid.uuid4(), uuid.uuid4()
        for folder in ("mon", "osd", "rgw"):
            (self.directory / folder).mkdir()
        self.configuration.write_text(_configuration(self.directory, str(cluster), ports, tls))

        address = f"[v2:127.0.0.1:{ports}]"
        self._run("monmaptool", "--create", "--fsid", cluster, "--addv", "a", address, "monmap")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap")
        monitor.start(self._command("ceph-mon", "-f", "-i", "a"))
        self._run("ceph", "--connect-timeout", "20", "osd", "new", disk)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        store.start(self._command("ceph-osd", "-f", "-i", "0"))
        wait_for(
            lambda: json.loads(self._run("ceph", "osd", "stat", "-f", "json"))["num_up_osds"],
            "radosgw: a store that is up",
            30,
        )
        access_key, secret_key = secrets.token_hex(8), secrets.token_hex(16)
        self._run(
            "radosgw-admin", "user", "create", "--uid=owner", "--display-name=owner",
            f"--access-key={access_key}", f"--secret-key={secret_key}",
        )  # fmt: skip
        gateway.start(self._command("radosgw", "-f", "-n", "client.rgw"))
        gateway._wait_while_running(
            lambda: _accepts(ports + 1) and _accepts(ports + 2), "two listeners", 30
        )
        return Gateway(
            os.getpid(), ports + 1, ports + 2, str(tls.authority), access_key, secret_key
        )

    def stop(self) -> None:
        """Nothing in memory is worth a goodbye."""
        for daemon in reversed(self._daemons):
            daemon.kill()

    def _command(self, program: str, *arguments: object) -> list[str]:
        return [program, "-c", str(self.configuration), *map(str, arguments)]

    def _run(self, program: str, *arguments: object) -> str:
        done = subprocess.run(
            self._command(program, *arguments),
            cwd=self.directory,
            env=small_environment(CEPH_CONF=str(self.configuration)),
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{time.monotonic():.1f} {program} {arguments[0]}", flush=True)
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
        return done.stdout


def _configuration(directory: Path, cluster: str, ports: int, tls: authority.Certificate) -> str:
    """As small and as quick as it goes. Everybody here is the same user: no keys among daemons."""
    return f"""
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{ports}]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
# without keys there is nothing to encrypt by, which is what these try first
ms mon client mode = crc secure
ms mon service mode = crc secure
ms mon cluster mode = crc secure
ms bind ipv4 = true
ms bind ipv6 = false
ms bind msgr1 = false
ms bind port min = {ports + 3}
ms bind port max = {ports + 19}
mon allow pool size one = true
mon warn on pool no redundancy = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
# each pool is a proposal, and proposals are gathered for a second otherwise
paxos propose interval = 0.02
paxos min wait = 0.01
log to stderr = true
err to stderr = true
log file = /dev/null
admin socket =
run dir = {directory}
crash dir = {directory}
[mon]
mon data = {directory}/mon
mon cluster log file = /dev/null
[osd]
osd data = {directory}/osd
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd objectstore = memstore
memstore device bytes = {MEMORY_BYTES}
osd class load list = *
osd class default list = *
[client]
rgw data = {directory}/rgw
rgw frontends = beast ssl_endpoint=127.0.0.1:{ports + 1} ssl_certificate={tls.certificate} \
ssl_private_key={tls.key} endpoint=127.0.0.1:{ports + 2}
rgw thread pool size = 32
rgw enable apis = s3
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = test-key={base64.b64encode(bytes(32)).decode()}
"""


def keep(shared: Path) -> None:
    """Start, tell, wait for the last borrower to go, end."""
    directory = Path(tempfile.mkdtemp(prefix="consilium-radosgw-"))
    cluster = Cluster(directory)
    told = shared / "gateway.json"
    try:
        gateway = cluster.start()
        fresh = told.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(gateway)))
        fresh.replace(told)
        with (shared / "users.lock").open("a") as users:
            # Whoever started us holds it shared, and has since before we began.
            fcntl.flock(users, fcntl.LOCK_EX)
            told.unlink()
    finally:
        cluster.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))

"""A network namespace beside the machine's own: a second computer at the end of one cable.

The cable is a veth pair. Nothing but the machine's end of it can be reached from inside: there is
no route further, so no name is looked up outside and nothing leaves. Needs root.

An installation is reached from inside when it listens on the machine's end: give ``Installation``
the ``settings`` of the namespace, and browsers inside the ``url_of(installation)``.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.servers.installation import Installation
from tests.servers.processes import descendants, is_alive, wait_for

_numbers = itertools.count()
_NAME = re.compile(r"^consilium-(\d+)-(\d+)$")

#: 198.18.0.0/15 is for tests of devices (RFC 2544). A process has a few networks of four addresses.
_AT_ONCE = 8
_PROCESSES = 2**17 // 4 // _AT_ONCE

#: Where what is dropped goes: the near end of a second veth pair whose far end is down. (Some small
#: kernels have no `drop` for `tc`, all have veth.)
_NOWHERE = "nowhere"

#: Run inside: connect, and pass the connection out through the socket that is standard input.
_CONNECT = """
import socket, sys
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
socket.send_fds(socket.socket(fileno=0), [b"."], [line.fileno()])
"""


class Namespace:
    """``start`` makes it, ``remove`` ends what runs in it and takes it away; safe to repeat.

    It is named by the process of the test: what a killed run left behind, the next one removes.
    """

    def __init__(self) -> None:
        number = next(_numbers)
        network = (os.getpid() % _PROCESSES) * _AT_ONCE + number % _AT_ONCE
        self.name = f"consilium-{os.getpid()}-{number}"
        self.outer, self.inner = _ends(self.name)
        self.outer_address = _address(network * 4 + 1)
        """The machine's end, where an installation is reached."""
        self.inner_address = _address(network * 4 + 2)

    # ------------------------------------------------------------------ coming and going
    def start(self) -> None:
        assert os.geteuid() == 0, "a network namespace with a veth pair needs root"
        remove_leftovers()
        _run("ip", "netns", "add", self.name)
        try:
            self._lay_the_cable()
        except AssertionError:
            self.remove()
            raise

    def _lay_the_cable(self) -> None:
        pair = (self.outer, "type", "veth", "peer", "name", self.inner, "netns", self.name)
        _run("ip", "link", "add", *pair)
        # addrgenmode: no link-local IPv6 addresses, which would have to be checked for first.
        _run("ip", "link", "set", self.outer, "addrgenmode", "none")
        _run("ip", "address", "add", f"{self.outer_address}/30", "dev", self.outer)
        _run("ip", "link", "set", self.outer, "up")
        self._ip("link", "set", self.inner, "addrgenmode", "none")
        self._ip("address", "add", f"{self.inner_address}/30", "dev", self.inner)
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", _NOWHERE, "type", "veth")
        self._ip("link", "set", _NOWHERE, "addrgenmode", "none", "up")
        self.mend()

    def remove(self) -> None:
        _remove(self.name)

    # ------------------------------------------------------------------ the installation
    @property
    def settings(self) -> dict[str, str]:
        """For an ``Installation`` that answers here as well as on the machine itself."""
        return {
            "CONSILIUM_LISTEN": "0.0.0.0",
            "CONSILIUM_HOSTS": self.outer_address,
            "CONSILIUM_WORKER_ADDRESSES": f"{self.outer_address},127.0.0.1",
        }

    def url_of(self, installation: Installation) -> str:
        return f"https://{self.outer_address}:{installation.port}"

    # ------------------------------------------------------------------ what runs inside
    def command(self, *command: str | Path) -> list[str]:
        """``command`` as it has to be started to run inside; the process id stays the same."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command: str | Path, seconds: float = 20.0) -> str:
        """Run to its end inside; returns what it printed."""
        return _run(*self.command(*command), seconds=seconds)

    def program(self, program: str | Path, folder: Path) -> Path:
        """A script in ``folder`` that is ``program`` inside: for those who take only a path."""
        script = folder / f"{Path(program).name}-in-{self.name}"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self.command(program))} "$@"\n')
        script.chmod(0o755)
        return script

    def connect(self, port: int) -> socket.socket:
        """A TCP connection from the test to a server on the loopback inside."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            subprocess.run(
                self.command(sys.executable, "-I", "-c", _CONNECT, str(port)),
                check=True,
                stdin=theirs,
                stderr=subprocess.DEVNULL,
                timeout=20,
            )
            _, (line,), _, _ = socket.recv_fds(ours, 1, 1)
        return socket.socket(fileno=line)

    # ------------------------------------------------------------------ what goes wrong
    def cut(self) -> None:
        """Pull the plug inside: programs there see the device go."""
        self._ip("link", "set", self.inner, "down")

    def mend(self) -> None:
        """Put it back; what was dropped passes again, too."""
        self._ip("link", "set", self.inner, "up")
        self._forget_filters()
        self.run("tc", "qdisc", "add", "dev", self.inner, "clsact")

    def drop_udp(self, port: int | None = None) -> None:
        """UDP from and to ``port``, or all of it, is lost silently in both directions."""
        ports = [[]] if port is None else [["sport", str(port)], ["dport", str(port)]]
        for direction, match in itertools.product(("ingress", "egress"), ports):
            self.run(
                *("tc", "filter", "add", "dev", self.inner, direction, "protocol", "ip", "u32"),
                *("match", "ip", "protocol", "17", "0xff"),
                *(("match", "ip", *match, "0xffff") if match else ()),
                *("action", "mirred", "egress", "redirect", "dev", _NOWHERE),
            )

    def _forget_filters(self) -> None:
        if "clsact" in self.run("tc", "qdisc", "show", "dev", self.inner):
            self.run("tc", "qdisc", "del", "dev", self.inner, "clsact")

    def _ip(self, *words: str) -> None:
        _run("ip", "-netns", self.name, *words)


def remove_leftovers() -> None:
    """Take away the namespaces of test runs that were killed."""
    for name in names():
        found = _NAME.match(name)
        if found and not is_alive(int(found[1])):
            try:
                _remove(name)
            except AssertionError:
                if name in names():  # and not just removed by another test run
                    raise


def names() -> list[str]:
    """The namespaces there are, of whomever."""
    return [line.split()[0] for line in _run("ip", "netns", "list").splitlines() if line]


def _remove(name: str) -> None:
    if name not in names():
        return
    inside = {int(pid) for pid in _run("ip", "netns", "pids", name).split()}
    # A browser's sandboxed children are in namespaces of their own.
    inside = inside.union(*map(descendants, inside))
    for pid in inside:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    outer, _ = _ends(name)
    # The pair goes at once with its one end; the namespace itself only after its last socket.
    if Path(f"/sys/class/net/{outer}").exists():
        _run("ip", "link", "delete", outer)
    _run("ip", "netns", "delete", name)
    wait_for(lambda: not any(map(is_alive, inside)), f"{name}: the end of its processes")


def _ends(name: str) -> tuple[str, str]:
    """The names of the cable's ends; the kernel takes 15 characters."""
    _, pid, number = name.split("-")
    return f"co{pid}x{number}", f"co{pid}i{number}"


def _address(offset: int) -> str:
    return f"198.{18 + (offset >> 16)}.{offset >> 8 & 255}.{offset & 255}"


def _run(*command: str | Path, seconds: float = 20.0) -> str:
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}"
    return result.stdout

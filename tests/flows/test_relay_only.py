"""Relay-only with a real coturn over TLS: nobody's address reaches the other side (N1, N2)."""

from __future__ import annotations

import json
import re

import pytest

from tests.flows.conftest import CLINICIAN, COLLEAGUE
from tests.flows.people import SPARING, Visitor
from tests.servers.coturn import Coturn
from tests.servers.installation import Installation

pytestmark = pytest.mark.browser

#: Addresses in a description or candidate, IPv4 and IPv6.
ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    running = Coturn(tmp_path_factory.mktemp("coturn"), "relay-only")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def relayed(tmp_path_factory, relay):
    """An installation whose only relay is reached over TLS."""
    settings = {**relay.settings, "TURN_URLS": relay.tls_url}
    running = Installation(tmp_path_factory.mktemp("relayed"), "relayed", **settings)
    running.start()
    running.wait_for_worker()
    yield running
    running.stop()


@pytest.fixture
def callers(playwright, request):
    """Browsers that accept the test relay's certificate authority."""
    people: list[Visitor] = []

    def come(name: str, base: str) -> Visitor:
        person = Visitor(playwright, name, base, flags=[*SPARING, "--ignore-certificate-errors"])
        people.append(person)
        return person

    yield come
    for person in people:
        if getattr(request.node, "failed", False):
            person.keep_evidence(request.node.name)
        person.close()


@pytest.mark.parametrize(("mode", "host"), [("private", CLINICIAN), ("governed", COLLEAGUE)])
def test_only_relayed_candidates_and_no_address_of_the_other_side(relayed, callers, mode, host):
    doctor, patient = callers("doctor", relayed.url), callers("patient", relayed.url)
    doctor.sign_in(relayed.people[host])
    meeting, link = doctor.plan(mode, "Rosa Marchetti", f"rosa.{mode}@example.test")
    patient.arrive(relayed, link, f"rosa.{mode}@example.test", 1)
    doctor.enter(meeting)
    doctor.admit()
    for person in (doctor, patient):
        person.connected()
        person.sees(1)
        person.hears()

    for person in (doctor, patient):
        local = [c for c in person.statistics()["candidates"] if c[0] == "local-candidate"]
        assert local
        assert {kind for _, kind, _, _ in local} == {"relay"}
        assert {relay_protocol for *_, relay_protocol in local} == {"tls"}

        media = [json.loads(text) for text in person.received if '"type":"media"' in text]
        assert all(message["relay_only"] for message in media if message["type"] == "media")
        for text in person.received:
            message = json.loads(text)
            if message["type"] == "remote_candidate":
                assert " typ relay " in message["candidate"] + " "
                assert "raddr 0.0.0.0 rport 0" in message["candidate"]
            if message["type"] == "described" and message["link"] == "peer":
                # No address but the placeholders, and the relay's own in relayed candidates.
                sdp = message["description"]["sdp"]
                rest = "\n".join(line for line in sdp.splitlines() if "typ relay" not in line)
                assert set(ADDRESS.findall(rest)) <= {"0.0.0.0", "127.0.0.1"}
                assert not re.search(r"typ (host|srflx|prflx)", sdp)
                assert not re.search(r"raddr (?!0\.0\.0\.0)", sdp)
    doctor.act("end")
    doctor.act("confirm")
    patient.ended_because("ended")

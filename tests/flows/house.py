"""An installation with a call going on in it, and everybody who is needed to abuse it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.flows.back_room import BackRoom
from tests.flows.http_door import Browser, Invited
from tests.flows.page_socket import Socket
from tests.flows.people import code_of
from tests.flows.trail import Trail
from tests.servers.installation import Installation, SignIn

#: Words that are searched for at the end. Names, mailboxes and what was said in refused messages.
CANARY = "Quillonel"
WORDS = "zwitscherling says the biopsy was benign"

#: Several houses may stand in one installation, one after the other; their people differ.
_houses = itertools.count(1)
_patients = itertools.count(1)

_PEOPLE = """
from accounts.models import Department, Organisation
from consilium.demo import add_totp, make_organisation, make_person
from foundation.actor import Role
here = Organisation.objects.get(name="Riverside Hospital")
ward = Department.objects.get(organisation=here, name="General medicine")
there = make_organisation("Another Hospital")
answer = []
for name, organisation, department in (("Host", here, ward), ("Near", here, ward),
                                       ("Far", there, None)):
    email = f"{name.lower()}.{canary.lower()}.{number}@example.test"
    password = f"{canary}-{name}-pass-word-9"
    person = make_person(organisation, f"{canary} {name}", email, Role.CLINICIAN, password,
                         department)
    answer.append([person.full_name, "clinician", email, password, add_totp(person)])
"""


@dataclass
class Visit:
    """A guest on their own browser."""

    house: House
    invited: Invited
    browser: Browser

    @property
    def meeting(self) -> str:
        return self.invited.meeting

    @property
    def participation(self) -> str:
        return self.invited.guest

    @property
    def seat_cookie(self) -> str:
        return f"__Host-seat-{UUID(self.meeting).hex}"

    def path(self, rest: str) -> str:
        return f"/meetings/{self.meeting}/{rest}"

    def redeem(self) -> Visit:
        answer = self.browser.redeem(self.invited.secret)
        assert answer.status == 200, answer.text
        self.house.secrets["seat cookie"].append(self.browser.cookies[self.seat_cookie])
        return self

    def ask_for_code(self) -> Visit:
        answer = self.browser.post(self.path("verification/send"))
        assert answer.status == 200, answer.text
        return self

    def code(self, number: int = 1) -> str:
        code = code_of(self.house.installation, self.invited.email, number)
        self.house.codes.append(code)
        return code

    def prove(self, number: int = 1) -> Visit:
        answer = self.browser.post(self.path("verification/check"), {"code": self.code(number)})
        assert answer.status == 200, answer.text
        return self

    def ticket(self, purpose: str) -> str:
        answer = self.browser.ticket(self.meeting, purpose)
        assert answer.status == 200, answer.text
        ticket = str(answer.json["ticket"])
        self.house.secrets["ticket"].append(ticket)
        return ticket

    def connect(self, purpose: str = "join") -> Socket:
        return self.browser.hello(self.ticket(purpose))


class House:
    """An installation with a private call of two going on, and everybody who is needed to abuse it.

    ``host`` hosts every meeting; ``near`` is a clinician of the same organisation who hosts none,
    ``far`` one of another organisation; ``nobody`` holds no cookie at all.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.trail = Trail(installation)
        self.back_room = BackRoom(installation)
        self.codes: list[str] = []
        self.invited: list[Invited] = []
        self.browsers: list[Browser] = []
        self.secrets: dict[str, list[str]] = {"seat cookie": [], "ticket": [], "link": []}
        made = self.back_room.do(_PEOPLE, canary=CANARY, number=next(_houses))
        people = [SignIn(*one) for one in made]
        self.sign_ins = {person.email: person for person in people}
        self.host, self.near, self.far = (Browser(installation).sign_in(p) for p in people)
        self._call: list[Socket] = []
        self._stop = threading.Event()
        self._prove_everybody()
        threading.Thread(target=self._keep_talking, daemon=True).start()

    def _prove_everybody(self) -> None:
        """Mails take a moment; everybody waits for theirs at once."""
        self.running, self.abused, self.lobby, self.over = (
            self.visit().redeem().ask_for_code() for _ in range(4)
        )
        for visit in (self.running, self.abused, self.lobby, self.over):
            visit.prove()
        for visit in (self.running, self.abused, self.over):
            self.let_in(visit)
        self._call = [self.sit(self.running), self.running.connect()]

    def visit(self, mode: str = "private") -> Visit:
        """A new meeting of ``host`` with one guest, who has done nothing yet."""
        number = next(_patients)
        name = f"{CANARY} Patient {number}"
        email = f"patient-{number}.{CANARY.lower()}@example.test"
        invited = self.host.plan(mode, name, email, f"{CANARY} title")
        self.secrets["link"] += [invited.secret, invited.short_code]
        self.invited.append(invited)
        self.browsers.append(Browser(self.installation))
        return Visit(self, invited, self.browsers[-1])

    def sit(self, visit: Visit) -> Socket:
        """The host's socket in the call of ``visit``."""
        self.host.open(visit.path("room/"))
        return self.host.connect(visit.meeting)

    def let_in(self, visit: Visit) -> None:
        """The guest waits and the host admits them; both leave again."""
        host, guest = self.sit(visit), visit.connect("wait")
        host.say("admit", participation=visit.participation)
        guest.hears("admitted")
        host.close()
        guest.close()

    # ------------------------------------------------------------ it lives
    def _keep_talking(self) -> None:
        """Pings, as pages send them."""
        while not self._stop.wait(2):
            for line in self._call:
                line.say("ping", n=1)

    def pong(self) -> float:
        """The call of the two others goes on; returns how long the slower of their pongs took."""
        return max(line.is_alive() for line in self._call)

    def is_alive(self) -> float:
        """And the front door opens."""
        slowest = self.pong()
        assert Browser(self.installation, "127.0.0.1").get("/").status == 200
        return slowest

    def leave(self) -> None:
        self._stop.set()
        for line in self._call:
            line.close()
        self.back_room.leave()


@pytest.fixture(scope="module")
def house(installation: Installation) -> Iterator[House]:
    made = House(installation)
    yield made
    made.leave()


@pytest.fixture(autouse=True)
def the_call_goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did, the call of two others never noticed."""
    here: House = request.getfixturevalue("house")
    yield
    here.is_alive()

"""What may lie nowhere in an installation after all that was done to it: a search, and its control.

Searched are the log, everything below the data directory, and wherever else the installation keeps
something; only the mails may hold names, links and codes, for there they are sent to. A search that
finds nothing proves something only if it would have found it: so each text is laid out once for it
to find.
"""

from __future__ import annotations

import re

from tests.flows.house import CANARY, WORDS, House
from tests.foundation.sdp.writing import MDNS

#: Addresses out of the descriptions and candidates that the tests send.
SDP_ADDRESSES = ("192.168.7.9", "203.0.113.5", "198.51.100.7", MDNS.split()[4])


def what_may_lie_nowhere(house: House) -> dict[str, set[str]]:
    """Texts by what they are. None of the kinds is empty."""
    people = house.sign_ins.values()
    browsers = [*house.browsers, house.host, house.near, house.far]
    cookies = {
        value
        for browser in browsers
        for name, value in browser.cookies.items()
        if name.startswith("__Host-")
    }
    kinds = {
        "name": {CANARY, CANARY.lower(), *(person.name for person in people)},
        "e-mail address": {person.email for person in people} | {v.email for v in house.invited},
        "chat": {WORDS},
        "password": {person.password for person in people},
        "TOTP key": {person.totp for person in people},
        "cookie": cookies | set(house.secrets["seat cookie"]),
        "link": set(house.secrets["link"]),
        # A ticket's signature alone would do as well.
        "ticket": {
            part for token in house.secrets["ticket"] for part in (token, token.rpartition(".")[2])
        },
        "address in a description": set(SDP_ADDRESSES),
        "address of a browser": {browser.address for browser in browsers},
    }
    for kind, texts in kinds.items():
        assert texts, kind
        assert all(len(text) > 6 for text in texts), kind
    return kinds


def nothing_was_left_behind(house: House) -> None:
    """The search and its control."""
    kinds = what_may_lie_nowhere(house)
    installation = house.installation
    # The search finds each kind where somebody were to write it down.
    control = {(kind, text) for kind, texts in kinds.items() for text in texts}
    planted = installation.data / "planted.log"
    planted.write_text("".join(f"INFO somebody: {text} said\n" for _, text in control))
    found = _found(kinds, installation.places())
    planted.unlink()
    assert {(kind, text) for kind, text, place in found if place == planted.name} == control
    found = [one for one in found if one[2] != planted.name]
    assert found == [], found

    # Six digits are found in many ids: a code counts where it stands alone.
    assert house.codes
    for code in house.codes:
        alone = re.compile(rf"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])")
        assert house.trail.cells_with(alone) == []
        assert not alone.search(installation.text)

    # And what is where it should be: a name and a code in the mails, an id in the database.
    mails = [f"{mail['To']} {mail.get_content()}" for mail in installation.read_mail_files()]
    assert any(house.running.invited.email in mail for mail in mails)
    assert any(house.codes[0] in mail for mail in mails)
    place = house.running.participation
    assert "meetings_participation.id" in house.trail.cells_with(
        re.compile(f"{place}|{place.replace('-', '')}")
    )


def _found(kinds: dict[str, set[str]], places: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """(kind, text, place) of everything that is found, as itself and not as a part of a number."""
    return [
        (kind, text, place)
        for kind, texts in kinds.items()
        for text in texts
        for place, content in places.items()
        if text.encode() in content and _stands_alone(text, content)
    ]


def _stands_alone(text: str, content: bytes) -> bool:
    """127.0.0.2 is a part of 127.0.0.21; what is no address counts wherever it is."""
    if not re.fullmatch(r"[0-9.]+", text):
        return True
    alone = rb"(?<![0-9])" + re.escape(text.encode()) + rb"(?![0-9])"
    return re.search(alone, content) is not None

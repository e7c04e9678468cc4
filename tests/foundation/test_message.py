"""Reading a message off the wire: what is refused, by which name, and how little it costs."""

from __future__ import annotations

import contextlib
import json
import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.wire import browser, worker
from foundation.wire.message import (
    MAX_DEPTH,
    MAX_MESSAGE_BYTES,
    Message,
    MessageMalformed,
    MessageTooLarge,
    MessageUnknown,
    kinds,
    read,
    write,
)

ID = str(uuid4())
REFUSALS = (MessageTooLarge, MessageMalformed, MessageUnknown)

#: One good message of each kind a page may send.
GOOD = {
    "admit": {"participation": ID},
    "ask_recording": {"others_in_room": 2},
    "candidate": {"link": "peer", "epoch": 1, "candidate": "candidate:1", "mid": "0", "line": 0},
    "decline": {"participation": ID},
    "describe": {"link": "publish", "epoch": 1, "description": {"type": "offer", "sdp": "v=0"}},
    "end_meeting": {},
    "give_consent": {"text": ID},
    "hand_over_recording": {"participation": ID},
    "hello": {"version": 1, "ticket": "t" * 16, "keep_media": False},
    "leave": {},
    "pause_recording": {},
    "ping": {"n": 1},
    "refuse_consent": {"text": ID},
    "remove": {"participation": ID},
    "restart_media": {"epoch": 0},
    "resume_recording": {},
    "sources": {"microphone": True, "camera": False, "screen": False},
    "stop_recording": {},
    "take_back_recording": {},
    "withdraw_consent": {},
}

#: And of each kind a media worker may send.
GOOD_OF_WORKERS = {
    "describe": {
        "room": ID,
        "participant": ID,
        "epoch": 1,
        "link": "publish",
        "description": {"type": "answer", "sdp": "v=0"},
    },
    "hello": {
        "version": 1,
        "assertion": "a.b.c",
        "capacity": 50,
        "present": [{"room": ID, "participant": ID, "epoch": 3}],
    },
    "path": {"room": ID, "participant": ID, "epoch": 1, "link": "publish", "state": "failed"},
    "recording": {"room": ID, "recording": ID, "run": None, "state": "stopped"},
    "renew": {"participants": 3, "cpu_percent": 7.5},
}

#: Odd values that are what they say: the end of candidates, an empty name, a version to come.
FITTING = [
    ["ticket", "x" * 600],
    ["candidate", ""],
    ["mid", ""],
    ["version", -1],
    ["version", 10**30],
]


def from_page(text: str) -> Message:
    return read(browser.CLIENT_ADAPTER, browser.CLIENT_KINDS, text)


def from_worker(text: str) -> Message:
    return read(worker.WORKER_ADAPTER, worker.WORKER_KINDS, text)


def text_of(kind: str, fields: dict[str, object] | None = None) -> str:
    return json.dumps({"type": kind, **(GOOD[kind] if fields is None else fields)})


def described(description: str) -> str:
    return f'{{"type": "describe", "link": "peer", "epoch": 1, "description": {description}}}'


def test_there_is_a_good_message_of_every_kind():
    assert set(GOOD) == browser.CLIENT_KINDS
    assert set(GOOD_OF_WORKERS) == worker.WORKER_KINDS


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_message_is_read_and_written_back(kind):
    message = from_page(text_of(kind))
    assert message.type == kind
    assert from_page(write(message)) == message


@pytest.mark.parametrize("kind", GOOD_OF_WORKERS)
def test_a_workers_good_message_is_read_and_written_back(kind):
    message = from_worker(json.dumps({"type": kind, **GOOD_OF_WORKERS[kind]}))
    assert message.type == kind
    assert from_worker(write(message)) == message


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_too_many_is_refused(kind):
    with pytest.raises(MessageMalformed):
        from_page(text_of(kind, {**GOOD[kind], "more": 1}))


@pytest.mark.parametrize("kind", GOOD)
def test_each_field_that_is_missing_or_of_another_type_is_refused(kind):
    optional = {"keep_media", "mid", "line"}
    for field in GOOD[kind]:
        short = {name: value for name, value in GOOD[kind].items() if name != field}
        if field not in optional:
            with pytest.raises(MessageMalformed):
                from_page(text_of(kind, short))
        wrong: list[object] = [[], {}, "", "x" * 600, -1, 1.5, 10**30, [[[1]]]]
        wrong += ["1", "true", 0, 1] if isinstance(GOOD[kind][field], bool) else [True, False]
        wrong += ["1"] if isinstance(GOOD[kind][field], int) else []
        wrong += [7] if isinstance(GOOD[kind][field], str) else []
        if field not in {"mid", "line"}:
            wrong.append(None)
        for value in wrong:
            if [field, value] in FITTING:
                continue
            with pytest.raises(MessageMalformed):
                from_page(text_of(kind, {**GOOD[kind], field: value}))


@pytest.mark.parametrize(
    "kind", ["", "Hello", "HELLO", "hello ", "helloo", "state", "media", "welcome", "__class__"]
)
def test_an_unknown_kind_is_called_unknown(kind):
    with pytest.raises(MessageUnknown):
        from_page(json.dumps({"type": kind}))


def test_what_a_server_says_is_not_taken_from_a_page():
    for kind in browser.SERVER_TYPES:
        with pytest.raises(MessageUnknown):
            from_page(json.dumps({"type": kind.model_fields["type"].default}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "null",
        "true",
        "7",
        '"hello"',
        "[]",
        '["type", "leave"]',
        "{}",
        '{"type": null}',
        '{"type": 7}',
        '{"type": ["leave"]}',
        '{"type": {"a": 1}}',
        '{"type": "leave"',
        '{"type": "leave"}}',
        '{"type": "leave"}{"type": "leave"}',
        '{"type": "leave",}',
        "{'type': 'leave'}",
        '{"type": "leave" /* comment */}',
        '\ufeff{"type": "leave"}',
        '{"type": "leave"}\0',
        '{"type": "leave", "type": "end_meeting"}',
        '{"type": "ping", "n": 1, "n": 2}',
        '{"type": "ping", "n": NaN}',
        '{"type": "ping", "n": Infinity}',
        '{"type": "ping", "n": -Infinity}',
        '{"type": "ping", "n": 1e400}',
        '{"type": "ping", "n": 9007199254740992}',
        '{"type": "ping", "n": -1}',
        '{"type": "ping", "n": 1.0}',
        '{"type": "ping", "n": "1"}',
        '{"type": "ping", "n": true}',
        '{"type": "ping", "n": %s}' % ("9" * 5000),
        '{"type": "ping", "n": 1, "N": 1}',
        '{"type": "hello", "version": 1, "ticket": "%s"}' % ("\\ud800" * 16),
        '{"type": "hello", "version": true, "ticket": "tttttttttttttttt"}',
        '{"type": "hello", "version": 1, "ticket": "short"}',
        '{"type": "hello", "version": 1, "ticket": "%s"}' % ("t" * 2049),
        '{"type": "admit", "participation": "not-a-uuid"}',
        '{"type": "admit", "participation": 7}',
        '{"type": "restart_media", "epoch": 1000000001}',
        '{"type": "candidate", "link": "nowhere", "epoch": 1, "candidate": "x"}',
        '{"type": "candidate", "link": "peer", "epoch": 1, "candidate": "%s"}' % ("x" * 513),
        '{"type": "candidate", "link": "peer", "epoch": 1, "candidate": "x", "line": 65}',
        described('{"type": "rollback", "sdp": "v=0"}'),
        described('{"type": "offer", "sdp": ""}'),
        described('{"type": "offer", "sdp": "%s"}' % ("x" * 49_153)),
        described('"v=0"'),
        '{"type": "sources", "microphone": "on", "camera": 1, "screen": "no"}',
    ],
)
def test_what_is_no_message_is_malformed(text):
    with pytest.raises(MessageMalformed):
        from_page(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1", '"7"', "true"])
def test_a_workers_load_is_a_number(number):
    with pytest.raises(MessageMalformed):
        from_worker(f'{{"type": "renew", "participants": 1, "cpu_percent": {number}}}')


def test_the_size_is_counted_in_bytes():
    padding = MAX_MESSAGE_BYTES - len('{"type":"leave"}')
    with pytest.raises(MessageTooLarge):
        from_page('{"type":"leave"}' + " " * (padding + 1))
    assert from_page('{"type":"leave"}' + " " * padding).type == "leave"
    with pytest.raises(MessageTooLarge):
        from_page('{"type":"' + "☂" * (MAX_MESSAGE_BYTES // 3) + '"}')
    with pytest.raises(MessageTooLarge):
        from_page("\ud800" * MAX_MESSAGE_BYTES + "x")


def test_a_complete_description_fits():
    sdp = "v" * browser.MAX_SDP_CHARS
    text = text_of(
        "describe",
        {"link": "peer", "epoch": 1, "description": {"type": "offer", "sdp": sdp}},
    )
    assert from_page(text).description.sdp == sdp


@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 30_000])
def test_nesting_has_an_end(brackets, depth):
    opened, closed = brackets
    inner = '"a":' if opened == "{" else ""
    for text in (
        (opened + inner) * depth + "1" + closed * depth,
        opened * depth,
        '{"type":"leave","x":' + "[" * depth + "]" * depth + "}",
    ):
        with pytest.raises((MessageMalformed, MessageTooLarge)):
            from_page(text)


def test_brackets_inside_text_are_text():
    ticket = '[{"' * 300
    assert from_page(text_of("hello", {"version": 1, "ticket": ticket})).ticket == ticket


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 32_000,
        '"' * 65_000,
        "\\" * 65_000,
        '"\\' * 32_000,
        '{"type":"' + '\\"' * 32_000,
        '"' + "\\\n" * 32_000,
        "[" * 65_000,
        '["' * 32_000,
        '{"a":' * 13_000,
        '{"type": "ping", "n": ' + "9" * 65_000,
        '{"type": "ping", ' + ",".join(f'"f{n}": 0' for n in range(5_000)) + "}",
    ],
    ids=lambda text: text[:12],
)
def test_a_strangers_worst_message_costs_next_to_nothing(text):
    """It is read on the event loop, before anybody has said hello."""
    began = time.process_time()
    with pytest.raises(REFUSALS):
        from_page(text)
    assert time.process_time() - began < 1


def test_nothing_of_a_refused_message_is_repeated():
    for text in (
        '{"type": "secret-kind"}',
        '{"type": "ping", "n": "secret-value"}',
        '{"type": "hello", "version": 1, "ticket": ["secret-value"]}',
        "secret-text",
    ):
        with pytest.raises(REFUSALS) as caught:
            from_page(text)
        shown = f"{caught.value!r} {caught.value}"
        assert "secret" not in shown


@given(st.text(max_size=300))
def test_any_text_is_a_message_or_is_refused(text):
    for reader in (from_page, from_worker):
        with contextlib.suppress(*REFUSALS):
            reader(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    kind=st.sampled_from(sorted(GOOD)),
    changes=st.dictionaries(
        st.sampled_from([*sorted({name for fields in GOOD.values() for name in fields}), "more"]),
        _JSON,
        max_size=4,
    ),
)
def test_any_change_of_a_good_message_is_read_or_refused(kind, changes):
    try:
        message = from_page(json.dumps({"type": kind, **GOOD[kind], **changes}))
    except REFUSALS:
        return
    assert from_page(write(message)) == message
    assert set(changes) <= set(type(message).model_fields)


def test_a_message_is_never_changed():
    message = from_page('{"type": "ping", "n": 1}')
    with pytest.raises(ValueError, match="frozen"):
        message.n = 2


def test_kinds_are_the_types_of_their_classes():
    assert kinds(browser.Ping, browser.Leave) == {"ping", "leave"}

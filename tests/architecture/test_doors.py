"""Every way in names its verb or says why it is public: routes, the desk, messages, tasks."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from access.doors import Public, door_of, public
from access.policy import POLICY
from access.site import desk
from access.verbs import Verb
from audit.models import TrailRow
from consilium.celery import app
from consilium.routes import LIBRARY_ROUTES, NOT_SERVED
from foundation.wire.browser import CLIENT_ADAPTER, CLIENT_TYPES
from signaling.handlers import HANDLERS
from tests.accounts.signing_in import signed_in

REPOSITORY = Path(__file__).resolve().parents[2]


def routes(
    resolver: URLResolver | None = None, spaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, URLPattern]]:
    """Every route's name, with its namespaces, and its pattern."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from routes(pattern, inner)
        else:
            yield ":".join((*spaces, pattern.name or "")), pattern


OURS = [(name, p) for name, p in routes() if not name.startswith("admin:")]
MARKED = [(name, p) for name, p in OURS if door_of(p.callback) is not None]
LIBRARIES = [(name, p) for name, p in OURS if door_of(p.callback) is None]


@pytest.mark.parametrize(("name", "pattern"), OURS)
def test_every_route_names_a_door_or_is_not_served_for_a_reason(name, pattern):
    found = door_of(pattern.callback) or LIBRARY_ROUTES.get(name)
    if found is None:
        assert NOT_SERVED.get(name), f"{name} names neither verb nor reason"
    elif isinstance(found, Public):
        assert len(found.reason) > 10
    else:
        assert found in POLICY


def test_no_route_is_listed_twice_and_no_listed_route_is_stale():
    names = {name for name, _ in LIBRARIES}
    assert not set(LIBRARY_ROUTES) & set(NOT_SERVED)
    assert set(LIBRARY_ROUTES) | set(NOT_SERVED) == names


def test_routes_of_ours_have_names_and_marks():
    assert all(name for name, _ in OURS)
    modules = {p.callback.__module__.split(".")[0] for _, p in LIBRARIES}
    assert modules <= {"allauth", "django"}


@pytest.mark.parametrize("name", [n for n, p in MARKED if isinstance(door_of(p.callback), Verb)])
def test_a_marked_view_refuses_by_the_verb_it_names(cast, name):
    """The mark is a promise: who may not is refused for that verb, and the trail says so."""
    pattern = dict(MARKED)[name]
    meeting, issued = cast.meeting()
    values = {
        "meeting_id": meeting.pk,
        "participation_id": issued.invitation.participation_id,
        "recording": meeting.pk,
        "run": meeting.pk,
        "sequence": 0,
        "viewing": meeting.pk,
        "film": meeting.pk,
        "hold": meeting.pk,
        "organisation": cast.hospital.pk,
    }
    wanted = {key: values[key] for key in pattern.pattern.converters}
    client = signed_in(Client(), cast.foreign_officer)
    body = {
        "secret": "unknown" * 6,
        "code": "000000",
        "purpose": "join",
        "public_key": "A" * 43,
        "name": "worker",
        "guest_name": "Somebody",
        "guest_email": "somebody@example.test",
        "guest_language": "en",
    }
    if name == "worker-enrol":
        body = {"code": "unknown" * 6, "public_key": "A" * 43, "name": "worker"}
    url = reverse(name, kwargs=wanted)
    answers = [
        client.post(url, body, secure=True),
        client.post(url, body, content_type="application/json", secure=True),
        client.get(url, secure=True),
        client.put(url, b"", secure=True),
    ]
    assert any(answer.status_code in {403, 404, 401} for answer in answers)
    assert not any(answer.status_code in {200, 302, 500} for answer in answers)
    refused = TrailRow.objects.filter(outcome="refused")
    assert {row.tag for row in refused} == {door_of(pattern.callback).value}


def test_every_page_of_the_desk_names_a_verb():
    assert desk._registry
    for page in desk._registry.values():
        assert page.verb in POLICY, type(page).__name__


def test_every_message_has_one_handler_with_a_door():
    assert set(HANDLERS) == set(CLIENT_TYPES)
    for kind, handled in HANDLERS.items():
        if isinstance(handled.door, Public):
            assert len(handled.door.reason) > 10, kind
        else:
            assert handled.door in POLICY
        assert handled.purposes


def test_the_schema_speaks_exactly_the_listed_messages():
    in_schema = set(CLIENT_ADAPTER.json_schema()["discriminator"]["mapping"])
    assert in_schema == {kind.model_fields["type"].default for kind in CLIENT_TYPES}


def test_every_task_of_ours_names_a_verb():
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert len(ours) >= 5
    for name, task in ours.items():
        assert door_of(task) in POLICY, name
        scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled <= set(ours)


def test_no_task_takes_anything_but_ids():
    app.loader.import_default_modules()
    for name, task in app.tasks.items():
        if not name.startswith("celery."):
            parameters = inspect.signature(task.run).parameters
            assert all(p.endswith("_id") for p in parameters), name


# ------------------------------------------------------------ a view that forgot its mark


def unmarked(request):
    return HttpResponse("served without a verb")


@public("planted by this test to show that a mark opens")
def marked(request):
    return HttpResponse("served")


urlpatterns = [
    *get_resolver("consilium.urls").url_patterns,
    path("unmarked", unmarked, name="unmarked"),
    path("marked", marked, name="marked"),
]


@pytest.mark.usefixtures("cast")
def test_a_view_without_a_mark_is_not_served():
    client = Client()
    with override_settings(ROOT_URLCONF=__name__):
        assert client.get("/marked", secure=True).content == b"served"
        answer = client.get("/unmarked", secure=True)
    assert answer.status_code == 403
    assert b"served" not in answer.content


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("name", sorted(NOT_SERVED))
def test_a_library_route_that_is_not_served_answers_403(name):
    pattern = dict(LIBRARIES)[name].pattern
    keys = pattern.converters or pattern.regex.groupindex
    url = reverse(name, kwargs=dict.fromkeys(keys, "1"))
    assert Client().get(url, secure=True).status_code == 403


def test_verbs_and_policy_name_the_same_things():
    assert set(POLICY) == set(Verb)


def test_every_verb_is_used_by_something_outside_the_table():
    used: set[str] = set()
    for file in [*(REPOSITORY / "apps").rglob("*.py"), *(REPOSITORY / "platform").rglob("*.py")]:
        if file.parts[-2:] in {("access", "policy.py"), ("access", "verbs.py")}:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "Verb"
            ):
                used.add(node.attr)
    assert used == {verb.name for verb in Verb}


def test_verbs_stand_in_alphabetical_order_and_their_tags_are_unique():
    names = [verb.name.split("_") for verb in Verb]
    assert names == sorted(names)
    assert len({verb.value for verb in Verb}) == len(Verb.__members__)
    assert all(len(verb.value.split(":")) == 3 for verb in Verb)
    assert all(len(verb.value) <= 60 for verb in Verb), "the trail's column"

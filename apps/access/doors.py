"""Every door names the verb it leads to, or PUBLIC with a reason. A door that names none is shut.

``@door(Verb.X)`` marks a view; ``@public("why")`` marks one that asks for nothing. The mark is a
promise that the view calls the gate or an action with that verb; ``ClosedByDefault`` refuses any
view that has no mark, and a test walks the resolver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from access.verbs import Verb

V = TypeVar("V", bound=Callable[..., Any] | type[Any])

_MARK = "access_door"


@dataclass(frozen=True, slots=True)
class Public:
    """A door for everybody, and why that is right."""

    reason: str


Door = Verb | Public


def door(verb: Verb) -> Callable[[V], V]:
    """This view does ``verb`` and nothing else."""
    return _marker(verb)


def public(reason: str) -> Callable[[V], V]:
    """This view is for everybody, because ``reason``."""
    return _marker(Public(reason))


def _marker(mark: Door) -> Callable[[V], V]:
    def put(view: V) -> V:
        setattr(view, _MARK, mark)
        return view

    return put


def door_of(view: Any) -> Door | None:
    """The mark of a view function, a class-based view or what ``as_view()`` made of it."""
    for holder in (view, getattr(view, "cls", None), getattr(view, "view_class", None)):
        mark = getattr(holder, _MARK, None)
        if mark is not None:
            return mark  # type: ignore[no-any-return]
    return None


def door_asked_for(request: HttpRequest) -> Door | None:
    """The door that ``request`` leads to; None when it is closed or there is none.

    Views of libraries can't be marked; ``settings.LIBRARY_DOORS`` names a function that finds
    their door by the route's name.
    """
    match = request.resolver_match
    if match is None:
        return None
    return door_of(match.func) or _library_door()(request)


def verb_asked_for(request: HttpRequest) -> Verb:
    """What a refusal of ``request`` is called on the trail."""
    found = door_asked_for(request)
    return found if isinstance(found, Verb) else Verb.DOOR_KNOCK


@lru_cache(maxsize=1)
def _library_door() -> Callable[[HttpRequest], Door | None]:
    return import_string(settings.LIBRARY_DOORS)  # type: ignore[no-any-return]

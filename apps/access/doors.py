"""Every door names the verb it leads to, or PUBLIC with a reason. A door that names none is shut.

``@door(Verb.X)`` marks a view; ``@public("why")`` marks one that asks for nothing. The mark is a
promise that the view calls the gate or an action with that verb; ``ClosedByDefault`` refuses any
view that has no mark, and a test walks the resolver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

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

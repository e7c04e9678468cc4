"""Descriptions and candidates: checked here, then handed to the other side of the path.

They are never stored and never logged. Those of another epoch are dropped without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from access import gate
from access.verbs import Verb
from foundation.errors import ConsiliumError
from foundation.wire import browser as wire
from foundation.wire import sdp
from foundation.wire.message import Message
from media.actions import paths
from media.groups import worker_group
from media.models import Path
from meetings.models import Participation
from meetings.rooms import place_group
from signaling.hello import Connection
from signaling.outgoing import NOTHING, Outgoing
from signaling.route import Route

#: Candidates of one link and epoch; a browser repeats its own for each m-line it may yet bundle.
#: Each makes the other side send packets to an address of the sender's choice.
MAX_TRICKLED = 4 * sdp.MAX_CANDIDATES


def describe(connection: Connection, message: wire.Describe) -> Outgoing:
    route = _route(connection, message.link, message.epoch)
    if route is None:
        return NOTHING
    try:
        checked = _checked(message, relay_only=connection.relay_only)
    except sdp.SdpRefused as refused:
        raise _refusal(connection, "sdp_refused") from refused
    description = wire.Description(type=message.description.type, sdp=checked)
    if message.link is wire.Link.PEER:
        described = wire.Described(link=message.link, epoch=route.epoch, description=description)
        return _to_page(route, described)
    fields = {"description": description.model_dump()}
    return _to_worker(connection, route, "describe", fields)


def candidate(connection: Connection, message: wire.Candidate) -> Outgoing:
    route = _route(connection, message.link, message.epoch)
    if route is None or not message.candidate:
        return NOTHING
    connection.candidates[message.link, route.epoch] += 1
    count = connection.candidates[message.link, route.epoch]
    if count > MAX_TRICKLED + 1:
        return NOTHING  # told and on the trail once
    line = sdp.check_candidate(message.candidate, relay_only=connection.relay_only)
    if line is None or count > MAX_TRICKLED:
        raise _refusal(connection, "candidate_refused")
    if message.link is wire.Link.PEER:
        if not sdp.leads_to_a_machine(line, loopback=settings.ON_THIS_MACHINE_ALONE):
            return NOTHING  # not refused: a browser may gather one without doing anything wrong
        remote = wire.RemoteCandidate(
            link=message.link,
            epoch=route.epoch,
            candidate=line,
            mid=message.mid,
            line=message.line,
        )
        return _to_page(route, remote)
    fields = {"candidate": line, "mid": message.mid, "line": message.line}
    return _to_worker(connection, route, "candidate", fields)


def restart(connection: Connection, message: wire.RestartMedia) -> Outgoing:
    _own_path(connection)
    paths.restart_path(connection.participation_id, message.epoch)
    return NOTHING


def _route(connection: Connection, link: wire.Link, epoch: int) -> Route | None:
    """To the other side of the place's path; None if the message does not belong to it."""
    known = connection.route.known(link, epoch)
    if known is not None:
        return known
    path = _own_path(connection)
    private = connection.mode is wire.Mode.PRIVATE
    if not path.ready or path.epoch != epoch:
        return None
    if private != (link is wire.Link.PEER):
        raise _refusal(connection, "sdp_refused")
    if private:
        group = place_group(path.peer_id) if path.peer_id is not None else None
    else:
        group = _worker_of(connection)
    if group is None:
        return None
    route = Route(link, epoch, group)
    connection.route.remember(route)
    return route


def _worker_of(connection: Connection) -> str:
    placement = paths.placement_of(connection.meeting_id)
    if placement is None:
        raise ConsiliumError("no_media_worker")
    return worker_group(placement.worker_id)


def _own_path(connection: Connection) -> Path:
    """A page in the call has one since its hello."""
    path = Path.objects.select_related("participation__meeting").get(
        participation_id=connection.participation_id
    )
    gate.require(connection.actor, Verb.MEDIA_CONNECT, path.participation)
    return path


def _checked(message: wire.Describe, *, relay_only: bool) -> str:
    """The description as it may be passed on. Raises ``SdpRefused``."""
    text = message.description.sdp
    if message.link is wire.Link.PEER:
        return sdp.check_peer_description(
            text, relay_only=relay_only, loopback=settings.ON_THIS_MACHINE_ALONE
        )
    if message.link is wire.Link.PUBLISH:
        if message.description.type != "offer":
            raise sdp.SdpRefused("publish is offered by the browser")
        sdp.check_publish_offer(text)
    else:
        if message.description.type != "answer":
            raise sdp.SdpRefused("subscribe is answered by the browser")
        sdp.check_answer(text)
    return sdp.relay_candidates_only(text) if relay_only else text


def _to_page(route: Route, message: Message) -> Outgoing:
    hint = {"type": "media.relayed", "message": message.model_dump(mode="json")}
    return Outgoing(relays=((route.group, hint),))


def _to_worker(
    connection: Connection, route: Route, kind: str, fields: Mapping[str, object]
) -> Outgoing:
    command = {
        "type": f"worker.{kind}",
        "room": str(connection.meeting_id),
        "participant": str(connection.participation_id),
        "epoch": route.epoch,
        "link": route.link.value,
        **fields,
    }
    return Outgoing(relays=((route.group, command),))


def _refusal(connection: Connection, code: str) -> ConsiliumError:
    refusal = ConsiliumError(code)
    place = Participation.objects.select_related("meeting").get(pk=connection.participation_id)
    gate.record_refusal(connection.actor, Verb.MEDIA_CONNECT, refusal, place)
    return refusal

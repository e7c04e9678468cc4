"""Everything that can be done, by name. A verb's value is its tag on the trail.

``source:subject:action``. Values are never reused; a retired one stays here as a comment.
"""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    ACCOUNT_MANAGE = "accounts:person:manage_own"
    ADMIN_OPEN = "compliance:desk:open"
    CODE_MINT = "meetings:code:mint"
    CODE_SEND = "meetings:code:send"
    CONSENT_GIVE = "meetings:consent:give"
    CONSENT_REFUSE = "meetings:consent:refuse"
    CONSENT_WITHDRAW = "meetings:consent:withdraw"
    DESK_OPEN = "meetings:desk:open"
    DOOR_KNOCK = "access:door:knock"
    GUEST_ADMIT = "meetings:guest:admit"
    GUEST_DECLINE = "meetings:guest:decline"
    GUEST_INVITE = "meetings:guest:invite"
    GUEST_VERIFY = "meetings:guest:verify"
    HOST_SIT = "meetings:host:sit"
    INVITATION_MINT = "meetings:invitation:mint"
    INVITATION_REDEEM = "meetings:invitation:redeem"
    INVITATION_RENEW = "meetings:invitation:renew"
    INVITATION_REVOKE = "meetings:invitation:revoke"
    MEDIA_CONNECT = "media:path:connect"
    MEDIA_PUBLISH = "media:source:publish"
    MEETING_CREATE = "meetings:meeting:create"
    MEETING_END = "meetings:meeting:end"
    MEETING_VIEW = "meetings:meeting:view"
    MEETINGS_SHOW = "compliance:meetings:show"
    OUTBOX_SWEEP = "outbox:row:sweep"
    PARTICIPANT_REMOVE = "meetings:participant:remove"
    PEOPLE_SHOW = "compliance:people:show"
    ROOM_JOIN = "meetings:room:join"
    ROOM_LEAVE = "meetings:room:leave"
    ROOM_OPEN = "meetings:room:open"
    ROOM_WAIT = "meetings:room:wait"
    TRAIL_SHOW = "compliance:trail:show"
    WORKER_ENROL = "media:worker:enrol"
    WORKER_INVITE = "media:worker:invite"
    WORKER_LINK = "media:worker:link"
    WORKER_WITHDRAW = "media:worker:withdraw"
    WORKERS_SHOW = "compliance:workers:show"

"""A stored recording in an installation that runs, made by its own Celery."""

from __future__ import annotations

from tests.flows.conftest import CLINICIAN
from tests.servers.installation import Installation
from tests.servers.processes import wait_for

STAGE = f"""
from tests.recordings.staged import stage
recording = stage({CLINICIAN!r})
print("STAGED", recording.pk, recording.meeting_id)
"""

STATE = """
from recordings.models import Recording
print("STATE", Recording.objects.get(pk={recording!r}).state)
"""


def staged(installation: Installation) -> tuple[str, str]:
    """The ids of the recording and of its meeting; see ``staged.stage``."""
    printed = installation.manage("shell", "--no-imports", "-c", STAGE, seconds=120)
    _, recording, meeting = printed[printed.index("STAGED") :].split()

    def is_stored() -> bool:
        said = installation.manage("shell", "--no-imports", "-c", STATE.format(recording=recording))
        return "STATE stored" in said

    wait_for(is_stored, "the recording is stored", 90)
    return recording, meeting

"""A process that records people by aiortc's own MediaRecorder, one WebM file for each.

Told by lines on its input, ``{"offer": sdp}`` each, it answers each with a line, and ends with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiortc import RTCSessionDescription
from aiortc.contrib.media import MediaRecorder

from tests.media_worker.people import connection, on_loopback


async def record(folder: Path) -> None:
    on_loopback()
    recorders = []
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        pc = connection()
        recorder = MediaRecorder(str(folder / f"{len(recorders)}.webm"))
        pc.on("track", recorder.addTrack)
        await pc.setRemoteDescription(RTCSessionDescription(json.loads(line)["offer"], "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await recorder.start()
        recorders.append((pc, recorder))
        print(json.dumps({"answer": pc.localDescription.sdp}), flush=True)
    for pc, recorder in recorders:
        await recorder.stop()
        await pc.close()


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))

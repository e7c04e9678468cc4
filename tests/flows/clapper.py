"""A clapper board before each camera, and how to read a film of it.

``clapper.js`` is what stands before the camera. Every picture says whose it is and when it was
drawn, so nothing has to be guessed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import av

from tests.flows.people import Visitor

#: When in its second a clap happens.
EVENT_S = 0.48

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def holds_clapper(person: Visitor, number: int) -> None:
    """From the next page on, instead of camera and microphone. ``number``: whose it is, 1 to 3."""
    given = f"const CLAPPER = {json.dumps({'number': number})};\n"
    person.context.add_init_script(given + _SCRIPT)


def claps_on(person: Visitor, more: int) -> None:
    """Waits until there were ``more`` further claps."""
    wanted = person.page.evaluate("() => clapper.clapped.length") + more
    person.page.wait_for_function("(wanted) => clapper.clapped.length >= wanted", arg=wanted)


def has_clapped_well(person: Visitor, times: int) -> None:
    """Waits until ``times`` claps came of which this machine did not spoil the tone."""
    person.page.wait_for_function(
        """(times) => {
          const over = Date.now() / 1000 - 2;
          const well = clapper.clapped.filter((at) => at < over &&
              ![at - 1, at, at + 1].some((beside) => clapper.starved.has(beside)));
          return well.length >= times; }""",
        arg=times,
    )


def starved(person: Visitor) -> set[int]:
    """The seconds in which this machine had no time for their tone, and those beside them."""
    noted = person.page.evaluate("() => [...clapper.starved]")
    return {second + beside for second in noted for beside in (-1, 0, 1)}


def tells(person: Visitor, kind: str, **fields: object) -> None:
    """A message to the platform over the page's own socket."""
    message = json.dumps({"type": kind, **fields})
    person.page.evaluate("(message) => clapper.socket.send(message)", message)


@dataclass(frozen=True)
class Picture:
    """``at_s`` in the film; ``drawn_s`` within 64 seconds of the machine's clock, to 4 ms."""

    at_s: float
    width: int
    whose: int
    drawn_s: float
    is_white: bool


@dataclass(frozen=True)
class Beep:
    at_s: float
    whose: int


def pictures(film: Path, from_s: float = 0.0) -> list[Picture]:
    """Every picture; those from the last key frame before ``from_s`` on, as a player seeks."""
    with av.open(str(film)) as container:
        if from_s:
            container.seek(int(from_s * 1e6))
        return [_read(frame) for frame in container.decode(video=0)]


def _read(frame: av.VideoFrame) -> Picture:
    plane = frame.planes[0]
    luma = memoryview(plane)

    def bright(x: float, y: float) -> bool:
        return luma[int(y * frame.height) * plane.line_size + int(x * frame.width)] > 128

    whose_and_second, quarter = (
        sum(bright((bit + 0.5) / 8, y / 16) << (7 - bit) for bit in range(8)) for y in (13, 15)
    )
    return Picture(
        at_s=float(frame.time),
        width=frame.width,
        whose=whose_and_second >> 6,
        drawn_s=(whose_and_second & 63) + (quarter * 4 + 2) / 1_000,
        is_white=bright(0.5, 0.55),
    )


#: A tone that is shorter was cut off by somebody's switch, and is no beep.
_TONE_S = 0.06


def beeps(film: Path) -> list[Beep]:
    """Where a tone begins, to half a millisecond, and whose tone it is."""
    found: list[Beep] = []
    rate, loud, quiet_s = 48_000, 0.1, 0.01
    begins_s: float | None = None
    last_loud_s, crossings, was = -1.0, 0, 0.0
    with av.open(str(film)) as container:
        for frame in container.decode(audio=0):
            assert frame.sample_rate == rate
            samples = memoryview(bytes(frame.planes[0])).cast("f")
            step = len(frame.layout.channels) if len(frame.planes) == 1 else 1
            if max(samples) < loud and begins_s is None:
                continue
            for index in range(frame.samples):
                at_s = float(frame.time) + index / rate
                value = samples[index * step]
                if abs(value) > loud:
                    if at_s - last_loud_s > quiet_s:
                        begins_s, crossings = at_s, 0
                    last_loud_s = at_s
                elif at_s - last_loud_s > quiet_s:
                    begins_s = None
                if begins_s is not None:
                    crossings += (value >= 0) != (was >= 0)
                    if at_s - begins_s >= _TONE_S:
                        whose = crossings / 2 / _TONE_S / 500 - 1
                        found.append(Beep(begins_s, round(whose)))
                        begins_s = None
                was = value
    return found

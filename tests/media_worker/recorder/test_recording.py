"""A call of real people is recorded by a real worker, and opened with the private key alone."""

from __future__ import annotations

import asyncio
import itertools
import resource
import time
import uuid
from collections.abc import Callable

import pytest

from foundation.sealing.records import EVERY_STREAM
from foundation.wire.worker import CloseRoom, Record
from tests.media_worker.harness import Platform, Worker, eventually
from tests.media_worker.people import Person, in_a_call
from tests.media_worker.recorder.recording import CAMERA, MICROPHONE, Ordered, shows, sounds

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = tuple[Person, Person]


@pytest.fixture
def ordered(platform: Platform, call: Call) -> Ordered:
    return Ordered(platform, call[0].room)


async def test_everybody_who_is_recorded_can_be_seen_and_heard_again(
    ordered: Ordered, call: Call, platform: Platform
) -> None:
    one, other = call
    before = platform.now
    await ordered.record(one, other)
    await ordered.becomes("recording")
    await ordered.goes_on(6)
    await ordered.stop()
    await ordered.becomes("stopped", "stopped")
    await ordered.is_over()
    run = ordered.the_run()
    assert run.is_finished
    assert run.all("closing") == [{"type": "closing", "why": 1}]
    assert run.places() == {str(one.id), str(other.id)}
    for person in call:
        video, audio = run.frames(person, CAMERA), run.frames(person, MICROPHONE)
        assert len(video) > 60
        assert video[0]["flags"] == 1
        assert shows(video, person)
        assert sounds(audio) > 4 * 48_000
        assert [frame["flags"] for frame in audio] == [1] * len(audio)
        stream = run.streams[str(person.id), CAMERA]
        assert run.all("report", stream=stream)
    openings = run.all("opening")
    assert openings[0]["wall_us"] / 1e6 == pytest.approx(before, abs=2)
    for first, second in itertools.pairwise(openings):
        assert second["clock_us"] == first["clock_us"] + first["covers_us"]
        assert first["covers_us"] < 2_000_000
        elapsed = second["clock_us"] - first["clock_us"]
        assert second["wall_us"] - first["wall_us"] == pytest.approx(elapsed, abs=500_000)
    joined = {event["place"] for event in run.all("event", what=1)}
    assert joined == {str(one.id), str(other.id)}


async def test_only_those_places_are_recorded_that_were_named(
    ordered: Ordered, call: Call, arrive: Callable[..., Person]
) -> None:
    one, other = call
    guest = arrive()
    await guest.join()
    await ordered.record(other)
    await one.sees(guest)
    await ordered.goes_on(3)
    assert {place for run in ordered.opened() for place in run.places()} == {str(other.id)}
    await ordered.record(other, guest)
    await ordered.record(other)  # names nobody new, and takes nobody away
    await ordered.goes_on(3)
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    assert run.places() == {str(other.id), str(guest.id)}
    assert shows(run.frames(guest, CAMERA), guest)
    assert str(one.id) not in {event["place"] for event in run.all("event")}


async def test_who_withdraws_is_recorded_no_more_at_once_and_for_good(
    ordered: Ordered, call: Call
) -> None:
    one, other = call
    await ordered.record(one, other)
    await ordered.goes_on(3)
    await ordered.withdraw(other)
    await ordered.goes_on(2)
    await ordered.record(one, other)  # an order that was overtaken
    await ordered.goes_on(3)
    await one.sees(other)  # the call goes on
    await ordered.stop("withdrawn")
    await ordered.is_over()
    run = ordered.the_run()
    assert run.all("closing")[0]["why"] == 3
    (withdrew,) = run.all("event", what=12)
    assert withdrew["place"] == str(other.id)
    for kind in (CAMERA, MICROPHONE):
        frames = run.frames(other, kind)
        assert frames
        assert max(frame["arrival_us"] for frame in frames) <= withdrew["at_us"]
    assert run.frames(one, CAMERA)[-1]["arrival_us"] > withdrew["at_us"] + 2_000_000
    gaps = run.all("gap", reason=4, stream=run.streams[str(other.id), CAMERA])
    assert gaps[0]["from_us"] == gaps[0]["to_us"] >= withdrew["at_us"] - 1_000
    assert gaps[-1]["to_us"] > withdrew["at_us"] + 2_000_000


async def test_a_withdrawal_counts_within_a_second_of_its_order(
    ordered: Ordered, call: Call
) -> None:
    one, other = call
    await ordered.record(one, other)
    await ordered.goes_on(2)
    ordered_at = time.time()
    await ordered.withdraw(other)
    await ordered.goes_on(3)
    run = ordered.the_run()
    opening = run.all("opening")[0]
    last = max(frame["arrival_us"] for frame in run.frames(other, CAMERA))
    recorded_until = (opening["wall_us"] + last - opening["clock_us"]) / 1e6
    assert recorded_until < ordered_at + 1.0
    await ordered.stop()


async def test_a_pause_is_a_gap_and_what_follows_begins_at_a_key_frame(
    ordered: Ordered, call: Call
) -> None:
    one, other = call
    await ordered.record(one, other)
    await ordered.goes_on(2)
    await ordered.pause()
    await ordered.pause()
    await ordered.becomes("paused")
    await one.sees(other, more=40)
    await ordered.resume()
    await ordered.becomes("recording")
    await ordered.goes_on(2)
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    (gap,) = run.all("gap", reason=3)
    assert gap["stream"] == EVERY_STREAM
    assert gap["to_us"] - gap["from_us"] > 1_500_000
    for person in call:
        frames = run.frames(person, CAMERA)
        inside = [f for f in frames if gap["from_us"] < f["arrival_us"] < gap["to_us"]]
        assert inside == []
        after = [f for f in frames if f["arrival_us"] >= gap["to_us"]]
        assert after[0]["flags"] == 1
        assert shows(frames, person)
    assert {event["place"] for event in run.all("event", what=9)} == {str(p.id) for p in call}


async def test_somebody_who_comes_back_keeps_the_streams(ordered: Ordered, call: Call) -> None:
    one, other = call
    await ordered.record(one, other)
    await ordered.goes_on(2)
    await other.leave()
    await other.join()
    await other.connected()
    await one.sees(other)
    await ordered.goes_on(3)
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    frames = run.frames(other, CAMERA)
    assert shows(frames, other)
    assert frames[-1]["arrival_us"] - frames[0]["arrival_us"] > 3_000_000
    assert len(run.streams) == 4


async def test_a_recording_that_was_stopped_is_not_begun_again(
    ordered: Ordered, call: Call
) -> None:
    await ordered.record(*call)
    await ordered.goes_on(1)
    await ordered.stop("starter_left")
    await ordered.becomes("stopped", "starter_left")
    await ordered.is_over()
    before = ordered.segments()
    await ordered.record(*call)
    await ordered.stop()
    await asyncio.sleep(1.5)
    assert ordered.segments() == before
    assert ordered.states[-1] == ("stopped", "starter_left")


async def test_a_stop_that_overtakes_its_order_is_remembered(ordered: Ordered, call: Call) -> None:
    await ordered.stop()
    await ordered.becomes("stopped", "stopped")
    await ordered.record(*call)
    await asyncio.sleep(1.5)
    assert ordered.segments() == 0


async def test_a_withdrawal_that_overtakes_its_order_is_remembered(
    ordered: Ordered, call: Call
) -> None:
    one, other = call
    await ordered.withdraw(other)
    await ordered.record(one, other)
    await ordered.goes_on(3)
    await ordered.stop()
    assert {place for run in ordered.opened() for place in run.places()} == {str(one.id)}


async def test_the_end_of_the_meeting_ends_the_recording(
    ordered: Ordered, call: Call, platform: Platform
) -> None:
    await ordered.record(*call)
    await ordered.goes_on(1)
    await platform.send(CloseRoom(room=ordered.room))
    await ordered.becomes("stopped", "meeting_ended")
    await ordered.is_over()
    assert ordered.the_run().all("closing")[0]["why"] == 4
    before = len(ordered.states)
    await ordered.record(*call)  # an order that was overtaken
    await eventually(lambda: len(ordered.states) > before)
    assert ordered.states[-1] == ("stopped", "meeting_ended")


async def test_an_order_may_come_before_anybody_is_here(
    platform: Platform, arrive: Callable[..., Person]
) -> None:
    one, other = arrive(60), arrive(200)
    ordered = Ordered(platform, one.room)
    await ordered.record(one, other)
    await ordered.becomes("recording")
    await in_a_call(one, other)
    await ordered.goes_on(3)
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    assert shows(run.frames(one, CAMERA), one)
    assert shows(run.frames(other, CAMERA), other)


async def test_an_order_with_a_key_that_is_none_fails_and_the_call_goes_on(
    ordered: Ordered, call: Call
) -> None:
    await ordered.record(*call, public_key="!" * 43)
    await ordered.becomes("failed", "fault")
    await ordered.record(*call, public_key="A" * 43)  # a point of low order: nothing can be sealed
    await ordered.becomes("failed", "fault")
    await call[0].sees(call[1])


async def test_one_room_has_one_recording_at_a_time(
    ordered: Ordered, call: Call, platform: Platform
) -> None:
    await ordered.record(*call)
    await ordered.becomes("recording")
    another = Ordered(platform, ordered.room)
    await another.record(*call)
    await another.becomes("failed", "capacity")
    await ordered.goes_on(1)
    await ordered.stop()


async def test_a_conflict_ends_the_recording_and_not_the_call(
    ordered: Ordered, call: Call, platform: Platform
) -> None:
    await ordered.record(*call)
    await ordered.goes_on(2)
    platform.segments.answers.append(409)
    await ordered.becomes("failed", "conflict")
    await call[0].sees(call[1])
    await ordered.record(*call)  # a new run
    await ordered.becomes("recording")
    await ordered.goes_on(2)
    await ordered.stop()
    await ordered.is_over()
    runs = ordered.opened()
    assert [run.is_finished for run in runs] == [False, True]


async def test_the_recording_goes_on_while_the_platform_is_away(
    ordered: Ordered, call: Call, platform: Platform
) -> None:
    one, other = call
    await ordered.record(one, other)
    await ordered.goes_on(1)
    await platform.stop()
    platform.linked.clear()
    await one.sees(other, more=60)
    await platform.start()
    await asyncio.wait_for(platform.linked.wait(), 10)
    await ordered.goes_on(4)
    await ordered.becomes("recording")
    await ordered.stop()
    await ordered.is_over()
    run = ordered.the_run()
    assert not run.all("gap", stream=EVERY_STREAM)
    for first, second in itertools.pairwise(run.all("opening")):
        assert second["clock_us"] == first["clock_us"] + first["covers_us"]
    assert shows(run.frames(other, CAMERA), other)


async def test_no_core_is_dumped_and_no_log_line_names_anybody(
    ordered: Ordered, call: Call, worker: Worker
) -> None:
    assert worker.process is not None
    assert resource.prlimit(worker.process.pid, resource.RLIMIT_CORE) == (0, 0)
    await ordered.record(*call)
    await ordered.goes_on(2)
    await ordered.stop()
    await ordered.is_over()
    log = worker.log
    for hidden in (*call, ordered.recording, ordered.room):
        assert str(getattr(hidden, "id", hidden)) not in log


async def test_too_many_places_are_no_order(platform: Platform) -> None:
    with pytest.raises(ValueError, match="places"):
        Record(
            room=uuid.uuid4(),
            recording=uuid.uuid4(),
            organisation=uuid.uuid4(),
            public_key="A" * 43,
            places=[uuid.uuid4() for _ in range(65)],
        )

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cuelens.adapters.fakes import MemoryCamera
from cuelens.camera.capture import NO_CAMERA, ODD, STALLED, CaptureThread, Deadlines
from cuelens.camera.in_order import InOrder
from cuelens.frame import Frame
from cuelens_models.errors import AbsentDevice, CameraLost

HOUR_NS = 3600 * 10**9
RARELY = Deadlines(retry_s=600.0)
"""An absent camera is looked for once in a test, and again after a minute only."""


def picture(t: float) -> Frame:
    """A picture of an hour ahead: however long a test is held up, it is not old."""
    return Frame(np.zeros((4, 4), np.uint8), t, time.monotonic_ns() + HOUR_NS)


def camera_of(*script: float | Frame | Exception) -> MemoryCamera:
    """A camera that does one thing after another: a number is a picture with that time."""
    return MemoryCamera(*(picture(step) if isinstance(step, float) else step for step in script))


def opener(*sources: MemoryCamera | Exception) -> Callable[[], MemoryCamera]:
    waiting = list(sources)

    def open_source() -> MemoryCamera:
        source = waiting.pop(0)
        if isinstance(source, Exception):
            raise source
        return source

    return open_source


def drain(feed: CaptureThread, timeout_s: float = 30.0) -> list[float]:
    times = []
    while (frame := feed.next(timeout_s)) is not None:
        times.append(frame.t)
    return times


def ask_again(feed: CaptureThread) -> None:
    """Ask for a frame, up to a hundred times: a wait that a stop of this process made longer tells of no hang yet."""
    for _ in range(100):
        with suppress(TimeoutError):
            feed.next(0.1)


def test_in_order_gives_every_frame_and_then_none() -> None:
    feed = InOrder(camera_of(0.0, 0.1, 0.2))
    assert [frame.t for _ in range(3) if (frame := feed.next(1))] == [0.0, 0.1, 0.2]
    assert feed.next(1) is None
    assert (feed.received, feed.dropped()) == (3, 0)


def test_a_slow_reader_gets_the_latest_frame_and_the_lost_ones_are_counted() -> None:
    all_put, gate = threading.Event(), threading.Event()

    class Gated(MemoryCamera):
        def read(self, timeout_s: float) -> Frame | None:
            frame = super().read(timeout_s)
            if frame is None:
                all_put.set()
                gate.wait(5)
            return frame

    feed = CaptureThread(opener(Gated(*map(picture, (0.0, 0.1, 0.2)))), lambda *_: None)
    feed.start()
    assert all_put.wait(30)
    frame = feed.next(1)
    gate.set()
    assert frame is not None
    assert frame.t == 0.2
    assert feed.dropped() == 2
    assert feed.next(30) is None


def test_a_stalled_camera_is_closed_and_opened_again() -> None:
    first, second = camera_of(TimeoutError()), camera_of(5.0)
    faults: list[tuple[str, str]] = []
    feed = CaptureThread(opener(first, second), lambda *fault: faults.append(fault))
    feed.start()
    assert drain(feed) == [5.0]
    assert first.closed
    assert second.closed
    assert feed.received == 1
    assert [fault for fault, _ in faults] == [STALLED]


def test_the_last_frame_is_not_lost_to_the_end() -> None:
    for _ in range(20):
        feed = CaptureThread(opener(camera_of(3.0)), lambda *_: None)
        feed.start()
        assert drain(feed) == [3.0]


def test_a_camera_that_stalls_twice_in_a_minute_is_lost() -> None:
    feed = CaptureThread(opener(camera_of(TimeoutError()), camera_of(TimeoutError())), lambda *_: None)
    feed.start()
    with pytest.raises(CameraLost, match="twice"):
        drain(feed)


def test_a_camera_that_is_not_there_is_said_at_once() -> None:
    feed = CaptureThread(opener(AbsentDevice("no camera here")), lambda *_: None)
    feed.start()
    with pytest.raises(AbsentDevice, match="no camera here"):
        feed.next(30)


def test_a_patient_feed_waits_for_a_camera_that_is_not_there(soon: Callable[..., bool]) -> None:
    faults: list[tuple[str, str]] = []
    feed = CaptureThread(
        opener(AbsentDevice("none")), lambda *fault: faults.append(fault), patient=True, deadlines=RARELY
    )
    feed.start()
    assert soon(lambda: faults == [(NO_CAMERA, "none")])
    assert feed.state == NO_CAMERA
    with pytest.raises(TimeoutError):
        feed.next(0.3)
    assert feed.state == NO_CAMERA
    assert faults == [(NO_CAMERA, "none")]
    feed.close()


def test_an_absent_camera_is_tried_soon_and_then_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch, soon: Callable[..., bool]
) -> None:
    tried: list[float] = []
    asked: list[float] = []

    def absent() -> MemoryCamera:
        tried.append(time.monotonic())
        raise AbsentDevice("none")

    feed = CaptureThread(absent, lambda *_: None, patient=True, deadlines=Deadlines(retry_s=0.8))
    wait_for = feed._wake.wait  # noqa: SLF001

    def wait(timeout_s: float) -> bool:
        asked.append(timeout_s)
        return wait_for(timeout_s)

    monkeypatch.setattr(feed._wake, "wait", wait)  # noqa: SLF001
    feed.start()
    assert soon(lambda: len(tried) >= 6)
    feed.close()
    assert asked[:5] == [0.08, 0.16, 0.32, 0.64, 0.8]
    waits = [round(later - earlier, 1) for earlier, later in pairwise(tried)]
    assert all(wait >= least for wait, least in zip(waits, (0.1, 0.2, 0.3, 0.6, 0.8), strict=False)), waits


def test_an_unplugged_camera_is_waited_for_too(soon: Callable[..., bool]) -> None:
    camera = camera_of(1.0, AbsentDevice("went away"), AbsentDevice("went away"))
    feed = CaptureThread(opener(camera), lambda *_: None, patient=True, deadlines=RARELY)
    feed.start()
    assert soon(lambda: feed.state == NO_CAMERA)
    with pytest.raises(TimeoutError):
        drain(feed, 0.3)
    assert feed.state == NO_CAMERA
    assert camera.closed
    feed.close()


def test_a_read_that_fails_is_tried_again_once() -> None:
    faults: list[tuple[str, str]] = []
    camera = camera_of(AbsentDevice("first"), 1.0, AbsentDevice("once"), 2.0, AbsentDevice("again"), 3.0)
    feed = CaptureThread(opener(camera), lambda *fault: faults.append(fault))
    assert drain(feed)[-1] == 3.0
    assert feed.received == 3
    assert faults == []
    # Three failed, and of the others newer ones may have overwritten some.
    assert 3 <= feed.dropped() <= 5


@pytest.mark.parametrize("script", [(), (1.0,), (1.0, AbsentDevice("once"), 2.0)])
def test_a_camera_that_fails_twice_in_a_row_is_not_there(script: tuple[float | Exception, ...]) -> None:
    camera = camera_of(*script, AbsentDevice("went away"), AbsentDevice("went away"), 9.0)
    feed = CaptureThread(opener(camera), lambda *_: None)
    with pytest.raises(AbsentDevice, match="went away"):
        drain(feed)
    assert camera.closed
    assert feed.received == sum(isinstance(step, float) for step in script)


ODD_PICTURES = {
    "empty": np.empty((0, 0), np.uint8),
    "no rows": np.empty((0, 640), np.uint8),
    "a row": np.zeros(640, np.uint8),
    "colours": np.zeros((4, 4, 3), np.uint8),
    "floats": np.zeros((4, 4), np.float32),
    "16 bits": np.zeros((4, 4), np.uint16),
}


@pytest.mark.parametrize("odd", ODD_PICTURES.values(), ids=ODD_PICTURES)
def test_an_odd_frame_is_dropped_and_counted(odd: Any) -> None:
    faults: list[tuple[str, str]] = []
    frame = Frame(odd, 1.5, 0)
    feed = CaptureThread(opener(camera_of(frame, 1.0, frame, frame, 2.0)), lambda *fault: faults.append(fault))
    feed.start()
    times = drain(feed)
    assert times[-1] == 2.0
    assert feed.received == 2
    assert feed.dropped() == 3 + 2 - len(times)
    ((fault, detail),) = faults
    assert fault == ODD
    assert "dropped and counted" in detail
    in_order = InOrder(camera_of(frame, 1.0, frame, frame, 2.0))
    assert [taken.t for _ in range(2) if (taken := in_order.next(1))] == [1.0, 2.0]
    assert in_order.next(1) is None
    assert (in_order.received, in_order.dropped()) == (2, 3)


def test_a_camera_that_gives_nothing_but_odd_frames_is_stalled() -> None:
    class Odd(MemoryCamera):
        def read(self, timeout_s: float) -> Frame | None:
            time.sleep(0.01)
            return Frame(np.empty((0, 0), np.uint8), time.monotonic(), 0)

    odd, good = Odd(), camera_of(5.0)
    faults: list[str] = []
    feed = CaptureThread(opener(odd, good), lambda fault, _: faults.append(fault), deadlines=Deadlines(capture_s=0.1))
    assert drain(feed) == [5.0]
    assert odd.closed
    assert faults == [ODD, STALLED]


def test_a_call_that_never_returns_is_a_lost_camera_and_closing_does_not_wait_for_it() -> None:
    forever, returned = threading.Event(), threading.Event()

    class Hung(MemoryCamera):
        def read(self, timeout_s: float) -> Frame | None:
            forever.wait(30)
            returned.set()
            return None

    # A camera that does not hang is waited for until the deadline of a capture, which is longer than the call here.
    feed = CaptureThread(opener(Hung()), lambda *_: None, deadlines=Deadlines(hung_s=0.2, capture_s=60.0))
    feed.start()
    with pytest.raises(CameraLost, match="hangs"):
        ask_again(feed)
    feed.close()
    assert not returned.is_set()
    forever.set()


def test_a_call_that_has_not_returned_yet_is_no_lost_camera() -> None:
    go_on = threading.Event()

    class Slow(MemoryCamera):
        def read(self, timeout_s: float) -> Frame | None:
            go_on.wait(30)
            return None

    feed = CaptureThread(opener(Slow()), lambda *_: None, deadlines=Deadlines(hung_s=600.0))
    feed.start()
    with pytest.raises(TimeoutError):
        feed.next(0.05)
    go_on.set()
    assert feed.next(30) is None


def test_a_camera_whose_opening_times_out_is_lost() -> None:
    feed = CaptureThread(opener(TimeoutError("timed out")), lambda *_: None, patient=True)
    with pytest.raises(CameraLost, match="timed out"):
        drain(feed)


def test_a_camera_whose_closing_times_out_is_lost() -> None:
    class Stuck(MemoryCamera):
        def close(self) -> None:
            raise TimeoutError("timed out")

    feed = CaptureThread(opener(Stuck(TimeoutError()), camera_of(1.0)), lambda *_: None, patient=True)
    with pytest.raises(CameraLost, match="timed out"):
        drain(feed)


def test_a_source_that_nothing_was_read_of_is_closed_too() -> None:
    camera = camera_of(0.0)
    feed = CaptureThread(opener(), lambda *_: None, first=camera)
    assert feed.received == 0
    feed.close()
    assert camera.closed
    feed.close()


@pytest.mark.parametrize(("old", "given"), [(0, [0, 1]), (4, [4, 5]), (8, [8, 9]), (10, [8, 9])])
def test_a_frame_of_long_ago_is_dropped_unless_all_are(
    old: int, given: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buffers of a driver outlast a stop of the process; a camera whose clock is wrong is still a camera."""
    # The clock stands still: frames have the age that is meant, however long the test is held up.
    monkeypatch.setattr("cuelens.camera.capture.time", SimpleNamespace(**vars(time) | {"monotonic": lambda: 100.0}))
    steps: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    asked = threading.Semaphore(0)

    class Stepped(MemoryCamera):
        def read(self, timeout_s: float) -> Frame | None:
            asked.release()
            return steps.get()

    feed = CaptureThread(opener(Stepped()), lambda *_: None)
    feed.start()
    assert asked.acquire(timeout=30)
    taken = []
    for number in range(10):
        age_s = 5.0 if number < old else 0.0
        steps.put(Frame(np.zeros((4, 4), np.uint8), float(number), int((100.0 - age_s) * 1e9)))
        # Once the next frame is asked for, this one waits to be taken.
        assert asked.acquire(timeout=30)
        try:
            frame = feed.next(0.01)
        except TimeoutError:
            continue
        assert frame
        taken.append(int(frame.t))
    assert taken[:2] == given
    assert feed.dropped() == given[0]
    steps.put(picture(11.0))
    feed.close()

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from cuelens.camera.capture import NO_CAMERA, STALLED, CaptureThread, Deadlines
from cuelens.camera.in_order import InOrder
from cuelens.frame import Frame
from cuelens_models.errors import AbsentDevice, CameraLost


class ScriptedCamera:
    """A camera that does one thing after another: a number is a frame with that time, an exception is raised."""

    name = "scripted"

    def __init__(self, *script: float | Exception | None) -> None:
        self._script = list(script)
        self.closed = False

    def read(self, timeout_s: float) -> Frame | None:
        step = self._script.pop(0) if self._script else None
        if isinstance(step, Exception):
            raise step
        return None if step is None else Frame(np.zeros((4, 4), np.uint8), step, time.monotonic_ns())

    def close(self) -> None:
        self.closed = True


def opener(*sources: ScriptedCamera | Exception) -> Callable[[], ScriptedCamera]:
    waiting = list(sources)

    def open_source() -> ScriptedCamera:
        source = waiting.pop(0)
        if isinstance(source, Exception):
            raise source
        return source

    return open_source


def drain(feed: CaptureThread, timeout_s: float = 2.0) -> list[float]:
    times = []
    while (frame := feed.next(timeout_s)) is not None:
        times.append(frame.t)
    return times


def test_in_order_gives_every_frame_and_then_none() -> None:
    feed = InOrder(ScriptedCamera(0.0, 0.1, 0.2))
    assert [frame.t for _ in range(3) if (frame := feed.next(1))] == [0.0, 0.1, 0.2]
    assert feed.next(1) is None
    assert (feed.received, feed.dropped()) == (3, 0)


def test_a_slow_reader_gets_the_latest_frame_and_the_lost_ones_are_counted() -> None:
    gate = threading.Event()

    class Gated(ScriptedCamera):
        def read(self, timeout_s: float) -> Frame | None:
            frame = super().read(timeout_s)
            if frame is None:
                gate.wait(5)
            return frame

    feed = CaptureThread(opener(Gated(0.0, 0.1, 0.2)), lambda *_: None)
    feed.start()
    while feed.received < 3:
        time.sleep(0.001)
    time.sleep(0.05)
    frame = feed.next(1)
    gate.set()
    assert frame is not None
    assert frame.t == 0.2
    assert feed.dropped() == 2
    assert feed.next(2) is None


def test_a_stalled_camera_is_closed_and_opened_again() -> None:
    first, second = ScriptedCamera(TimeoutError()), ScriptedCamera(5.0)
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
        feed = CaptureThread(opener(ScriptedCamera(3.0)), lambda *_: None)
        feed.start()
        assert drain(feed) == [3.0]


def test_a_camera_that_stalls_twice_in_a_minute_is_lost() -> None:
    feed = CaptureThread(opener(ScriptedCamera(TimeoutError()), ScriptedCamera(TimeoutError())), lambda *_: None)
    feed.start()
    with pytest.raises(CameraLost, match="twice"):
        drain(feed)


def test_a_camera_that_is_not_there_is_said_at_once() -> None:
    feed = CaptureThread(opener(AbsentDevice("no camera here")), lambda *_: None)
    feed.start()
    with pytest.raises(AbsentDevice, match="no camera here"):
        feed.next(2)


def test_a_patient_feed_waits_for_a_camera_that_is_not_there() -> None:
    faults: list[tuple[str, str]] = []
    feed = CaptureThread(opener(AbsentDevice("none")), lambda *fault: faults.append(fault), patient=True)
    feed.start()
    with pytest.raises(TimeoutError):
        feed.next(0.3)
    assert feed.state == NO_CAMERA
    assert faults == [(NO_CAMERA, "none")]
    feed.close()


def test_an_unplugged_camera_is_waited_for_too() -> None:
    camera = ScriptedCamera(1.0, AbsentDevice("went away"))
    feed = CaptureThread(opener(camera), lambda *_: None, patient=True)
    feed.start()
    with pytest.raises(TimeoutError):
        drain(feed, 0.3)
    assert feed.state == NO_CAMERA
    assert camera.closed
    feed.close()


def test_a_call_that_never_returns_is_a_lost_camera_and_closing_does_not_wait_for_it() -> None:
    forever = threading.Event()

    class Hung(ScriptedCamera):
        def read(self, timeout_s: float) -> Frame | None:
            forever.wait(20)
            return None

    feed = CaptureThread(opener(Hung()), lambda *_: None, deadlines=Deadlines(hung_s=0.2))
    feed.start()
    with pytest.raises(TimeoutError):
        feed.next(0.05)
    with pytest.raises(CameraLost, match="hangs"):
        feed.next(0.5)
    began = time.monotonic()
    feed.close()
    assert time.monotonic() - began < 2
    forever.set()


def test_a_source_that_nothing_was_read_of_is_closed_too() -> None:
    camera = ScriptedCamera(0.0)
    feed = CaptureThread(opener(), lambda *_: None, first=camera)
    assert feed.received == 0
    feed.close()
    assert camera.closed
    feed.close()

"""The capture light: lit exactly while frames are taken, whatever the camera does."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from cuelens.adapters.fakes import MemoryCaptureLight
from cuelens.camera.capture import NO_CAMERA, PAUSED, RUNNING, CaptureThread
from cuelens.camera.lit_camera import LitCamera
from cuelens.frame import Frame
from cuelens.ports import FrameSource
from cuelens.runtime.hardware import Hardware, fit
from cuelens.settings import Pins
from cuelens_models.errors import AbsentDevice


class Camera:
    """A camera that tells whether it is open, and gives frames until it is told to stall."""

    name = "camera"
    stalls = False

    def __init__(self, log: list[str]) -> None:
        log.append("open")
        self._log = log

    def read(self, timeout_s: float) -> Frame | None:
        if self.stalls:
            raise TimeoutError
        self._log.append("frame")
        time.sleep(0.01)
        return Frame(np.zeros((4, 4), np.uint8), time.monotonic(), time.monotonic_ns())

    def close(self) -> None:
        self._log.append("close")


class Lamp(MemoryCaptureLight):
    """A capture light that writes into the same log as the camera."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._into = log

    def _turn(self, lit: bool) -> None:
        if lit != self.lit:
            self._into.append("lit" if lit else "dark")
        super()._turn(lit)


def opener(log: list[str], open_camera: Callable[[], FrameSource] | None = None) -> Callable[[], FrameSource]:
    return lambda: LitCamera(open_camera or (lambda: Camera(log)), lambda: Lamp(log))


def test_the_light_is_lit_before_the_camera_opens_and_out_after_it_is_closed() -> None:
    log: list[str] = []
    camera = opener(log)()
    assert camera.read(1.0)
    camera.close()
    assert log == ["lit", "open", "frame", "close", "dark"]


def test_a_camera_that_is_not_there_leaves_no_light_behind() -> None:
    log: list[str] = []

    def absent() -> FrameSource:
        raise AbsentDevice("no camera")

    with pytest.raises(AbsentDevice):
        opener(log, absent)()
    assert log == ["lit", "dark"]


def test_without_its_light_the_camera_stays_shut() -> None:
    log: list[str] = []

    def busy() -> MemoryCaptureLight:
        raise AbsentDevice("pin 24 is busy")

    with pytest.raises(AbsentDevice, match="pin 24"):
        LitCamera(lambda: Camera(log), busy)
    assert log == []


def test_a_pause_closes_the_camera_and_puts_the_light_out_and_its_end_opens_it_again(soon: Callable[..., bool]) -> None:
    log: list[str] = []
    feed = CaptureThread(opener(log), lambda *_: None)
    feed.start()
    assert soon(lambda: "frame" in log)
    feed.pause(on=True)
    assert soon(lambda: log[-2:] == ["close", "dark"])
    assert feed.state == PAUSED
    # The last frame waits, unless the test was held up and it is old.
    with suppress(TimeoutError):
        feed.next(0.1)
    with pytest.raises(TimeoutError):
        feed.next(0.1)
    before = len(log)
    time.sleep(0.1)
    assert len(log) == before
    feed.pause(on=False)
    assert soon(lambda: log[before : before + 3] == ["lit", "open", "frame"])
    feed.close()
    assert soon(lambda: log[-2:] == ["close", "dark"])


def test_a_run_that_begins_paused_takes_no_frame(soon: Callable[..., bool]) -> None:
    log: list[str] = []
    first = opener(log)()
    feed = CaptureThread(opener(log), lambda *_: None, first=first, paused=True)
    feed.start()
    assert soon(lambda: log == ["lit", "open", "close", "dark"])
    feed.pause(on=False)
    assert soon(lambda: "frame" in log)
    feed.close()


def test_a_pause_and_its_end_in_one_moment_are_no_stall(soon: Callable[..., bool]) -> None:
    log: list[str] = []
    faults: list[str] = []
    feed = CaptureThread(opener(log), lambda fault, _: faults.append(fault))
    feed.start()
    assert soon(lambda: "frame" in log)
    for _ in range(20):
        feed.pause(on=True)
        feed.pause(on=False)
        time.sleep(0.005)
    assert soon(lambda: log[-1:] == ["frame"])
    feed.close()
    assert faults == []


def test_the_camera_of_a_stuck_beat_is_closed_by_a_pause(soon: Callable[..., bool]) -> None:
    """Nobody takes frames, as when a beat hangs; the capture thread closes the camera all the same."""
    log: list[str] = []
    feed = CaptureThread(opener(log), lambda *_: None)
    feed.start()
    assert soon(lambda: log.count("frame") > 3)
    threading.Thread(target=feed.pause, kwargs={"on": True}).start()
    assert soon(lambda: log[-2:] == ["close", "dark"])
    feed.close()


def test_a_file_goes_on_in_a_pause(soon: Callable[..., bool]) -> None:
    log: list[str] = []
    feed = CaptureThread(lambda: Camera(log), lambda *_: None, first=Camera(log), paused=True, is_file=True)
    feed.start()
    assert soon(lambda: "frame" in log)
    feed.pause(on=True)
    before = len(log)
    assert soon(lambda: len(log) > before)
    assert feed.state == RUNNING
    feed.close()


def test_a_camera_that_stalls_is_closed_before_its_light_goes_out_at_the_end(soon: Callable[..., bool]) -> None:
    log: list[str] = []

    class Stalling(Camera):
        def read(self, timeout_s: float) -> Frame | None:
            log.append("frame")
            time.sleep(1.0)
            raise TimeoutError

    hardware = Hardware(capture=lambda: Lamp(log))
    feed = CaptureThread(lambda: hardware.open_lit(lambda: Stalling(log)), lambda *_: None)
    feed.start()
    assert soon(lambda: "frame" in log)
    feed.close()
    hardware.close()
    assert log == ["lit", "open", "frame", "close", "dark"]


def test_while_a_camera_hangs_open_its_pins_are_not_given_back() -> None:
    given_back: list[str] = []

    class Board:
        def close(self) -> None:
            given_back.append("closed")

    hardware = Hardware(Board(), capture=lambda: Lamp([]))  # type: ignore[arg-type]
    source = hardware.open_lit(lambda: Camera([]))
    hardware.close()
    assert given_back == []
    source.close()
    hardware.close()
    assert given_back == ["closed"]


def board(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be a Raspberry Pi."""
    monkeypatch.setattr("cuelens.runtime.hardware.is_raspberry_pi", lambda: True)


def test_on_a_board_whose_pins_cannot_be_used_no_camera_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def __init__(self, pins: Pins) -> None:
            raise AbsentDevice("the GPIO cannot be opened")

    board(monkeypatch)
    monkeypatch.setattr("cuelens.runtime.hardware.Gpio", Dead)
    faults: list[str] = []
    hardware = fit(Pins(), lambda fault, _: faults.append(fault), light=True, worn=True)
    with pytest.raises(AbsentDevice, match="stays shut without its capture light"):
        hardware.open_lit(lambda: Camera([]))
    assert faults == ["no light, no button"]
    # Where none is fitted, by the settings, there is nothing to wait for.
    without = fit(Pins(capture="none"), lambda *_: None, light=True, worn=True)
    assert without.open_lit(lambda: Camera([])).name == "camera"


def test_mocked_pins_are_no_button_and_on_a_board_no_capture_light(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    elsewhere = fit(Pins(factory="mock"), lambda *_: None, light=False, worn=True)
    assert elsewhere.button is None
    assert elsewhere.open_lit(lambda: Camera([])).name == "camera"
    elsewhere.close()
    board(monkeypatch)
    here = fit(Pins(factory="mock"), lambda *_: None, light=False, worn=True)
    with pytest.raises(AbsentDevice, match="stays shut"):
        here.open_lit(lambda: Camera([]))
    here.close()


def test_pins_are_not_given_back_while_a_camera_opens() -> None:
    """It may take its time, and a run may be stopped meanwhile."""
    opening, go_on = threading.Event(), threading.Event()
    given_back: list[str] = []

    class Board:
        def close(self) -> None:
            given_back.append("closed")

    def slow() -> FrameSource:
        opening.set()
        go_on.wait(5)
        return Camera([])

    hardware = Hardware(Board(), capture=lambda: Lamp([]))  # type: ignore[arg-type]
    thread = threading.Thread(target=hardware.open_lit, args=(slow,))
    thread.start()
    assert opening.wait(5)
    hardware.close()
    assert given_back == []
    go_on.set()
    thread.join(5)


def test_a_pause_is_seen_at_once_while_there_is_no_camera(soon: Callable[..., bool]) -> None:
    finder, go_on = threading.Event(), threading.Event()
    looks: list[float] = []

    def absent() -> FrameSource:
        looks.append(time.monotonic())
        finder.set()
        go_on.wait(5)
        raise AbsentDevice("no camera")

    feed = CaptureThread(absent, lambda *_: None, patient=True)
    feed.start()
    # In the middle of looking for it, too.
    assert finder.wait(5)
    feed.pause(on=True)
    go_on.set()
    assert soon(lambda: feed.state == PAUSED)
    feed.pause(on=False)
    assert soon(lambda: feed.state == NO_CAMERA)
    # And it is still looked for every ten seconds only.
    time.sleep(0.2)
    assert len(looks) <= 3
    feed.pause(on=True)
    assert soon(lambda: feed.state == PAUSED)
    feed.close()

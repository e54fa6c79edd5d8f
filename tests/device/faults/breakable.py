"""`cuelens` as it is, on hardware that a test breaks while it runs: python breakable.py BENCH run ...

BENCH is a folder. Its files hold what each device does now, as one word; the test replaces them. What the devices were
told to do is written to BENCH/seen.jsonl, with the monotonic time, which is the same in every process.

    camera   textured | small | face | dark | covered | stalls | hangs | absent
             odd: half a second of frames that are no pictures, then textured
             real: the adapter of the settings
    light    works | fails                  button   absent | present
    beat     works | hangs | hangs with the lock
             counts as short: however long it takes, if so from the start
    board    none | busy 17 24 | no gpio    of a Raspberry Pi with gpiozero's mock pins; these pins are taken
    clock    seconds that the wall clock is off
    sys/     what the kernel says of heat and supply
"""

import ctypes
import fcntl
import json
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from cuelens import cli
from cuelens.adapters import gpio, haar, sources
from cuelens.adapters.fakes import MemoryButton, MemoryLight
from cuelens.camera.frame_clock import Clock
from cuelens.frame import Frame, Grey
from cuelens.health import board
from cuelens.ports import FrameSource, Light
from cuelens.runtime import hardware, pacing
from cuelens.runtime.hardware import Hardware
from cuelens.settings import Camera, Pins
from cuelens.types import Candidate, LightPattern
from cuelens_models.errors import AbsentDevice

BENCH = Path(sys.argv.pop(1))
FPS = 15
_ODD = 8
"""Frames that are no pictures, in a row."""
_BUFFERS = 4
"""Of a V4L2 driver: frames that nobody takes fill them, and the next ones are lost."""


def word(device: str) -> str:
    """Return what a device does now."""
    return (BENCH / device).read_text().strip()


def note(what: str, **values: Any) -> None:
    """Record something that a device was told to do, or that it did."""
    with (BENCH / "seen.jsonl").open("a") as file:
        file.write(json.dumps({"at": time.monotonic(), "what": what} | values) + "\n")


def see(clock: Clock, frame: Frame) -> float:
    """Set the clock of a run. Its first frame tells the zero of its events, in monotonic time."""
    begins = clock._origin_t is None  # noqa: SLF001
    t = _see(clock, frame)
    if begins:
        note("clock begins", zero=frame.t - t)
    return t


def hold(name: str) -> IO[str] | None:
    """Hold a device until the file is closed, or this process ends. None if another process holds it."""
    file = (BENCH / f"{name}.held").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


class BreakableCamera:
    """A camera with the buffers of a driver, which does what the word says."""

    name = "v4l2:0"

    def __init__(self) -> None:
        if word("camera") == "absent" or not (held := hold("camera")):
            raise AbsentDevice("/dev/video0 is no camera, or another program holds it")
        note("camera opened")
        self._held = held
        self._filled: deque[tuple[float, str]] = deque()
        self._before = word("camera")
        self._next_s = time.monotonic()
        self._first = True
        self._showed = ""
        self._odd = 0
        self._texture = np.random.default_rng(7).integers(60, 200, (480, 640), np.uint8)

    def read(self, timeout_s: float) -> Frame:
        """Return the oldest frame of the driver's buffers."""
        match word("camera"):
            case "stalls":
                note("camera stalls")
                time.sleep(timeout_s)
                raise TimeoutError("no frame")
            case "hangs":
                note("camera hangs")
                time.sleep(1e6)
            case "absent":
                raise AbsentDevice("/dev/video0 went away")
        exposed_s, showing = self._exposed()
        if self._first:
            note("first frame")
            self._first = False
        if self._showed == "odd" and showing != "odd":
            note("a picture again")
        self._showed = showing
        return Frame(self._picture(showing), exposed_s, int(exposed_s * 1e9))

    def close(self) -> None:
        """Let others have the camera."""
        note("camera closed")
        self._held.close()

    def _exposed(self) -> tuple[float, str]:
        """Return when the oldest frame was exposed, and what the camera saw then."""
        while not self._filled:
            time.sleep(max(0.0, self._next_s - time.monotonic()))
            now_s, now = time.monotonic(), word("camera")
            while self._next_s <= now_s and len(self._filled) < _BUFFERS:
                # A driver fills its buffers while this process is stopped: they show what was there before.
                was_s = now_s - self._next_s
                showing = now if was_s < 4 / FPS else self._before
                self._filled.append((self._next_s, showing))
                self._odd += showing == "odd"
                if self._odd == _ODD:
                    # Counted here: a test that is held up would let them come for longer than the glasses put up with.
                    self._odd, now = 0, "textured"
                    (BENCH / "camera").write_text(now)
                self._next_s += 1 / FPS
            self._next_s, self._before = max(self._next_s, now_s), now
        return self._filled.popleft()

    def _picture(self, showing: str) -> Any:
        match showing:
            case "small":
                return self._texture[:120, :160].copy()
            case "odd":
                return np.empty((0, 640), np.uint8)
            case "dark":
                return self._texture // 5
            case "covered":
                return np.full((480, 640), 20, np.uint8)
            case "face":
                return np.frombuffer((BENCH / "face.grey").read_bytes(), np.uint8).reshape(480, 640).copy()
        return self._texture.copy()


class BreakableLight:
    """A light that is told of, and fails when the word says so."""

    def __init__(self, light: Light) -> None:
        self._light = light

    def show(self, pattern: LightPattern) -> None:
        """Pass a pattern on."""
        if word("light") == "fails":
            note("light fails")
            raise OSError(5, "Input/output error")
        note("light", colour=pattern.colour, pattern=pattern.pattern, seconds=pattern.seconds)
        self._light.show(pattern)

    def off(self) -> None:
        """Go dark."""
        note("light off")
        self._light.off()

    def close(self) -> None:
        """Go dark for good."""
        note("light closed")
        self._light.close()


class BreakableDetector(haar.HaarDetector):
    """The detector, which hangs when the word says so."""

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return what the detector finds."""
        match word("beat"):
            case "hangs":
                note("beat hangs")
                time.sleep(1e6)
            case "hangs with the lock":
                note("beat hangs")
                # A call by PyDLL keeps the interpreter's lock: no thread of this process runs any more.
                ctypes.PyDLL(None).sleep(1000000)
        return super().candidates(picture)


def open_source(name: str, settings: Camera) -> FrameSource:
    """Open the camera of the settings; any other source as it is."""
    real = word("camera") == "real" or name != BreakableCamera.name
    return _open_real(name, settings) if real else BreakableCamera()


def fit(pins: Pins, fault: Callable[[str, str], None], *, light: bool, worn: bool) -> Hardware:
    """Return the hardware: that of a board with mock pins, or fakes."""
    if word("board") != "none":
        fitted = _fit_real(pins, fault, light=light, worn=worn)
    else:
        button = MemoryButton() if worn and word("button") == "present" else None
        fitted = Hardware(light=MemoryLight() if light else None, button=button)
    if fitted.light:
        fitted.light = BreakableLight(fitted.light)
    return fitted


def factory(*, mocked: bool) -> Any:
    """Return mock pins in the place of a board's. lgpio's own error is one that neither Python nor gpiozero knows."""
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    class LgpioError(Exception):
        """As `lgpio.error`."""

    class Busy(MockFactory):  # type: ignore[misc]
        """Mock pins, some of which another process holds."""

        holds: ClassVar[dict[Any, Any]] = {}

        def pin(self, name: Any) -> Any:
            """Return a pin. Raises what lgpio raises."""
            held = self.holds.get(name) or hold(f"pin{name}")
            if not held or str(name) in word("board").split()[1:]:
                raise LgpioError("'GPIO busy'")
            self.holds[name] = held
            return super().pin(name)

    if word("board") == "no gpio":
        raise LgpioError("'can not open gpiochip'")
    return Busy(pin_class=MockPWMPin)


_open_real, _fit_real = sources.open_source, hardware.fit
_see, _time = Clock.see, time.time
_temperature_c, _under_voltage = board.temperature_c, board.under_voltage

if __name__ == "__main__":
    # `cuelens run` imports these by name, later than this.
    sources.open_source = open_source
    hardware.fit = fit
    haar.HaarDetector = BreakableDetector  # type: ignore[misc]
    Clock.see = see  # type: ignore[method-assign]
    if word("beat") == "counts as short":
        pacing._LONG_MS = math.inf  # type: ignore[misc] # noqa: SLF001
    time.time = lambda: _time() + float(word("clock"))
    board.temperature_c = lambda *_: _temperature_c(BENCH)
    board.under_voltage = lambda *_: _under_voltage(BENCH)
    if word("board") != "none":
        hardware.is_raspberry_pi = gpio.is_raspberry_pi = lambda *_: True
        gpio._factory = factory  # noqa: SLF001
    sys.exit(cli.main())

"""`cuelens doctor`: tests every part for real, and prints a sentence on each: a measurement, or what to do.

A part that the settings name and that is absent fails. What only a Raspberry Pi has is "not here" on other machines.
Each mistake in the settings has a line of its own. A part whose section has one is not checked.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cuelens import settings
from cuelens.adapters.sources import is_camera, open_source
from cuelens.commands.settings_review import review
from cuelens.commands.state_folder import state_folder, trouble
from cuelens.health.board import is_raspberry_pi, memory_controller
from cuelens.light.patterns import rgb
from cuelens.profile import store
from cuelens.runtime.hardware import fit
from cuelens.settings import Pins, Settings
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.command import to_json
from cuelens_models.errors import AbsentDevice, BadInput, CuelensError, MissingExtra

if TYPE_CHECKING:
    from cuelens.adapters.gpio import Gpio

_CAPTURE_S = 5.0
_LOOK_S = 1.0
"""Time to look up before a light is lit."""
_FLASH_S = 0.5
_HELD_S = 3.0
_POLL_S = 0.05
_RGB = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_LEAST_FREE_MB = 50
_SANE_YEAR = 2025


class NotHere(AbsentDevice):
    """A part that this kind of machine does not have."""


class Doubtful(BadInput):
    """A part that works, but perhaps not as it is meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        part: what was checked.
        ok: it did not fail. What was not checked is not well either.
        result: in a word.
        detail: a measurement, or what to do.
    """

    part: str
    ok: bool
    result: Literal["ok", "warning", "not here", "skipped", "FAILED"]
    detail: str


def doctor(config: Path | None, *, as_json: bool, leave_out: Collection[str] = ()) -> int:
    """Check the settings and every part, and print each result as it comes. Returns 0 if none failed, else 1.

    as_json: print JSON at the end, and the results as they come to standard error. leave_out: parts not to check.
    """
    findings = []

    def tell(*found: Finding) -> None:
        for finding in found:
            line = f"{finding.result:<8}  {finding.part:<8}  {finding.detail}"
            print(line, file=sys.stderr if as_json else sys.stdout, flush=True)
            findings.append(replace(finding, detail=finding.detail.encode(errors="backslashreplace").decode()))

    reviewed = review(config or settings.usual_path())
    tell(*(Finding("settings", False, "FAILED", sentence) for sentence in reviewed.mistakes))
    tell(*(Finding("settings", True, "warning", sentence) for sentence in reviewed.doubts))
    if not reviewed.mistakes:
        tell(Finding("settings", True, "ok", reviewed.summary))
    for part in [part for part in CHECKS if part not in leave_out]:
        wrong = [section for section in READS.get(part, ()) if section in reviewed.wrong]
        tell(_finding(part, CHECKS[part], reviewed.settings, wrong))
    if as_json:
        print(to_json([asdict(finding) for finding in findings]))
    return 0 if all(finding.ok for finding in findings) else 1


def _finding(part: str, check: Callable[[Settings], str], setup: Settings, wrong: Sequence[str]) -> Finding:
    """Check a part. wrong: the sections with mistakes that it would need."""
    if wrong:
        sections = " and ".join(f"[{section}]" for section in wrong)
        return Finding(part, False, "skipped", f"not checked: {sections} of the settings cannot be used")
    try:
        return Finding(part, True, "ok", check(setup))
    except NotHere as reason:
        return Finding(part, True, "not here", str(reason))
    except Doubtful as doubt:
        return Finding(part, True, "warning", str(doubt))
    except (CuelensError, OSError, subprocess.SubprocessError) as error:
        return Finding(part, False, "FAILED", " ".join(str(error).split()))


def _check_python(_: Settings) -> str:
    import cv2
    import numpy as np

    return f"Python {sys.version.split()[0]}, numpy {np.__version__}, OpenCV {cv2.__version__}"


def _check_model(setup: Settings) -> str:
    bundle = load(Path(setup.places.bundle) if setup.places.bundle else SHIPPED)
    interpreter = Interpreter(bundle, setup.threads.model)
    interpreter.check_golden()
    count = len(bundle.contract.golden)
    return f"{bundle.contract.title()}: {count} golden pictures answered as promised ({interpreter.runtime})"


def _check_detector(_: Settings) -> str:
    from cuelens.adapters.haar import NAME, HaarDetector

    HaarDetector()
    return f"{NAME} loaded"


def _check_camera(setup: Settings) -> str:
    try:
        return _one_frame(setup)
    except (AbsentDevice, MissingExtra) as error:
        if setup.camera.source != "picamera2" or is_raspberry_pi():
            raise
        raise NotHere(
            "picamera2 is for the camera of a Raspberry Pi; camera.source of the settings names another, such as v4l2:0"
        ) from error


def _one_frame(setup: Settings) -> str:
    if is_camera(setup.camera.source) and is_raspberry_pi() and setup.pins.capture != "none":
        _look(f"at the capture light on pin {setup.pins.capture}: it is on while the camera is")
    # No camera opens without its capture light. Other parts have checks of their own.
    with (
        closing(fit(setup.pins, lambda *_: None, light=False, worn=is_camera(setup.camera.source))) as hardware,
        closing(hardware.open_lit(lambda: open_source(setup.camera.source, setup.camera))) as source,
    ):
        began = time.monotonic()
        try:
            frame = source.read(_CAPTURE_S)
        except TimeoutError as error:
            raise AbsentDevice(f"{source.name} gave no frame within {_CAPTURE_S:.0f} s: check the cable") from error
    if frame is None:
        raise AbsentDevice(f"{source.name} gave no frame")
    height, width = frame.grey.shape
    waited_ms = (time.monotonic() - began) * 1000
    return (
        f"{source.name}: a frame of {width}x{height} after {waited_ms:.0f} ms, mean brightness {frame.grey.mean():.0f}"
    )


def _gpio(pins: Pins) -> "Gpio":
    """Open the GPIO. Raises NotHere on a machine that is not a Raspberry Pi, unless the settings name a driver."""
    from cuelens.adapters.gpio import Gpio

    if pins.factory == "auto" and not is_raspberry_pi():
        raise NotHere("this machine is not a Raspberry Pi: it has no pins")
    return Gpio(pins)


def _look(at: str) -> None:
    """Tell the maker where to look, and wait a moment."""
    print(f"look now  {at}", file=sys.stderr, flush=True)
    time.sleep(_LOOK_S)


def _check_light(setup: Settings) -> str:
    from cuelens.types import LightPattern

    pins = setup.pins.light().values()
    colours = [single.colour for single in setup.pins.single] or ["red", "green", "blue"]
    with closing(_gpio(setup.pins)) as gpio:
        light = gpio.light()
        leds = ", ".join(f"{colour} on pin {pin}" for colour, pin in zip(colours, pins, strict=True))
        if not gpio.mocked:
            _look(f"at the wearer's light, at the edge of view: {leds}, one after the other")
        # One LED after the other, so that a dead or misplaced one is seen.
        for colour in [rgb(single.colour) for single in setup.pins.single] or _RGB:
            light.show(LightPattern((colour[0] * 0.2, colour[1] * 0.2, colour[2] * 0.2), "steady", _FLASH_S))
            time.sleep(_FLASH_S)
        where = _where(gpio.mocked, *pins)
    return f"lit and put out again, one LED after the other, on {where}"


def _check_button(setup: Settings) -> str:
    with closing(_gpio(setup.pins)) as gpio:
        button = gpio.button()
        if button is None:
            return 'not fitted (pins.button is "none")'
        end_s = time.monotonic() + _HELD_S
        while button.pressed:
            if time.monotonic() > end_s:
                raise AbsentDevice(
                    f"pin {setup.pins.button} was held down for {_HELD_S:.0f} s: let the button go, and see that it is"
                    " wired between the pin and ground, and not to ground alone"
                )
            time.sleep(_POLL_S)
        return f"not pressed, on {_where(gpio.mocked, setup.pins.button)}; only a press shows that it is wired"


def _check_capture(setup: Settings) -> str:
    with closing(_gpio(setup.pins)) as gpio:
        light = gpio.capture()
        if light is None:
            return 'not fitted (pins.capture is "none")'
        if not gpio.mocked:
            _look(f"at the capture light, which faces the other people: pin {setup.pins.capture}")
        light.on()
        time.sleep(_FLASH_S)
        light.off()
        return f"lit and put out again on {_where(gpio.mocked, setup.pins.capture)}"


def _where(mocked: bool, *pins: int | str) -> str:
    if mocked:
        return "gpiozero's mock pins, this machine has no GPIO"
    return f"pin{'s' if len(pins) > 1 else ''} {', '.join(map(str, pins))}"


def _check_voice(setup: Settings) -> str:
    from cuelens.adapters.speech import phrase

    folder = _state(setup) / "phrases"
    return f"a phrase of {phrase('looks happy', 'en', folder).seconds:.2f} s is ready in {folder}"


def _check_sound(setup: Settings) -> str:
    if shutil.which("aplay") is None:
        raise AbsentDevice("aplay is not installed: run `sudo apt install alsa-utils`")
    device = setup.speaker.device
    silence = bytes(4410)
    command = ["aplay", "-q", "-D", device, "-t", "raw", "-f", "S16_LE", "-r", "22050", "-c", "1", "-"]
    playback = subprocess.run(command, input=silence, capture_output=True, timeout=_CAPTURE_S, check=False)
    if playback.returncode != 0:
        words = playback.stderr.decode(errors="replace").strip().splitlines()
        raise AbsentDevice(
            f"{device} cannot be played to: {words[-1] if words else 'no reason given'} (`aplay -L` lists devices)"
        )
    return f"{device} took a tenth of a second of silence"


def _state(setup: Settings) -> Path:
    return state_folder(setup, "doctor")


def _check_profile(setup: Settings) -> str:
    active = store.active(_state(setup))
    if active.fault:
        raise BadInput(active.fault)
    if doubts := [sentence for sentence in (active.note, *active.warnings, *active.unplayable) if sentence]:
        raise Doubtful("; ".join(doubts))
    profile = active.profile
    sound = "on" if profile.sound.on else "off"
    return f"{active.name or 'the factory profile'}: mode {profile.mode}, language {profile.language}, sound {sound}"


def _check_disk(setup: Settings) -> str:
    state = _state(setup)
    if barred := trouble(state):
        raise BadInput(barred)
    state.mkdir(parents=True, exist_ok=True)
    probe = state / f".doctor.{os.getpid()}"
    probe.write_bytes(b"cuelens")
    probe.unlink()
    free_mb = shutil.disk_usage(state).free // 1_000_000
    if free_mb < _LEAST_FREE_MB:
        raise AbsentDevice(f"{state} has {free_mb} MB left: make room, {_LEAST_FREE_MB} MB are needed")
    return f"{state} can be written to, {free_mb} MB free"


def _check_memory(_: Settings) -> str:
    controlled = memory_controller()
    if controlled is None:
        raise NotHere("this machine has no control groups: no service is held to its memory")
    if not controlled:
        raise Doubtful(
            "the kernel's memory controller is off, so MemoryMax of the units holds nothing: add cgroup_enable=memory"
            " to the line in /boot/firmware/cmdline.txt, and reboot"
        )
    return "the kernel can hold the units to their memory"


def _check_clock(_: Settings) -> str:
    if time.gmtime().tm_year < _SANE_YEAR:
        return f"the date is {time.strftime('%Y-%m-%d')}, as on a board without a clock: no cue depends on it"
    return time.strftime("%Y-%m-%d %H:%M")


CHECKS: dict[str, Callable[[Settings], str]] = {
    "python": _check_python,
    "model": _check_model,
    "detector": _check_detector,
    "camera": _check_camera,
    "light": _check_light,
    "button": _check_button,
    "capture": _check_capture,
    "profile": _check_profile,
    "voice": _check_voice,
    "sound": _check_sound,
    "disk": _check_disk,
    "memory": _check_memory,
    "clock": _check_clock,
}
READS: dict[str, tuple[str, ...]] = {
    "model": ("threads", "places"),
    "camera": ("camera", "pins"),
    "light": ("pins",),
    "button": ("pins",),
    "capture": ("pins",),
    "profile": ("places",),
    "voice": ("places",),
    "sound": ("speaker",),
    "disk": ("places",),
}
"""The sections of the settings that a check needs."""

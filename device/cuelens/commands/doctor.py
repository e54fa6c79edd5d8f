"""`cuelens doctor`: tests every part for real, and prints a sentence on each: a measurement, or what to do.

A part that the settings name and that is absent fails.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from cuelens import settings
from cuelens.adapters.sources import is_camera, open_source
from cuelens.light.patterns import rgb
from cuelens.runtime.hardware import fit
from cuelens.settings import Settings
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.command import to_json
from cuelens_models.errors import AbsentDevice, CuelensError

_CAPTURE_S = 5.0
_FLASH_S = 0.5
_HELD_S = 3.0
_POLL_S = 0.05
_RGB = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_LEAST_FREE_MB = 50
_SANE_YEAR = 2025


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. ok: the part works. detail: a measurement, or what to do."""

    part: str
    ok: bool
    detail: str


def doctor(config: Path | None, *, as_json: bool) -> int:
    """Check every part and print the results. Returns 0 if all work, 1 if one does not."""
    setup = settings.read(config or settings.usual_path())
    findings = [_finding(part, check, setup) for part, check in CHECKS.items()]
    if as_json:
        print(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(f"{'ok    ' if finding.ok else 'FAILED'}  {finding.part:<8}  {finding.detail}")
    return 0 if all(finding.ok for finding in findings) else 1


def _finding(part: str, check: Callable[[Settings], str], setup: Settings) -> Finding:
    try:
        return Finding(part, True, check(setup))
    except (CuelensError, OSError, subprocess.SubprocessError) as error:
        return Finding(part, False, " ".join(str(error).split()))


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


def _check_light(setup: Settings) -> str:
    from cuelens.adapters.gpio import Gpio
    from cuelens.types import LightPattern

    pins = list(setup.pins.light().values())
    with closing(Gpio(setup.pins)) as gpio:
        light = gpio.light()
        # One LED after the other, so that a dead or misplaced one is seen.
        for colour in [rgb(single.colour) for single in setup.pins.single] or _RGB:
            light.show(LightPattern((colour[0] * 0.2, colour[1] * 0.2, colour[2] * 0.2), "steady", _FLASH_S))
            time.sleep(_FLASH_S)
        where = _where(gpio.mocked, *pins)
    return f"lit and put out again, one LED after the other, on {where}"


def _check_button(setup: Settings) -> str:
    from cuelens.adapters.gpio import Gpio

    with closing(Gpio(setup.pins)) as gpio:
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
    from cuelens.adapters.gpio import Gpio

    with closing(Gpio(setup.pins)) as gpio:
        light = gpio.capture()
        if light is None:
            return 'not fitted (pins.capture is "none")'
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

    folder = setup.state_dir() / "phrases"
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


def _check_disk(setup: Settings) -> str:
    state = setup.state_dir()
    state.mkdir(parents=True, exist_ok=True)
    probe = state / f".doctor.{os.getpid()}"
    probe.write_bytes(b"cuelens")
    probe.unlink()
    free_mb = shutil.disk_usage(state).free // 1_000_000
    if free_mb < _LEAST_FREE_MB:
        raise AbsentDevice(f"{state} has {free_mb} MB left: make room, {_LEAST_FREE_MB} MB are needed")
    return f"{state} can be written to, {free_mb} MB free"


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
    "voice": _check_voice,
    "sound": _check_sound,
    "disk": _check_disk,
    "clock": _check_clock,
}

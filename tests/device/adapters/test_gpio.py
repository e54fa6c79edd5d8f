"""Contract tests of light, button and capture light, on the fakes and on gpiozero's mock pins."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cuelens import settings
from cuelens.adapters.fakes import MemoryButton, MemoryCaptureLight, MemoryLight
from cuelens.adapters.gpio import Gpio
from cuelens.adapters.gpio_light import GpioLight
from cuelens.commands import doctor
from cuelens.light.patterns import LEAST
from cuelens.ports import Button, CaptureLight, Light
from cuelens.settings import Pins, SingleLed
from cuelens.types import LightPattern
from cuelens_models.errors import AbsentDevice, BadInput, MissingExtra

pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")

PATTERNS = ["steady", "fade", "breath"]
SINGLES = (
    SingleLed(pin=5, colour="#FF0000"),
    SingleLed(pin=6, colour="#00FF00"),
    SingleLed(pin=13, colour="#0000FF"),
)
LIGHTS = {
    "RGB": Pins(factory="mock"),
    "RGB, common anode": Pins(factory="mock", active_high=False),
    "one single": Pins(factory="mock", single=SINGLES[:1]),
    "two singles": Pins(factory="mock", single=SINGLES[:2]),
    "three singles": Pins(factory="mock", single=SINGLES),
}


@dataclass
class Lamp:
    """A light, the strength of each LED, and the history of each pin as (seconds since the change before, strength)."""

    light: Light
    shine: Callable[[], list[float]]
    past: Callable[[], list[list[tuple[float, float]]]]

    def lit(self) -> bool:
        return any(self.shine())


def memory_lamp() -> Lamp:
    light = MemoryLight()
    return Lamp(light, lambda: [float(light.lit)], list)


def gpio_lamp(pins: Pins) -> Lamp:
    gpio = Gpio(pins)
    light = gpio.light()
    pins_of_light = [gpio.factory.pin(number) for number in pins.light().values()]

    def strength(state: float) -> float:
        return state if pins.active_high else 1 - state

    return Lamp(
        light,
        lambda: [strength(pin.state) for pin in pins_of_light],
        # Of a copy: the light may change while its past is read.
        lambda: [[(past.timestamp, strength(past.state)) for past in pin.states.copy()] for pin in pins_of_light],
    )


LAMPS: dict[str, Callable[[], Lamp]] = {"memory": memory_lamp} | {
    name: lambda pins=pins: gpio_lamp(pins) for name, pins in LIGHTS.items()
}


@pytest.fixture(params=list(LAMPS.values()), ids=list(LAMPS))
def lamp(request: pytest.FixtureRequest) -> Iterator[Lamp]:
    lamp: Lamp = request.param()
    yield lamp
    lamp.light.close()


@pytest.fixture(params=["RGB", "RGB, common anode", "three singles"])
def moving(request: pytest.FixtureRequest) -> Iterator[Lamp]:
    """A light on mock pins, on which patterns can be followed."""
    lamp = gpio_lamp(LIGHTS[request.param])
    yield lamp
    lamp.light.close()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("seconds", [3.0, math.inf])
def test_a_light_is_lit_by_every_pattern_and_goes_dark(
    lamp: Lamp, pattern: str, seconds: float, soon: Callable[..., bool]
) -> None:
    assert not lamp.lit()
    lamp.light.show(LightPattern((0.5, 0.2, 0.1), pattern, seconds))
    assert soon(lamp.lit)
    lamp.light.off()
    assert not lamp.lit()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("after", PATTERNS)
def test_a_pattern_takes_the_place_of_the_one_before_without_going_dark(
    moving: Lamp, pattern: str, after: str, soon: Callable[..., bool]
) -> None:
    colour = (0.6, 0.0, 0.0)
    moving.light.show(LightPattern(colour, pattern, math.inf))
    assert soon(moving.lit)
    start = len(moving.past()[0])
    moving.light.show(LightPattern(colour, after, math.inf))
    assert soon(lambda: max(moving.shine()) > 0.5)
    assert all(strength > 0 for _, strength in moving.past()[0][start:])


def test_a_steady_light_is_lit_when_showing_returns(lamp: Lamp) -> None:
    lamp.light.show(LightPattern((1.0, 1.0, 1.0), "steady", 5.0))
    assert lamp.lit()


@pytest.mark.parametrize(("pattern", "seconds"), [("steady", 0.1), ("fade", 0.5), ("breath", 1.0)])
def test_a_light_that_is_over_is_dark(moving: Lamp, pattern: str, seconds: float, soon: Callable[..., bool]) -> None:
    start = len(moving.past()[0])
    moving.light.show(LightPattern((1.0, 0.0, 0.0), pattern, seconds))
    # By the time that it is asked for, a short light may be over.
    assert soon(lambda: any(strength > 0 for _, strength in moving.past()[0][start:]))
    assert soon(lambda: not moving.lit())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_black_is_a_colour_too(lamp: Lamp, pattern: str, soon: Callable[..., bool]) -> None:
    lamp.light.show(LightPattern((0.0, 0.0, 0.0), pattern, 3.0))
    assert not lamp.lit()
    lamp.light.show(LightPattern((0.0, 0.0, 0.3), pattern, 3.0))
    assert soon(lamp.lit)


def test_closing_puts_a_light_out_for_good_and_may_be_done_twice(lamp: Lamp) -> None:
    lamp.light.show(LightPattern((1.0, 1.0, 1.0), "steady", 5.0))
    lamp.light.close()
    lamp.light.close()
    past = lamp.past()
    lamp.light.show(LightPattern((1.0, 1.0, 1.0), "steady", 5.0))
    lamp.light.off()
    assert lamp.past() == past


def test_a_closed_light_is_dark() -> None:
    for lamp in (memory_lamp(), *map(gpio_lamp, (pins for pins in LIGHTS.values() if pins.active_high))):
        lamp.light.show(LightPattern((1.0, 1.0, 1.0), "steady", 5.0))
        lamp.light.close()
        assert not lamp.lit()


@pytest.mark.parametrize("moving", ["RGB"], indirect=True)
def test_no_pattern_flashes_above_three_hertz(moving: Lamp) -> None:
    moving.light.show(LightPattern((1.0, 0.0, 0.0), "breath", math.inf))
    time.sleep(4.5)
    moving.light.off()
    # A flash is a rise from dark, or from the least strength of a breath.
    clock, rises = 0.0, []
    for (_, before), (gap, strength) in pairwise(moving.past()[0]):
        clock += gap
        if strength > LEAST >= before:
            rises.append(clock)
    assert len(rises) >= 2
    assert min(later - earlier for earlier, later in pairwise(rises)) > 1 / 3


def test_the_weakest_colour_is_not_rounded_to_dark(moving: Lamp) -> None:
    moving.light.show(LightPattern((0.001, 0.001, 0.001), "steady", 5.0))
    assert moving.lit()


@pytest.mark.parametrize("active_high", [True, False])
def test_every_percent_reaches_lgpio_as_asked(active_high: bool) -> None:
    gpio = Gpio(Pins(factory="mock", active_high=active_high))
    light, pin = gpio.light(), gpio.factory.pin(17)
    passed = []
    for percent in range(101):
        light.show(LightPattern((percent / 100, 0.0, 0.0), "steady", 5.0))
        # gpiozero's pin of lgpio cuts.
        passed.append(int(pin.state * 100))
    gpio.close()
    percents = list(range(101))
    assert passed == (percents if active_high else percents[::-1])


def test_a_light_that_fails_while_it_moves_says_so_when_it_is_asked_next(soon: Callable[..., bool]) -> None:
    class Moody:
        active_high = True

        def __init__(self) -> None:
            self.failing = False
            self.written: list[float] = []

        @property
        def value(self) -> float:
            return self.written[-1]

        @value.setter
        def value(self, strength: float) -> None:
            if self.failing:
                raise OSError("the pin is gone")
            self.written.append(strength)

        def off(self) -> None: ...

        def close(self) -> None: ...

    moody = Moody()
    light = GpioLight([moody], [(1.0, 0.0, 0.0)])
    light.show(LightPattern((1.0, 0.0, 0.0), "breath", math.inf))
    assert soon(lambda: moody.written)
    moody.failing = True
    time.sleep(0.1)
    with pytest.raises(OSError, match="gone"):
        light.show(LightPattern((1.0, 0.0, 0.0), "steady", 5.0))
    moody.failing = False
    light.show(LightPattern((1.0, 0.0, 0.0), "steady", 5.0))
    assert moody.written[-1] == 1.0
    light.close()


class FailsOnce:
    """An LED, one of whose writes fails. fails_at: the number of that write, from 1 on; 0 for none."""

    active_high = True

    def __init__(self, fails_at: int = 0) -> None:
        self.shines = 0.0
        self._writes_left = fails_at

    def _write(self, strength: float) -> None:
        self._writes_left -= 1
        if self._writes_left == 0:
            raise OSError("a write failed")
        self.shines = strength

    value = property(lambda self: self.shines, _write)

    def off(self) -> None:
        self._write(0.0)

    def close(self) -> None: ...


def test_a_write_that_fails_in_a_pattern_leaves_no_led_on_and_is_told_with_the_next_light(
    soon: Callable[..., bool],
) -> None:
    leds = [FailsOnce(), FailsOnce(10), FailsOnce()]
    light = GpioLight(leds, [])
    light.show(LightPattern((0.4, 0.4, 0.4), "fade", 30.0))
    assert all(led.shines for led in leds)
    assert soon(lambda: not any(led.shines for led in leds))
    with pytest.raises(OSError, match="a write failed"):
        light.show(LightPattern((0.4, 0.4, 0.4), "steady", 5.0))
    assert [led.shines for led in leds] == [0.4, 0.4, 0.4]
    light.show(LightPattern((0.2, 0.2, 0.2), "steady", 5.0))
    light.close()


def test_a_first_write_that_fails_leaves_no_led_on() -> None:
    leds = [FailsOnce(), FailsOnce(1), FailsOnce()]
    light = GpioLight(leds, [])
    with pytest.raises(OSError, match="a write failed"):
        light.show(LightPattern((0.4, 0.4, 0.4), "steady", 0.5))
    assert not any(led.shines for led in leds)
    light.close()


def test_an_led_that_cannot_be_put_out_keeps_no_other_on() -> None:
    leds = [FailsOnce(), FailsOnce(2), FailsOnce()]
    light = GpioLight(leds, [])
    light.show(LightPattern((0.4, 0.4, 0.4), "steady", 5.0))
    with pytest.raises(OSError, match="a write failed"):
        light.off()
    assert [led.shines for led in leds] == [0.0, 0.4, 0.0]
    light.off()
    assert not any(led.shines for led in leds)
    light.close()


@dataclass
class Finger:
    """A button, and the calls that press and release it."""

    button: Button
    press: Callable[[], None]
    release: Callable[[], None]


def gpio_finger() -> Finger:
    gpio = Gpio(Pins(factory="mock"))
    button = gpio.button()
    assert button
    pin = gpio.factory.pin(23)
    return Finger(button, pin.drive_low, pin.drive_high)


def memory_finger() -> Finger:
    button = MemoryButton()
    return Finger(button, button.press, button.release)


@pytest.fixture(params=[memory_finger, gpio_finger], ids=["memory", "gpiozero's mock pins"])
def finger(request: pytest.FixtureRequest) -> Iterator[Finger]:
    finger: Finger = request.param()
    yield finger
    finger.button.close()


def test_a_button_tells_press_and_release_in_order_with_their_times(finger: Finger, soon: Callable[..., bool]) -> None:
    edges: list[tuple[bool, float]] = []
    finger.button.watch(lambda pressed, t: edges.append((pressed, t)))
    began = time.monotonic()
    for _ in range(3):
        finger.press()
        assert soon(lambda: edges and edges[-1][0])
        finger.release()
        assert soon(lambda: not edges[-1][0])
        time.sleep(0.04)
    assert [pressed for pressed, _ in edges] == [True, False] * 3
    times = [began, *(t for _, t in edges), time.monotonic()]
    assert times == sorted(times)


def test_what_holds_when_watching_begins_is_no_edge(finger: Finger, soon: Callable[..., bool]) -> None:
    edges: list[bool] = []
    finger.press()
    finger.button.watch(lambda pressed, _: edges.append(pressed))
    assert edges == []
    finger.release()
    assert soon(lambda: edges)
    assert edges == [False]


def test_no_edge_is_told_after_closing_which_may_be_done_twice(finger: Finger, soon: Callable[..., bool]) -> None:
    edges: list[bool] = []
    finger.button.watch(lambda pressed, _: edges.append(pressed))
    finger.press()
    assert soon(lambda: edges)
    finger.button.close()
    finger.button.close()
    finger.release()
    finger.press()
    finger.button.watch(lambda pressed, _: edges.append(pressed))
    time.sleep(0.1)
    assert edges == [True]


def test_a_contact_that_bounces_is_pressed_once_and_what_it_settles_on_is_told(soon: Callable[..., bool]) -> None:
    finger = gpio_finger()
    edges: list[bool] = []
    finger.button.watch(lambda pressed, _: edges.append(pressed))
    for move in (finger.press, finger.release) * 3:
        move()
    # Debounced: the first edge is reported at once, the final release once the contact is stable.
    assert edges[0] is True
    assert soon(lambda: len(edges) == 2)
    assert edges == [True, False]
    finger.button.close()


@dataclass
class Sign:
    """A capture light, and whether it is on."""

    light: CaptureLight
    lit: Callable[[], bool]


def gpio_sign() -> Sign:
    gpio = Gpio(Pins(factory="mock"))
    light = gpio.capture()
    assert light
    pin = gpio.factory.pin(24)
    return Sign(light, lambda: bool(pin.state))


def memory_sign() -> Sign:
    light = MemoryCaptureLight()
    return Sign(light, lambda: light.lit)


@pytest.mark.parametrize("make", [memory_sign, gpio_sign], ids=["memory", "gpiozero's mock pins"])
def test_a_capture_light_is_lit_from_on_to_off_and_dark_once_closed(make: Callable[[], Sign]) -> None:
    sign = make()
    assert not sign.lit()
    sign.light.on()
    sign.light.on()
    assert sign.lit()
    sign.light.off()
    assert not sign.lit()
    sign.light.on()
    sign.light.close()
    sign.light.close()
    assert not sign.lit()
    sign.light.on()
    sign.light.off()
    assert not sign.lit()


def test_the_capture_lights_log_holds_its_changes() -> None:
    light = MemoryCaptureLight()
    for move in (light.off, light.on, light.on, light.off, light.on, light.close):
        move()
    assert [lit for lit, _ in light.log] == [True, False, True, False]
    assert [t for _, t in light.log] == sorted(t for _, t in light.log)


@pytest.mark.parametrize(
    ("busy", "part", "key"), [(27, "light", "green"), (23, "button", "button"), (24, "capture", "capture")]
)
def test_a_busy_pin_is_named_and_keeps_no_other_part_from_working(busy: int, part: str, key: str) -> None:
    class OtherProgram: ...

    gpio, other_program = Gpio(Pins(factory="mock")), OtherProgram()
    gpio.factory.reserve_pins(other_program, f"GPIO{busy}")
    parts: dict[str, Callable[[], Any]] = {"light": gpio.light, "button": gpio.button, "capture": gpio.capture}
    with pytest.raises(AbsentDevice, match=rf"^pin {busy} \(pins.{key}\) cannot be used: .*group gpio"):
        parts[part]()
    for claim in (claim for name, claim in parts.items() if name != part):
        assert claim()
    gpio.factory.release_pins(other_program, f"GPIO{busy}")
    assert parts[part]()
    gpio.close()


def test_closing_the_gpio_closes_its_parts_and_what_was_closed_may_be_claimed_anew(soon: Callable[..., bool]) -> None:
    gpio = Gpio(Pins(factory="mock"))
    capture = gpio.capture()
    assert capture
    capture.close()
    capture = gpio.capture()
    light = gpio.light()
    assert capture
    capture.on()
    light.show(LightPattern((1.0, 1.0, 1.0), "breath", math.inf))
    pins = [gpio.factory.pin(number) for number in (17, 27, 22, 24)]
    assert soon(lambda: all(pin.state for pin in pins))
    gpio.close()
    gpio.close()
    assert not any(pin.state for pin in pins)


def test_a_part_that_is_not_fitted_is_none() -> None:
    gpio = Gpio(Pins(factory="mock", button="none", capture="none"))
    assert gpio.button() is None
    assert gpio.capture() is None


def test_without_gpiozero_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gpiozero")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(MissingExtra, match=r"gpiozero is not installed: run `.* -m pip install "):
        Gpio(Pins(factory="mock"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("red = 99", "line 2, column 1: pins.red must be a whole number from 0 to 27, not 99"),
        ("button = 99", 'line 2, column 1: pins.button must be a whole number from 0 to 27 or "none", not 99'),
        ("capture = 'off'", 'line 2, column 1: pins.capture must be a whole number from 0 to 27 or "none", not "off"'),
        ("red = 17\nblue = 17", "line 3, column 1: pins.red and pins.blue are both 17: give each a pin of its own"),
        (
            "green = 23",
            "line 2, column 1: pins.green and pins.button (by default) are both 23: give each a pin of its own",
        ),
        (
            "button = 24",
            "line 2, column 1: pins.button and pins.capture (by default) are both 24: give each a pin of its own",
        ),
        (
            "[[pins.single]]\npin = 5\ncolour = '#FF0000'\n[[pins.single]]\npin = 5\ncolour = '#00FF00'",
            "line 6, column 1: pins.single[0].pin and pins.single[1].pin are both 5: give each a pin of its own",
        ),
        (
            "[[pins.single]]\npin = 24\ncolour = '#FF0000'",
            "line 3, column 1: pins.single[0].pin and pins.capture (by default) are both 24: give each",
        ),
        (
            4 * "[[pins.single]]\npin = 5\ncolour = '#FF0000'\n",
            "line 2, column 8: pins.single must be a list of at most 3 entries, each a group of keys (pin, colour)",
        ),
        (
            "[[pins.single]]\npin = 5\ncolour = 'reddish'",
            'line 4, column 1: pins.single[0].colour must be a colour such as "#F0E442", not "reddish"',
        ),
        (
            "[[pins.single]]\npin = 99\ncolour = '#FF0000'",
            "line 3, column 1: pins.single[0].pin must be a whole number from 0 to 27, not 99",
        ),
        (
            "[[pins.single]]\npin = 5",
            'line 2, column 8: pins.single[0] lacks the key "colour": it must be a colour such as "#F0E442"',
        ),
        (
            "[[pins.single]]\npin = 5\ncolour = '#FF0000'\n[[pins.single]]\npin = 6\ncolour = '#00FF00'\nhue = 120",
            'line 8, column 1: there is no key "hue" in pins.single[1]: choose from pin, colour',
        ),
        ("single = [5]", "line 2, column 11: pins.single[0] must be a group of keys (pin, colour), not 5"),
        (
            "single = 5",
            "line 2, column 1: pins.single must be a list of at most 3 entries, each a group of keys (pin",
        ),
    ],
)
def test_a_mistake_in_the_pins_is_one_sentence_with_file_key_and_value(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "cuelens.toml"
    path.write_text(f"[pins]\n{text}\n")
    with pytest.raises(BadInput) as caught:
        settings.read(path)
    assert f"{path}: {sentence}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_single_leds_take_the_place_of_the_rgb_led_and_free_its_pins(tmp_path: Path) -> None:
    path = tmp_path / "cuelens.toml"
    path.write_text('[pins]\nbutton = 17\ncapture = "none"\nsingle = [{pin = 5, colour = "#ffcc00"}]\n')
    pins = settings.read(path).pins
    assert pins.light() == {"single[0].pin": 5}
    assert (pins.button, pins.capture) == (17, "none")


def check_pins(tmp_path: Path, pins: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    path = tmp_path / "cuelens.toml"
    path.write_text(f'[pins]\nfactory = "mock"\n{pins}\n')
    doctor.doctor(path, as_json=True)
    return {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}


@pytest.fixture
def only_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit `doctor` to the parts on pins."""
    pins = {part: check for part, check in doctor.CHECKS.items() if part in ("light", "button", "capture")}
    monkeypatch.setattr(doctor, "CHECKS", pins)


@pytest.mark.usefixtures("only_pins")
def test_doctor_checks_every_part_that_is_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = check_pins(tmp_path, 'single = [{pin = 5, colour = "#ffcc00"}]', capsys)
    assert all(finding["ok"] for finding in findings.values())
    assert findings["light"]["detail"].startswith("lit and put out again")
    assert findings["button"]["detail"].startswith("not pressed")
    assert findings["capture"]["detail"].startswith("lit and put out again")


@pytest.mark.usefixtures("only_pins")
def test_doctor_says_what_is_not_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = check_pins(tmp_path, 'button = "none"\ncapture = "none"', capsys)
    assert findings["button"]["detail"] == 'not fitted (pins.button is "none")'
    assert findings["capture"]["detail"] == 'not fitted (pins.capture is "none")'


@pytest.mark.usefixtures("only_pins")
def test_a_button_that_is_held_down_all_along_has_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = MemoryButton()
    stuck.press()
    monkeypatch.setattr(Gpio, "button", lambda _: stuck)
    monkeypatch.setattr(doctor, "_HELD_S", 0.1)
    finding = check_pins(tmp_path, "", capsys)["button"]
    assert not finding["ok"]
    assert "pin 23 was held down" in finding["detail"]


def test_mock_pins_forget_what_was_long_ago() -> None:
    gpio = Gpio(Pins(factory="mock"))
    red = gpio.factory.pin(17)
    red.function = "output"
    for number in range(5000):
        red.state = number % 2
    assert len(red.states) <= 512
    assert [change.state for change in red.states][-2:] == [0, 1]
    gpio.close()

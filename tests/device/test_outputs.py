import math
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from cuelens.adapters.memory import MemoryLight, MemoryVoice
from cuelens.outputs import Outputs
from cuelens.ports import Light, Voice
from cuelens.profile import Profile
from cuelens.settings import Pins
from cuelens.types import Cue, LightPattern

WHITE = LightPattern((1.0, 1.0, 1.0), "steady", 5.0)
HAPPY = Cue(1.0, "expression", 1, "happy", ("light", "voice"))


def no_fault(fault: str, detail: str) -> None:
    raise AssertionError(f"{fault}: {detail}")


def soon(condition: Callable[[], object]) -> bool:
    """Whether a condition comes true within five seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def mock_gpio_light() -> Light:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    from cuelens.adapters.gpio import GpioLight

    return GpioLight(Pins(factory="mock"))


@pytest.fixture(params=[MemoryLight, mock_gpio_light], ids=["memory", "gpiozero's mock pins"])
def light(request: pytest.FixtureRequest) -> Iterator[Light]:
    made: Light = request.param()
    yield made
    made.close()


def is_lit(light: Light) -> bool:
    if isinstance(light, MemoryLight):
        return light.lit
    return any(light.factory.pin(number).state > 0 for number in (17, 27, 22))  # type: ignore[attr-defined]


@pytest.mark.parametrize("pattern", ["steady", "fade", "breath"])
def test_a_light_is_lit_by_every_pattern_and_goes_dark(light: Light, pattern: str) -> None:
    light.show(LightPattern((0.5, 0.2, 0.1), pattern, math.inf if pattern == "breath" else 3.0))
    assert soon(lambda: is_lit(light))
    light.off()
    assert not is_lit(light)


def test_showing_returns_at_once_and_replaces_what_was_shown(light: Light) -> None:
    began = time.monotonic()
    for _ in range(3):
        light.show(WHITE)
    assert time.monotonic() - began < 2
    assert soon(lambda: is_lit(light))


def test_closing_puts_a_light_out_and_may_be_done_twice(light: Light) -> None:
    light.show(WHITE)
    assert soon(lambda: is_lit(light))
    pins = [] if isinstance(light, MemoryLight) else [light.factory.pin(number) for number in (17, 27, 22)]  # type: ignore[attr-defined]
    light.close()
    light.close()
    if isinstance(light, MemoryLight):
        assert not light.lit
    else:
        assert len(pins) == 3
        assert all(not pin.state for pin in pins)


def test_a_light_that_is_over_is_dark() -> None:
    light = mock_gpio_light()
    light.show(LightPattern((1.0, 0.0, 0.0), "steady", 0.1))
    assert soon(lambda: is_lit(light))
    assert soon(lambda: not is_lit(light))
    light.close()


def test_no_pattern_flashes_above_three_hertz() -> None:
    light = mock_gpio_light()
    pin = light.factory.pin(17)  # type: ignore[attr-defined]
    light.show(LightPattern((1.0, 0.0, 0.0), "breath", math.inf))
    time.sleep(4.5)
    light.close()
    states = [(state.timestamp, state.state) for state in pin.states]
    # A flash is a rise from dark.
    clock, rises = 0.0, []
    for (gap, level), (_, before) in zip(states[1:], states, strict=False):
        clock += gap
        if level > 0 and before == 0:
            rises.append(clock)
    assert len(rises) >= 2
    assert min(later - earlier for earlier, later in pairwise(rises)) > 1 / 3


def test_a_cue_reaches_light_and_voice() -> None:
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.give(HAPPY)
    assert soon(lambda: light.shown and voice.said)
    assert voice.said == ["looks happy"]
    strength = 0.4
    assert light.shown[0].colour == pytest.approx((0xF0 / 255 * strength, 0xE4 / 255 * strength, 0x42 / 255 * strength))
    outputs.close()
    assert light.closed
    assert voice.closed


def test_face_found_is_light_only_and_softer_than_any_expression() -> None:
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.give(Cue(1.0, "face", 1, None, ("light",)))
    assert soon(lambda: light.shown)
    outputs.give(HAPPY)
    assert soon(lambda: len(light.shown) == 2)
    outputs.close()
    assert max(light.shown[0].colour) < max(light.shown[1].colour)
    assert voice.said == ["looks happy"]


def test_an_output_that_hangs_blocks_neither_the_beat_nor_the_other_output_nor_the_end() -> None:
    release = threading.Event()

    class HungVoice(MemoryVoice):
        def say(self, phrase: str) -> None:
            release.wait(20)

    light = MemoryLight()
    voice: Voice = HungVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    began = time.monotonic()
    for _ in range(20):
        outputs.give(HAPPY)
    assert time.monotonic() - began < 1
    assert soon(lambda: light.shown)
    outputs.close()
    assert time.monotonic() - began < 5
    release.set()


def test_trouble_breathes_until_it_is_over() -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.trouble()
    assert soon(lambda: light.shown)
    assert (light.shown[0].pattern, light.shown[0].seconds) == ("breath", math.inf)
    outputs.dark()
    assert soon(lambda: not light.lit)
    outputs.close()


def test_an_output_that_fails_is_told_once_and_tried_again() -> None:
    class Moody(MemoryLight):
        tried = 0

        def show(self, pattern: LightPattern) -> None:
            self.tried += 1
            if self.tried < 3:
                raise OSError("the pin is gone")
            super().show(pattern)

    light = Moody()
    faults: list[tuple[str, str]] = []
    outputs = Outputs(Profile(), light, None, lambda *fault: faults.append(fault))
    for n in range(3):
        outputs.give(HAPPY)
        assert soon(lambda n=n: light.tried > n)  # type: ignore[misc]
    assert soon(lambda: light.shown)
    assert faults == [("no light", "OSError: the pin is gone")]
    outputs.close()

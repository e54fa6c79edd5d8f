import math
import threading
import time
from collections.abc import Callable

import pytest

from cuelens.adapters.fakes import MemoryLight, MemoryVoice
from cuelens.light import flash_limit
from cuelens.light.cue_lights import TROUBLE, endless, light_pattern, lights
from cuelens.light.flash_limit import LightStart
from cuelens.light.patterns import LEAST
from cuelens.ports import Voice
from cuelens.profile.cue_book import CueBook, CueEntry, LightCue
from cuelens.profile.profile import Brightness, Play, Profile
from cuelens.runtime.outputs import Outputs
from cuelens.settings import Pins
from cuelens.types import Cue, LightPattern

HAPPY = Cue(1.0, "expression", 1, "happy", ("light", "voice"))
ANSWER = Cue(1.0, "answer", 1, "sad", ("light", "voice"))


def no_fault(fault: str, detail: str) -> None:
    raise AssertionError(f"{fault}: {detail}")


def test_a_cue_reaches_light_and_voice(soon: Callable[..., bool]) -> None:
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.give(HAPPY)
    assert soon(lambda: light.patterns and voice.words)
    assert voice.words == ["happy"]
    assert light.patterns[0] == light_pattern(lights(Profile())["happy"], 40)
    outputs.close()
    assert light.closed
    assert voice.closed


def test_face_found_is_light_only_and_softer_than_any_expression(soon: Callable[..., bool]) -> None:
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.give(Cue(1.0, "face", 1, "face", ("light",)))
    assert soon(lambda: light.patterns)
    outputs.give(HAPPY)
    assert soon(lambda: len(light.patterns) == 2)
    outputs.close()
    assert max(light.patterns[0].colour) < max(light.patterns[1].colour)
    assert voice.words == ["happy"]


def test_an_output_that_hangs_blocks_neither_the_beat_nor_the_other_output_nor_the_end(
    soon: Callable[..., bool],
) -> None:
    release = threading.Event()

    class HungVoice(MemoryVoice):
        def say(self, phrase: str) -> None:
            release.wait()

    light = MemoryLight()
    voice: Voice = HungVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)

    def give_often() -> None:
        for _ in range(20):
            outputs.give(HAPPY)

    # The voice hangs until all is asserted: what waits for it never ends.
    for does in (give_often, outputs.close):
        doing = threading.Thread(target=does, daemon=True)
        doing.start()
        assert soon(lambda doing=doing: light.patterns and not doing.is_alive())  # type: ignore[misc]
    release.set()


def test_trouble_breathes_until_it_is_over(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.trouble()
    assert soon(lambda: light.patterns)
    assert (light.patterns[0].pattern, light.patterns[0].seconds) == ("breath", math.inf)
    outputs.acknowledge()
    assert soon(lambda: len(light.patterns) == 3)
    assert [pattern.pattern for pattern in light.patterns] == ["breath", "steady", "breath"]
    assert light.patterns[2] == light.patterns[0]
    outputs.dark()
    assert soon(lambda: not light.lit)
    outputs.close()


def test_an_output_that_fails_is_told_once_and_tried_again(soon: Callable[..., bool]) -> None:
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
    assert soon(lambda: light.patterns)
    assert faults == [("no light", "OSError: the pin is gone")]
    outputs.close()


def test_the_end_of_trouble_takes_no_other_light_along(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.trouble()
    assert soon(lambda: light.patterns)
    outputs.confirm("muted")
    assert soon(lambda: len(light.patterns) == 2)
    outputs.dark()
    time.sleep(0.1)
    assert light.lit
    outputs.close()


@pytest.mark.parametrize(
    ("muted", "resting", "cue", "shown", "said"),
    [
        (False, False, HAPPY, True, True),
        (True, False, HAPPY, False, False),
        (True, False, ANSWER, True, False),
        (False, True, HAPPY, False, False),
        (False, True, ANSWER, False, False),
    ],
)
def test_what_was_hushed_is_not_told(
    muted: bool, resting: bool, cue: Cue, shown: bool, said: bool, soon: Callable[..., bool]
) -> None:
    """However late a cue comes that was decided on before: a mute holds from the moment it was asked for."""
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.hush(muted=muted, resting=resting)
    outputs.give(cue)
    assert not shown or soon(lambda: light.patterns)
    assert not said or soon(lambda: voice.words)
    # Time enough for what must not be told to be told, before what follows takes its place.
    time.sleep(0.1)
    outputs.hush(muted=False, resting=False)
    outputs.give(Cue(2.0, "expression", 1, "fear", ("light", "voice")))
    fear = light_pattern(lights(Profile())["fear"], 40)
    assert soon(lambda: voice.words[-1:] == ["fear"] and light.patterns[-1:] == [fear])
    outputs.close()
    assert (cue.word in voice.words) is said
    assert (light_pattern(lights(Profile())[cue.word], 40) in light.patterns) is shown


def test_a_phrase_that_is_being_begun_when_it_is_hushed_is_cut_off(soon: Callable[..., bool]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(MemoryVoice):
        def say(self, word: str) -> None:
            begun.set()
            go_on.wait(5)
            super().say(word)

    voice = Slow()
    outputs = Outputs(Profile(), None, voice, no_fault)
    outputs.give(HAPPY)
    assert begun.wait(5)
    outputs.hush(muted=True, resting=False)
    go_on.set()
    assert soon(lambda: voice.words)
    assert soon(lambda: not voice.speaking)
    outputs.close()


def test_lights_are_weaker_at_night_and_never_over_the_ceiling(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.set_ambient(0.0, lux=1.0, mean=None)
    outputs.give(HAPPY)
    assert soon(lambda: light.patterns)
    outputs.set_ambient(60.0, lux=1000.0, mean=None)
    outputs.give(HAPPY)
    assert soon(lambda: len(light.patterns) == 2)
    outputs.close()
    assert light.patterns[0] == light_pattern(lights(Profile())["happy"], 12)
    assert light.patterns[1].colour == pytest.approx(light_pattern(lights(Profile())["happy"], 40).colour)


def test_whoever_asks_however_fast_no_light_flashes_above_three_hertz() -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    from cuelens.adapters.gpio import Gpio

    gpio = Gpio(Pins(factory="mock"))
    pin = gpio.factory.pin(17)
    outputs = Outputs(Profile(), gpio.light(), None, no_fault)
    asks = [
        outputs.acknowledge,
        outputs.trouble,
        outputs.dark,
        lambda: outputs.give(Cue(1.0, "expression", 1, "angry", ("light",))),
        lambda: outputs.give(Cue(1.0, "face", 1, "face", ("light",))),
    ]
    end = time.monotonic() + 6
    count = 0
    while time.monotonic() < end:
        asks[count % len(asks)]()
        count += 1
        time.sleep(0.03 if count % 10 else 1.6)
    outputs.close()
    states = [(state.timestamp, state.state) for state in pin.states]
    gpio.close()
    clock, rises = 0.0, []
    for (gap, level), (_, before) in zip(states[1:], states, strict=False):
        clock += gap
        if level > LEAST >= before:
            rises.append(clock)
    assert len(rises) >= 2
    assert all(fourth - first > 1.0 for first, fourth in zip(rises, rises[3:], strict=False))


def test_trouble_takes_the_brightness_of_another_profile_and_ends_with_it(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.trouble()
    assert soon(lambda: light.patterns)
    low = Profile(light=Brightness(brightness_percent=5, ceiling_percent=5, night_percent=5))
    outputs.change(low, None)()
    assert soon(lambda: len(light.patterns) == 2)
    assert light.patterns[1] == endless(light_pattern(TROUBLE, 5))
    outputs.dark()
    assert soon(lambda: not light.lit)
    outputs.change(Profile(), None)()
    time.sleep(0.5)
    outputs.close()
    assert len(light.patterns) == 2


@pytest.mark.parametrize("wait_s", [0.0, 0.1])
def test_the_background_takes_the_place_of_no_light_that_waits(wait_s: float, soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.acknowledge()
    assert soon(lambda: light.patterns)
    # It has to wait, so as not to flash.
    outputs.confirm("resumed")
    time.sleep(wait_s)
    outputs.trouble()
    assert soon(lambda: len(light.patterns) == 3)
    outputs.close()
    assert [pattern.pattern for pattern in light.patterns] == ["steady", "fade", "breath"]


def test_the_background_waits_for_the_end_of_a_light(soon: Callable[..., bool]) -> None:
    shown_s = []

    class Timed(MemoryLight):
        def show(self, pattern: LightPattern) -> None:
            shown_s.append(time.monotonic())
            super().show(pattern)

    light = Timed()
    outputs = Outputs(Profile(), light, None, no_fault)
    # The light begins no sooner than it is asked for.
    asked_s = time.monotonic()
    outputs.confirm("muted")
    assert soon(lambda: light.patterns)
    outputs.trouble()
    assert soon(lambda: len(light.patterns) == 2)
    outputs.close()
    # Longer than a turn of the light's thread.
    assert light.patterns[0].seconds == 2.0
    assert shown_s[1] - asked_s >= 2.0


def test_the_background_takes_the_place_of_a_question_that_lasts(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    # Longer than a profile may say: the question ends by itself long after this test.
    outputs = Outputs(Profile(play=Play(wait_s=3600)), light, None, no_fault)
    outputs.confirm("guess")
    assert soon(lambda: light.patterns)
    outputs.trouble()
    assert soon(lambda: len(light.patterns) == 2)
    outputs.close()


def test_a_question_that_holds_no_more_goes_dark(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(play=Play(wait_s=30)), light, None, no_fault)
    outputs.confirm("guess")
    assert soon(lambda: light.lit)
    outputs.end("")
    outputs.end("face")
    time.sleep(0.2)
    assert light.lit
    outputs.end("guess")
    assert soon(lambda: not light.lit)
    outputs.close()


@pytest.mark.parametrize("take", [lambda outputs: outputs.acknowledge(), lambda outputs: outputs.give(HAPPY)])
def test_the_end_of_a_question_takes_no_later_light_along(
    take: Callable[[Outputs], None], soon: Callable[..., bool]
) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(play=Play(wait_s=30)), light, None, no_fault)
    outputs.confirm("guess")
    assert soon(lambda: light.patterns)
    take(outputs)
    outputs.end("guess")
    assert soon(lambda: len(light.patterns) == 2)
    time.sleep(0.2)
    assert light.lit
    outputs.close()


def test_trouble_that_was_over_before_it_could_be_shown_is_not_shown(
    soon: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_begin, waits, went_on = threading.Event(), threading.Event(), threading.Event()

    def wait_s(_last: LightStart | None, pattern: LightPattern, _now: float) -> float:
        if pattern.seconds < math.inf:
            return 0.0
        is_free = may_begin.is_set()
        (went_on if is_free else waits).set()
        return 0.0 if is_free else 0.01

    # The breath has to wait, so as not to flash; before it may begin, all is well again.
    monkeypatch.setattr(flash_limit, "wait_s", wait_s)
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.acknowledge()
    assert soon(lambda: light.patterns)
    outputs.trouble()
    assert waits.wait(30)
    outputs.dark()
    may_begin.set()
    assert went_on.wait(30)
    # A later light comes after all that the thread was about to show.
    outputs.confirm("muted")
    assert soon(lambda: light_pattern(lights(Profile())["muted"], 40) in light.patterns)
    outputs.close()
    assert [(pattern.pattern, pattern.seconds) for pattern in light.patterns] == [("steady", 0.5), ("breath", 2.0)]


def test_another_profile_holds_for_the_next_light_and_word(soon: Callable[..., bool]) -> None:
    light, before, after = MemoryLight(), MemoryVoice(), MemoryVoice()
    outputs = Outputs(Profile(), light, before, no_fault)
    outputs.give(HAPPY)
    assert soon(lambda: before.words == ["happy"] and light.patterns)
    blue = CueBook(happy=CueEntry(light=LightCue(colour="#0000FF", light_s=0.5)))
    dim = Profile(cues=blue, light=Brightness(brightness_percent=90, ceiling_percent=10))
    close = outputs.change(dim, after)
    outputs.give(HAPPY)
    assert soon(lambda: after.words == ["happy"] and len(light.patterns) == 2)
    assert light.patterns[1] == LightPattern((0.0, 0.0, pytest.approx(0.1)), "fade", 0.5)  # type: ignore[arg-type]
    assert not before.closed
    close()
    assert before.closed
    outputs.close()
    assert after.closed


@pytest.mark.parametrize(("muted", "resting"), [(True, False), (False, True)])
def test_another_voice_is_as_silent_as_the_one_before(muted: bool, resting: bool, soon: Callable[..., bool]) -> None:
    voice = MemoryVoice()
    outputs = Outputs(Profile(), None, None, no_fault)
    outputs.hush(muted=muted, resting=resting)
    outputs.change(Profile(), voice)()
    outputs.give(ANSWER)
    outputs.hush(muted=False, resting=False)
    outputs.give(HAPPY)
    assert soon(lambda: voice.words)
    outputs.close()
    assert voice.words == ["happy"]


def test_a_profile_without_sound_ends_the_voice(soon: Callable[..., bool]) -> None:
    light, voice = MemoryLight(), MemoryVoice()
    outputs = Outputs(Profile(), light, voice, no_fault)
    outputs.change(Profile(), None)()
    outputs.give(HAPPY)
    assert soon(lambda: light.patterns)
    outputs.close()
    assert (voice.words, voice.closed) == ([], True)


def test_the_brightness_of_another_profile_suits_the_surroundings_at_once(soon: Callable[..., bool]) -> None:
    light = MemoryLight()
    outputs = Outputs(Profile(), light, None, no_fault)
    outputs.set_ambient(0.0, 0.1, None)
    outputs.change(Profile(light=Brightness(night_percent=3)), None)
    outputs.confirm("muted")
    assert soon(lambda: light.patterns)
    outputs.close()
    assert light.patterns == [light_pattern(lights(Profile())["muted"], 3)]

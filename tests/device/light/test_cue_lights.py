"""The light's output: the LED for a colour, the patterns over time, and dimming."""

import math

import msgspec
import numpy as np
import pytest

from cuelens.frame import Frame
from cuelens.light import patterns
from cuelens.light.brightness import Dimming, target_percent
from cuelens.light.cue_lights import PRESS, TROUBLE, light_pattern, lights
from cuelens.light.patterns import Moment, moment, rgb, strengths
from cuelens.profile.cue_book import CueBook, CueEntry, LightCue
from cuelens.profile.profile import Brightness, Profile
from cuelens.types import LightPattern
from cuelens.vision.picture_state import PictureState

RED, GREEN, BLUE, YELLOW, WHITE = map(rgb, ("#FF0000", "#00FF00", "#0000FF", "#FFFF00", "#FFFFFF"))


def linear(level: int) -> float:
    """The linear light of an sRGB level (IEC 61966-2-1)."""
    return ((level / 255 + 0.055) / 1.055) ** 2.4


LIGHT = Brightness(brightness_percent=40, night_percent=10, ceiling_percent=70)


@pytest.mark.parametrize(
    ("singles", "colour", "expected"),
    [
        ((), "#F0E442", rgb("#F0E442")),
        ((RED,), "#0072B2", (linear(0xB2),)),
        ((RED, GREEN, BLUE), "#D55E00", (linear(0xD5), 0, 0)),
        ((RED, GREEN, BLUE), "#009E73", (0, linear(0x9E), 0)),
        ((RED, GREEN, BLUE), "#0072B2", (0, 0, linear(0xB2))),
        ((BLUE, YELLOW), "#F0E442", (0, linear(0xF0))),
        ((BLUE, YELLOW), "#CC79A7", (0, linear(0xCC))),
        ((RED, WHITE), "#404040", (0, linear(0x40))),
        ((RED, GREEN), "#000000", (0, 0)),
    ],
)
def test_the_single_led_that_is_nearest_in_hue_shines_alone(
    singles: tuple[patterns.Colour, ...], colour: str, expected: tuple[float, ...]
) -> None:
    assert strengths(rgb(colour), singles) == pytest.approx(expected)


@pytest.mark.parametrize(("level", "light"), [(0, 0.0), (5, 5 / 255 / 12.92), (10, 10 / 255 / 12.92), (11, linear(11))])
def test_the_darkest_levels_of_srgb_are_proportional_to_light(level: int, light: float) -> None:
    assert rgb(f"#{level:02X}00FF") == pytest.approx((light, 0.0, 1.0))


def test_what_is_not_black_is_never_rounded_to_dark() -> None:
    assert strengths((0.004, 0.0, 0.0), ()) == (0.01, 0.0, 0.0)
    assert strengths((0.001, 0.0, 0.0), (BLUE,)) == (0.01,)


@pytest.mark.parametrize(
    ("pattern", "seconds", "elapsed_s", "expected"),
    [
        ("steady", 3.0, 0.0, Moment(1.0, 0.0, 3.0)),
        ("steady", 3.0, 3.0, Moment(0.0, 0.0, None)),
        ("steady", math.inf, 3.0, Moment(1.0, 0.0, None)),
        ("fade", 3.0, 0.0, Moment(0.0, 1.0, 0.02)),
        ("fade", 3.0, 0.15, Moment(0.5, 0.5, 0.02)),
        ("fade", 3.0, 0.5, Moment(1.0, 0.0, 2.0)),
        ("fade", 3.0, 2.75, Moment(0.5, 0.0, 0.02)),
        ("fade", 3.0, 3.0, Moment(0.0, 0.0, None)),
        ("fade", 0.5, 0.4, Moment(0.9045, 0.0, 0.02)),
        ("fade", 0.5, 0.8, Moment(0.0, 0.0, None)),
        ("fade", math.inf, 9.0, Moment(1.0, 0.0, None)),
        ("breath", 4.0, 0.0, Moment(0.0, 1.0, 0.02)),
        ("breath", 4.0, 0.5, Moment(0.5, 0.5, 0.02)),
        ("breath", 4.0, 1.0, Moment(1.0, 0.0, 0.02)),
        ("breath", 4.0, 2.0, Moment(0.0, 0.0, 0.02)),
        ("breath", 4.0, 2.5, Moment(0.5, 0.0, 0.02)),
        ("breath", 4.0, 4.0, Moment(0.0, 0.0, None)),
        ("breath", 4.0, 5.0, Moment(0.0, 0.0, None)),
        ("breath", 0.5, 1.9, Moment(0.0245, 0.0, 0.02)),
        ("breath", math.inf, 1e6 + 1, Moment(1.0, 0.0, 0.02)),
    ],
)
def test_how_a_pattern_looks_at_a_moment(pattern: str, seconds: float, elapsed_s: float, expected: Moment) -> None:
    looks = moment(LightPattern(WHITE, pattern, seconds), elapsed_s)
    assert looks.level == pytest.approx(expected.level, abs=1e-4)
    assert looks.previous == pytest.approx(expected.previous, abs=1e-4)
    assert looks.lasts_s == pytest.approx(expected.lasts_s)


@pytest.mark.parametrize(
    ("lux", "mean", "percent"),
    [
        (None, None, 40),
        (0.0, 120.0, 10),
        (5.0, None, 10),
        (math.sqrt(5 * 100), None, 25),
        (100.0, 5.0, 40),
        (10_000.0, None, 40),
        (None, 0.0, 10),
        (None, 30.0, 10),
        (None, 55.0, 25),
        (None, 120.0, 40),
        (None, 255.0, 40),
    ],
)
def test_a_light_is_as_strong_as_its_surroundings_ask_for(
    lux: float | None, mean: float | None, percent: float
) -> None:
    assert target_percent(LIGHT, lux, mean) == pytest.approx(percent)


@pytest.mark.parametrize("brightness", [0, 20, 50, 100])
@pytest.mark.parametrize("night", [0, 20, 50, 100])
@pytest.mark.parametrize("ceiling", [0, 20, 70, 100])
@pytest.mark.parametrize("lux", [None, 0.0, 30.0, 1e5])
def test_no_light_is_over_the_ceiling_and_night_never_brightens(
    brightness: int, night: int, ceiling: int, lux: float | None
) -> None:
    light = Brightness(brightness_percent=brightness, night_percent=night, ceiling_percent=ceiling)
    percent = target_percent(light, lux, None)
    assert min(night, brightness, ceiling) <= percent <= min(brightness, ceiling)


def test_dimming_begins_where_it_is_and_never_jumps() -> None:
    dimming = Dimming(LIGHT)
    assert dimming.percent(100.0, 0.0, None) == 10
    strong = [dimming.percent(100 + n / 15, 1000.0, None) for n in range(1, 400)]
    steps = np.diff([10, *strong])
    assert steps.min() >= 0
    assert steps.max() < 1
    assert strong[-1] == pytest.approx(40, abs=0.01)


def test_dimming_does_not_depend_on_the_frame_rate() -> None:
    def after_two_seconds(rate: int) -> float:
        dimming = Dimming(LIGHT)
        dimming.percent(0.0, 1000.0, None)
        return [dimming.percent(n / rate, 1.0, None) for n in range(1, 2 * rate + 1)][-1]

    assert after_two_seconds(15) == pytest.approx(after_two_seconds(5))
    # After one time constant, 1/e of the difference remains.
    assert after_two_seconds(15) == pytest.approx(10 + 30 / math.e)
    rare = Dimming(LIGHT)
    rare.percent(0.0, 1000.0, None)
    assert rare.percent(2.0, 1.0, None) == pytest.approx(10 + 30 / math.e)


def test_a_time_that_does_not_pass_changes_nothing() -> None:
    dimming = Dimming(LIGHT)
    assert dimming.percent(5.0, 1000.0, None) == 40
    assert dimming.percent(5.0, 0.0, None) == 40
    assert dimming.percent(4.0, 0.0, None) == 40


def test_the_light_level_stores_its_mean() -> None:
    level = PictureState()
    assert level.mean is None
    level.judge(Frame(np.full((480, 640), 77, np.uint8), 1.0, 0))
    assert level.mean == 77
    level.judge(Frame(np.full((480, 640), 99, np.uint8), 1.1, 0))
    assert level.mean == 77


@pytest.mark.parametrize(("percent", "level"), [(0.0, 0.0), (40.0, 0.4), (100.0, 1.0)])
def test_a_pattern_is_as_bright_as_asked_for(percent: float, level: float) -> None:
    pattern = light_pattern(LightCue(colour="#FF8000", pattern="breath", light_s=4.0), percent)
    assert pattern.colour == pytest.approx((level, level * linear(0x80), 0.0))
    assert (pattern.pattern, pattern.seconds) == ("breath", 4.0)


def test_what_the_glasses_say_of_themselves_stays_what_the_wearer_has_learned() -> None:
    """A session begins with two slow breaths and ends with a long light (docs/design.md, section 7)."""
    book = Profile().cues.entries()
    learned = {word: (light.pattern, light.light_s) for word, light in lights(Profile()).items()}
    assert {word: light for word, light in learned.items() if word.removeprefix("find ") not in book} == {
        "neutral": ("fade", 2.0),
        "unsure": ("breath", 2.0),
        "nobody": ("steady", 1.0),
        "face": ("fade", 1.0),
        "guess": ("breath", Profile().play.wait_s),
        "too dark": ("fade", 2.0),
        "muted": ("breath", 2.0),
        "unmuted": ("fade", 1.0),
        "paused": ("fade", 2.0),
        "resumed": ("fade", 1.0),
        "code": ("steady", 0.18),
        "calibrate": ("steady", 3.0),
        "session began": ("breath", 4.0),
        "session ended": ("fade", 5.0),
    }
    assert (PRESS.pattern, PRESS.light_s) == ("steady", 0.5)
    # Without a greeting a press may still be answered with a face.
    assert lights(Profile(face_found=None))["face"].light_s == 1.0


def test_every_light_is_one_that_a_profile_might_have_but_for_a_number_of_a_code() -> None:
    built_in = lights(Profile())
    assert built_in.pop("code").light_s < 0.5
    for light in (*built_in.values(), PRESS, TROUBLE):
        assert msgspec.convert(msgspec.to_builtins(light), LightCue) == light


def test_an_expression_without_a_light_has_none() -> None:
    assert {"sad", "find sad"} <= set(lights(Profile()))
    assert not {"sad", "find sad"} & set(lights(Profile(cues=CueBook(sad=CueEntry(light=None)))))


def test_at_a_school_only_a_smile_and_a_frown_have_lights_of_their_own() -> None:
    book = lights(Profile(school=True))
    assert book["smile"] == lights(Profile())["happy"]
    assert not {"happy", "angry", "sad", "fear"} & set(book)
    assert book["face"] == Profile().face_found
    # Without a greeting, the answer "a face" still has a light.
    assert "face" in lights(Profile(face_found=None))

"""The ceilings of the factory profile against limits for eyes and ears, and the tables of the pages that say so."""

import math
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cuelens.adapters import speech
from cuelens.profile.presets import STRENGTHS
from cuelens.profile.profile import Profile, Sound
from cuelens.sound.clip import LOUDEST_DB, LOUDNESS, Clip
from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "es", "de", "fr", "ar")


safety = load("safety")
LED = safety.Led()
OHMS = safety.resistors(LED)
SPEAKER = safety.Speaker()
LIGHT, SOUND = Profile().light, Profile().sound


@pytest.mark.parametrize("page", safety.PAGES, ids=lambda page: str(page.name))
def test_the_tables_of_a_page_are_those_that_are_computed(page: Path) -> None:
    text = page.read_text("utf-8")
    assert safety.filled(text) == text, "run `make safety`"


def test_every_table_stands_on_a_page() -> None:
    names = [name for page in safety.PAGES for name in re.findall(r"<!-- table: (\w+),", page.read_text("utf-8"))]
    assert sorted(names) == sorted(safety.tables())


@pytest.mark.parametrize(
    ("percent", "limit_cd_m2"),
    [
        (100, safety.RETINA_CD_M2),
        (LIGHT.ceiling_percent, safety.SKY_CD_M2),
        (LIGHT.brightness_percent, safety.SKY_CD_M2),
        (LIGHT.night_percent, safety.SCREEN_CD_M2),
    ],
)
def test_a_bright_sample_of_the_light_is_under_the_limit(percent: int, limit_cd_m2: float) -> None:
    assert safety.luminance_cd_m2(LED, OHMS, percent) * safety.LIGHT_SPREAD < limit_cd_m2


def test_the_next_ten_of_the_brightness_ceiling_would_be_over_the_limit() -> None:
    over = safety.luminance_cd_m2(LED, OHMS, LIGHT.ceiling_percent + 10) * safety.LIGHT_SPREAD
    assert over > safety.SKY_CD_M2


def test_blue_light_is_under_the_limit_for_any_time_whatever_a_profile_says() -> None:
    assert safety.blue_w_m2_sr(LED, OHMS, 100) * safety.LIGHT_SPREAD * (7 / 3) ** 2 < safety.BLUE_W_M2_SR


def test_a_resistor_of_tutorials_would_be_over_every_limit() -> None:
    bare = (330, 330, 330)
    assert safety.luminance_cd_m2(LED, bare, LIGHT.ceiling_percent) > 10 * safety.SKY_CD_M2
    assert safety.luminance_cd_m2(LED, bare, 100) == pytest.approx(65_000, rel=0.05)
    assert safety.blue_w_m2_sr(LED, bare, 100) > safety.BLUE_W_M2_SR


def test_no_preset_is_brighter_by_night_than_a_telephone_even_with_a_bright_sample() -> None:
    percent = max(strength["light.night_percent"] for strength in STRENGTHS.values())
    bright = safety.luminance_cd_m2(LED, OHMS, percent) * safety.LIGHT_SPREAD
    assert bright <= safety.SCREEN_CD_M2 < bright * (percent + 1) / percent


@pytest.mark.parametrize("led", [LED, safety.Led(mcd=(800, 1500, 500)), safety.Led(area_mm2=40)])
def test_white_has_the_colour_and_the_luminance_that_it_should(led: object) -> None:
    assert isinstance(led, safety.Led)
    ohms = safety.resistors(led)
    assert 0.7 * safety.WHITE_CD_M2 < safety.luminance_cd_m2(led, ohms, 100) <= safety.WHITE_CD_M2
    parts = safety.intensities_cd(led, ohms)
    for part, share in zip(parts, safety.SHARES, strict=True):
        assert part / sum(parts) == pytest.approx(share, rel=0.25)


def test_no_pin_and_not_all_of_them_together_give_too_much() -> None:
    currents_ma = [(safety.PIN_V - volts) / ohm * 1000 for volts, ohm in zip(LED.volts, OHMS, strict=True)]
    capture_ma = (safety.PIN_V - LED.volts[0]) / 470 * 1000
    assert max(*currents_ma, capture_ma) < 4
    assert sum(currents_ma) + capture_ma < safety.PINS_MOST_MA


@pytest.mark.parametrize("gain_db", safety.GAINS_DB)
def test_a_loud_sample_of_the_speaker_is_under_the_limit_at_the_ceiling(gain_db: int) -> None:
    ohm = safety.series_ohm(SPEAKER, gain_db, SOUND.ceiling_percent)
    level_db = safety.ear_db(SPEAKER, gain_db, ohm, SOUND.ceiling_percent) + safety.SOUND_SPREAD_DB
    assert level_db <= safety.EAR_DB
    assert safety.ear_db(SPEAKER, gain_db, 0, SOUND.volume_percent) > safety.EAR_DB, "the resistor would not be needed"


def test_a_quiet_speaker_needs_no_resistor() -> None:
    assert safety.series_ohm(safety.Speaker(db=60), 3, SOUND.ceiling_percent) == 0


@pytest.mark.parametrize(("least", "ohm"), [(94, 100), (100, 100), (100.1, 120), (8040, 8200), (83, 100), (9.5, 10)])
def test_a_resistor_is_the_next_of_its_series(least: float, ohm: int) -> None:
    assert safety.resistor_ohm(least) == ohm


def test_levels_follow_the_volume_and_the_distance() -> None:
    loud, quiet = (safety.ear_db(SPEAKER, 3, 0, percent) for percent in (100, 50))
    assert loud - quiet == pytest.approx(6.02, abs=0.01)
    steps = [safety.ear_db(SPEAKER, gain, 0, 100) for gain in safety.GAINS_DB]
    assert [after - before for before, after in pairwise(steps)] == pytest.approx([3, 3, 3, 3])


def test_no_earcon_is_louder_than_a_phrase_may_be(tmp_path: Path) -> None:
    loudest = max(_loudest_db(sound) for sound in _clips(Profile(sound=Sound(on=True, say="earcons")), tmp_path))
    assert loudest < 0


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng renders the phrases")
def test_no_phrase_is_louder_than_the_computation_says(tmp_path: Path) -> None:
    profiles = [Profile(language=code, sound=Sound(on=True)) for code in LANGUAGES]
    loudest = [max(_loudest_db(sound) for sound in _clips(profile, tmp_path)) for profile in profiles]
    print({code: round(level, 1) for code, level in zip(LANGUAGES, loudest, strict=True)})
    assert 0 < max(loudest) < LOUDEST_DB


def _clips(profile: Profile, folder: Path) -> Iterator[Clip]:
    complaints: list[str] = []
    for _, sound in speech.prepare(profile, folder, folder / "phrases", complaints.append):
        yield sound
    assert complaints == []


def _loudest_db(sound: Clip) -> float:
    """Return the greatest A-weighted, fast level over LOUDNESS (IEC 61672-1: weighting A, time constant 125 ms)."""
    samples = sound.samples / 32768
    hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / sound.rate), 1e-3)
    weight = 12194**2 * hz**4 / ((hz**2 + 20.6**2) * (hz**2 + 12194**2))
    weight *= 10**0.1 / np.sqrt((hz**2 + 107.7**2) * (hz**2 + 737.9**2))
    weighted = np.fft.irfft(np.fft.rfft(samples) * weight, len(samples))
    share = 1 - math.exp(-1 / (sound.rate * 0.125))
    level, loudest = 0.0, 0.0
    for power in np.square(weighted):
        level += (power - level) * share
        loudest = max(loudest, level)
    return 20 * math.log10(math.sqrt(loudest) / LOUDNESS)

"""The factory's cue book for colour-blind wearers, and for glasses with one LED."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens.light.patterns import BREATH_S, rgb
from cuelens.profile.cue_book import CueBook, CueEntry, LightCue

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG
# 15(6), 2009: severity 1.0, for linear RGB (table at inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation).
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# sRGB to XYZ under D65 (IEC 61966-2-1).
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LEAST = 5 * 2.3
"""Five just noticeable differences of CIE76 (2.3: Mahy, Van Eycken and Oosterlinck, 1994). One is the limit for
two patches side by side; a light lasts a second or two and is compared with a remembered one."""

Linear = NDArray[np.float64]


def chroma(linear: Linear) -> Linear:
    """a* and b* of CIE 1976. Lightness is left out: dimming changes it."""
    relative = XYZ @ linear.clip(0, 1) / (XYZ @ np.ones(3))
    x, y, z = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([500 * (x - y), 200 * (y - z)])


def lights() -> dict[str, LightCue]:
    entries: dict[str, CueEntry] = CueBook().entries()
    return {word: entry.light for word, entry in entries.items() if entry.light}


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_every_two_expressions_differ_in_colour_for_all_eyes_or_in_pattern(eyes: str) -> None:
    for (one, first), (other, second) in combinations(lights().items(), 2):
        if first.pattern != second.pattern:
            continue
        apart = chroma(SEEN_BY[eyes] @ np.array(rgb(first.colour))) - chroma(
            SEEN_BY[eyes] @ np.array(rgb(second.colour))
        )
        assert np.hypot(*apart) > LEAST, (one, other)


def test_the_measure_would_find_colours_that_some_eyes_confuse() -> None:
    red, green = np.array(rgb("#C04000")), np.array(rgb("#707000"))
    distances = {eyes: float(np.hypot(*(chroma(seen @ red) - chroma(seen @ green)))) for eyes, seen in SEEN_BY.items()}
    assert distances["everyone"] > LEAST
    assert distances["deuteranopia"] < LEAST


def test_no_two_expressions_share_a_pattern_and_its_length() -> None:
    cues = [(light.pattern, light.light_s) for light in lights().values()]
    assert len(set(cues)) == len(cues) == 6


def test_lengths_of_one_pattern_are_far_enough_apart_to_be_told() -> None:
    """A breath lasts whole breaths; of two fades or two steady lights, one lasts twice as long as the other."""
    for first, second in combinations(lights().values(), 2):
        if first.pattern == second.pattern == "breath":
            assert round(first.light_s / BREATH_S) != round(second.light_s / BREATH_S)
        elif first.pattern == second.pattern:
            short, long = sorted((first.light_s, second.light_s))
            assert long >= 2 * short

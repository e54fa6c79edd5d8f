"""What stands around a head: light, place, lens, sensor and backdrop. Those of training and of tests differ."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from benchmarks import scenes
from benchmarks.heads.draw import Drawn, Light, View
from benchmarks.heads.split import SPLITS, Chance, Split
from numpy.typing import NDArray

from cuelens.frame import Grey

FOCAL: Final = 532.0
"""Of the usual lens, in pixels: 640 of them show 62 degrees."""
FACE: Final = 1.5
"""Side of the detector's box of a face, about, in decimetres."""
_NOISES: Final = 4


@dataclass(frozen=True)
class Setting:
    """What stands around one head.

    Attributes:
        light: on the head.
        view: where the head is.
        blur: of the lens, the standard deviation of its disc in pixels.
        noise: of the sensor, in grey levels.
        backdrop: behind the head, uint8, of the view's size.
    """

    light: Light
    view: View
    blur: float
    noise: float
    backdrop: Grey


def setting(split: Split, number: int, width: int, height: int, sides: tuple[float, float]) -> Setting:
    """Return what stands around a person. The same split and number give the same.

    Args:
        split: whom it is for.
        number: of the person.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        sides: the least and the greatest side of the face's box, in pixels.
    """
    chance = Chance(split, number, "light")
    key, above = chance.between(0.4, 1.1), chance.between(0.3, 0.7)
    # As a camera does that measures the whole picture: the light's strength is evened out, whoever stands in it.
    exposure = chance.between(0.65, 0.95) / (0.6 * key + 0.5 * above)
    light = Light(chance.between(-60, 60), chance.between(5, 60), key, above, chance.between(0.1, 0.3), exposure)
    distance = FOCAL * FACE / chance.between(*sides)
    off = (chance.between(-0.1, 0.1) * width, chance.between(-0.02, 0.12) * height)
    place = (off[0] * distance / FOCAL, off[1] * distance / FOCAL, distance)
    textures = backdrops(split)
    wall = scenes.view(textures[chance.random.integers(len(textures))], chance.random, width, height)
    backdrop = cv2.GaussianBlur(wall, (0, 0), chance.between(1.0, 3.0))
    noise, blur = chance.between(2.0, 6.0), chance.between(0.4, 0.9)
    return Setting(light, View(width, height, FOCAL, place), blur, noise, np.asarray(backdrop, np.uint8))


def backdrops(split: Split) -> tuple[str, ...]:
    """Return the pictures that may stand behind the people of a split."""
    return scenes.TEXTURES[SPLITS.index(split) :: len(SPLITS)]


def moved(setting: Setting, by: tuple[float, float, float]) -> Setting:
    """Return a setting with the head moved. by: in decimetres right, up and away from the camera."""
    x, y, z = (one + other for one, other in zip(setting.view.place, by, strict=True))
    return replace(setting, view=replace(setting.view, place=(x, y, z)))


class Sensor:
    """Takes pictures of drawn heads. Its noise is seeded: the same person and frame have the same noise."""

    def __init__(self, split: Split, number: int, setting: Setting) -> None:
        """Draw the noise.

        Args:
            split: whom it is for.
            number: of the person.
            setting: gives size and strength.
        """
        random = Chance(split, number, "noise").random
        size = setting.backdrop.shape
        self._noises = [random.normal(0, setting.noise, size).astype(np.float32) for _ in range(_NOISES)]
        self._rolls = random.integers(0, size, (1024, 2))
        self._setting = setting

    def picture(self, drawn: Drawn, frame: int = 0) -> Grey:
        """Return what the camera sees, uint8 (height, width). frame: its number, for the noise."""
        clean: NDArray[np.float32] = drawn.grey + (1 - drawn.cover) * self._setting.backdrop
        cv2.GaussianBlur(clean, (0, 0), self._setting.blur, dst=clean)
        noise = np.roll(self._noises[frame % _NOISES], self._rolls[frame % len(self._rolls)], (0, 1))
        return np.asarray(np.clip(np.rint(clean + noise), 0, 255), np.uint8)

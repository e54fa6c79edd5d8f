"""Dimming: the lights' brightness follows the surroundings, lower at night and never over the ceiling. Pure."""

import math
from typing import Final

from cuelens.profile.profile import Brightness

_NIGHT_LUX: Final = 5.0
_DAY_LUX: Final = 100.0
"""Illuminance of a room with one dim lamp, and of a well-lit one in the evening. Offices have 500 lux (EN 12464-1)."""
_NIGHT_MEAN: Final = 30.0
_DAY_MEAN: Final = 80.0
"""Mean grey levels, 0 to 255. Automatic exposure keeps the mean near 120; below the first, the picture is dark."""
_SMOOTHING_S: Final = 2.0


class Dimming:
    """Smooths the brightness, so that a light never visibly jumps."""

    def __init__(self, light: Brightness) -> None:
        self._light = light
        self._percent: float | None = None
        self._t = 0.0

    def percent(self, t: float, lux: float | None, mean: float | None) -> float:
        """Return the smoothed brightness, in percent of the LED's full power.

        Exponential smoothing over time makes it independent of the frame rate. The first call returns the target.

        Args:
            t: the time in seconds.
            lux: see `target_percent`.
            mean: see `target_percent`.
        """
        target = target_percent(self._light, lux, mean)
        if self._percent is None:
            self._percent = target
        elif t > self._t:
            self._percent += (target - self._percent) * (1 - math.exp((self._t - t) / _SMOOTHING_S))
        self._t = t
        return self._percent


def target_percent(light: Brightness, lux: float | None, mean: float | None) -> float:
    """Return the brightness for the surroundings, in percent of the LED's full power, never over the ceiling.

    It goes from night_percent to brightness_percent. Without lux and mean, it is the brightness of day.

    Args:
        light: the profile's settings.
        lux: the camera's estimate. Between 5 and 100, brightness follows its logarithm, as eyes do.
        mean: the mean grey level of the picture, 0 to 255, used without lux. Automatic exposure keeps it up until
            exposure and gain reach their limits, so it detects real darkness only.
    """
    if lux is not None:
        day = _share(math.log(max(lux, _NIGHT_LUX)), math.log(_NIGHT_LUX), math.log(_DAY_LUX))
    elif mean is not None:
        day = _share(mean, _NIGHT_MEAN, _DAY_MEAN)
    else:
        day = 1.0
    night_percent = min(light.night_percent, light.brightness_percent)
    return min(night_percent + (light.brightness_percent - night_percent) * day, light.ceiling_percent)


def _share(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))

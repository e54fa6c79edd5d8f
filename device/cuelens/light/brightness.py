"""How strong lights are by how bright it is around: less at night, and never over the ceiling. Pure."""

import math
from typing import Final

from cuelens.profile.profile import Brightness

_NIGHT_LUX: Final = 5.0
_DAY_LUX: Final = 100.0
"""A room by one dim lamp, and one that is well lit in the evening; offices have 500 (EN 12464-1)."""
_NIGHT_MEAN: Final = 30.0
_DAY_MEAN: Final = 80.0
"""Below the first the picture is "too dark" (`light_level`). Automatic exposure keeps a mean near 120."""
_SMOOTHING_S: Final = 2.0


class Dimming:
    """Follows how bright it is around, so slowly that a light never visibly jumps."""

    def __init__(self, light: Brightness) -> None:
        self._light = light
        self._percent: float | None = None
        self._t = 0.0

    def percent(self, t: float, lux: float | None, mean: float | None) -> float:
        """Return how strong lights are at time `t` in seconds, in percent of what the LED can do.

        lux, mean: see `wanted_percent`. Smoothed exponentially in time, so that it does not depend on the frame rate;
        the first call gives what is wanted then.
        """
        wanted = wanted_percent(self._light, lux, mean)
        if self._percent is None:
            self._percent = wanted
        elif t > self._t:
            self._percent += (wanted - self._percent) * (1 - math.exp((self._t - t) / _SMOOTHING_S))
        self._t = t
        return self._percent


def wanted_percent(light: Brightness, lux: float | None, mean: float | None) -> float:
    """Return the strength for a brightness around, in percent: night_percent to brightness_percent, under the ceiling.

    lux: as the camera judges; between 5 and 100 the strength follows its logarithm, as eyes do. Without it, mean: the
    mean grey level of the picture, 0 to 255. Automatic exposure keeps that up until exposure and gain are at their
    ends, so a camera without lux tells night only when it is really dark. Without both it is day.
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

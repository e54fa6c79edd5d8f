"""Rate control: the target rate of beats, and which beats do reduced work.

It bounds the 95th percentile of beat times, not the mean: a child notices a late cue. A beat that takes longer than
50 ms is followed by a reduced one, and that by a whole one, however long it took: newcomers must be found. If more than
one beat in twenty still does, the rate falls, so that each beat begins on a fresh frame. It also falls when the board
is hot, as it lies against a temple, or its supply is weak.
"""

from collections import deque
from typing import Final

import msgspec

TARGET: Final = 15.0
"""Beats a second."""
_STEPS: Final = (1.0, 2 / 3, 1 / 2, 1 / 3)
_HOT_C: Final = (70.0, 75.0, 80.0)
"""Temperatures that lower the rate, in degrees Celsius. At 80 a Raspberry Pi slows itself down."""
_COOLER_C: Final = 3.0
"""Hysteresis: the rate rises again so many degrees below."""
_LONG_MS: Final = 50.0
_WINDOW: Final = 40
_CALM_S: Final = 10.0


class Strain(msgspec.Struct, frozen=True):
    """The board's state, from the kernel. None: unknown."""

    temperature_c: float | None = None
    under_voltage: bool | None = None

    def __str__(self) -> str:
        heat = "" if self.temperature_c is None else f"{self.temperature_c:.0f} C"
        return ", ".join(part for part in (heat, "under-voltage" if self.under_voltage else "") if part)


class Pacing:
    """Decides which frames become beats. Times are frame times, in seconds."""

    def __init__(self) -> None:
        self.reduced = False
        """Whether the next beat should do reduced work."""
        self._heat = 0
        self._weak = False
        self._load = 0
        self._next = 0.0
        self._calm_t = 0.0
        self._long: deque[bool] = deque(maxlen=_WINDOW)

    @property
    def target(self) -> float:
        """Target rate, in beats a second."""
        return TARGET * _STEPS[max(self._heat, int(self._weak), self._load)]

    def due(self, t: float) -> bool:
        """Tell whether a frame becomes a beat. Cameras jitter: a frame may be a quarter of a period early."""
        period = 1 / self.target
        if t < self._next - period / 4 and self._next - t < 2 * period:
            return False
        self._next = (self._next if abs(t - self._next) < period else t) + period
        return True

    def ended(self, t: float, milliseconds: float) -> None:
        """Record the time that a beat took. t: of its frame, in seconds."""
        long = milliseconds > _LONG_MS
        self.reduced = long and not self.reduced
        self._long.append(long)
        if long:
            self._calm_t = t
        if sum(self._long) > _WINDOW / 20 and self._load < len(_STEPS) - 1:
            self._load += 1
            self._long.clear()
        elif self._load and t - self._calm_t > _CALM_S:
            self._load -= 1
            self._calm_t = t

    def strained(self, strain: Strain) -> bool:
        """Record the board's state. Returns whether the target changed."""
        before = self.target
        self._weak = bool(strain.under_voltage)
        if strain.temperature_c is not None:
            hotter = sum(strain.temperature_c >= limit for limit in _HOT_C)
            cooler = sum(strain.temperature_c >= limit - _COOLER_C for limit in _HOT_C)
            self._heat = min(max(self._heat, hotter), cooler)
        return self.target != before

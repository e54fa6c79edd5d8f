"""A pair of axes on a canvas, linear or logarithmic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.plots.canvas import NOTES, Canvas, nice


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels.

    Attributes:
        low: value at the first pixel.
        high: value at the last one.
        first: pixel of `low`.
        last: pixel of `high`.
        log: whether equal ratios are equally far apart.
    """

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; the nearest end for one beyond the ends."""
        value = min(max(value, min(self.low, self.high)), max(self.low, self.high))
        of: Callable[[float], float] = math.log10 if self.log else float
        share = (of(value) - of(self.low)) / (of(self.high) - of(self.low))
        return self.first + share * (self.last - self.first)


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a plot lies on its canvas. x goes right, y goes up."""

    canvas: Canvas
    x: Scale
    y: Scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        return self.x(x), self.y(y)

    def ticks_x(self, ticks: Sequence[float], name: str, words: Callable[[float], str] = nice) -> None:
        """Draw the ticks below, a line up from each, and the axis's name."""
        for tick in ticks:
            x = self.x(tick)
            self.canvas.line(((x, self.y.first), (x, self.y.last)), "grid l-faint")
            self.canvas.say(words(tick), x, self.y.first + 18, "middle", size=NOTES, tone="faint")
        self.canvas.say(name, (self.x.first + self.x.last) / 2, self.y.first + 38, "middle")

    def ticks_y(self, ticks: Sequence[float], name: str, words: Callable[[float], str] = nice) -> None:
        """Draw the ticks at the left, a line right from each, and the axis's name above."""
        for tick in ticks:
            y = self.y(tick)
            self.canvas.line(((self.x.first, y), (self.x.last, y)), "grid l-faint")
            self.canvas.say(words(tick), self.x.first - 8, y + 4, "end", size=NOTES, tone="faint")
        self.canvas.say(name, self.x.first, self.y.last - 12)

    def line(self, points: Sequence[tuple[float, float]], style: str, hint: str = "") -> None:
        """Draw a line through points."""
        self.canvas.line([self.at(*point) for point in points], style, hint)

    def mark(self, x: float, y: float, shape: str, colour: str, hint: str = "", *, hollow: bool = False) -> None:
        """Draw a mark."""
        self.canvas.mark(*self.at(x, y), shape, colour, hint, hollow=hollow)

    def spread_x(self, low: float, high: float, y: float, colour: str) -> None:
        """Draw an interval along x, with its ends."""
        left, right, at = self.x(low), self.x(high), self.y(y)
        self.canvas.line(((left, at), (right, at)), f"thin l-{colour}")
        for end in (left, right):
            self.canvas.line(((end, at - 4), (end, at + 4)), f"thin l-{colour}")

    def spread_y(self, x: float, low: float, high: float, colour: str) -> None:
        """Draw an interval along y, with its ends."""
        bottom, top, at = self.y(low), self.y(high), self.x(x)
        self.canvas.line(((at, bottom), (at, top)), f"thin l-{colour}")
        for end in (bottom, top):
            self.canvas.line(((at - 4, end), (at + 4, end)), f"thin l-{colour}")


def percent(share: float) -> str:
    """Return a share for a tick."""
    return f"{100 * share:.0f}%"

"""Memory of running glasses over a soak, in which a minute holds what a household does in a day or two."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale
from benchmarks.plots.canvas import Canvas, legend

_WHAT: Final = (
    "Across, minutes of one life of the glasses in the soak; up, megabytes from zero. Two lines: resident memory, and "
    "what of it is in no file, which the kernel cannot take back. Both are measured at rest, after rounds of presses, "
    "visits to the page and faults."
)
_LINES: Final = (
    ("rss", "resident", "round", "blue"),
    ("own", "its own: in no file", "square", "vermilion"),
)


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/memory.json, which `python -m benchmarks.soak --json` wrote."""
    calms = figures["calms"]
    canvas = Canvas(720, 400, "Memory of the glasses over a soak: a minute is a household's day or two", _WHAT)
    minutes = calms[-1]["s"] / 60
    step = next(step for step in (1, 2, 5, 10, 20, 60, 120) if minutes / step <= 10)
    last = step * -(-minutes // step)
    most = 20 * -(-max(calm["took"]["rss"] for calm in calms) / 1024 // 20)
    axes = Axes(canvas, Scale(0, last, 70, 690), Scale(0, most, 346, 110))
    axes.ticks_x([step * number for number in range(int(last // step) + 1)], "minutes since this life began")
    axes.ticks_y([20 * number for number in range(int(most // 20) + 1)], "MB")
    legend(canvas, 18, 66, [(words, shape, colour, False) for _, words, shape, colour in _LINES])
    for name, words, shape, colour in _LINES:
        points = [(calm["s"] / 60, calm["took"][name] / 1024) for calm in calms]
        axes.line(points, f"l-{colour}", f"{words}: {points[0][1]:.1f} MB, at the end {points[-1][1]:.1f} MB")
        for place in (0, len(points) // 2, -1):
            axes.mark(*points[place], shape, colour)
        end = axes.at(*points[-1])
        canvas.say(f"{points[-1][1]:.0f} MB", end[0] - 4, end[1] - 10, "end", tone=colour)
    return canvas.svg()

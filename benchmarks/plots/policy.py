"""The trade-off of the cue policy: false cues against expressions that are told in time."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale, percent
from benchmarks.plots.canvas import NOTES, Canvas, legend

_WHAT: Final = (
    "Across, false cues in ten minutes, logarithmic; up, the share of expressions told within 1.2 seconds. Two lines "
    "join the settings of caution, on made-up hours of persons and of faces that change every second. Two marks with "
    "95 % intervals show what ships, on persons held out."
)
_TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
_KINDS: Final = {"persons": ("round", "blue"), "faces": ("triangle", "grey")}


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/cues.json."""
    canvas = Canvas(720, 474, "False cues against expressions told", _WHAT)
    axes = Axes(canvas, Scale(_TICKS[0], _TICKS[-1], 70, 690, log=True), Scale(0, 1, 420, 120))
    _goal(axes, *figures["goal"])
    axes.ticks_x(_TICKS, "false cues in ten minutes")
    axes.ticks_y((0, 0.2, 0.4, 0.6, 0.8, 1), "told within 1.2 s", percent)
    entries = [("persons, by caution", *_KINDS["persons"], False), ("a new face a second", *_KINDS["faces"], False)]
    shipped = [("ships: all cues", "square", "vermilion", False), ("ships: spoken", "diamond", "vermilion", True)]
    legend(canvas, 18, 66, (*entries, *shipped))
    for kind, (shape, colour) in _KINDS.items():
        points = [(one["false_in_ten_minutes"], one["told_in_time"]) for one in figures["inner"][kind]]
        axes.line(points, f"l-{colour}")
        for one, point in zip(figures["inner"][kind], points, strict=True):
            axes.mark(*point, shape, colour, f"caution {one['caution']:+g}: {point[0]:.2f} false, {point[1]:.0%} told")
        for one in figures["inner"][kind][:: len(points) - 1]:
            x, y = axes.at(one["false_in_ten_minutes"], one["told_in_time"])
            canvas.say(f"caution {one['caution']:+g}", x, y + 22, "middle", size=NOTES, tone=colour)
    for (_, shape, colour, hollow), name in zip(shipped, ("all", "spoken"), strict=True):
        one = figures["shipped"][name]
        x, y = one["false_in_ten_minutes"], one["told_in_time"]
        axes.spread_x(*one["false_interval"], y, colour)
        axes.spread_y(x, *one["told_interval"], colour)
        axes.mark(
            x, y, shape, colour, f"{name} cues: {x:.2f} false in ten minutes, {y:.0%} told in time", hollow=hollow
        )
    return canvas.svg()


def _goal(axes: Axes, most_false: float, least_told: float) -> None:
    """Shade what the policy aims at."""
    right, bottom = axes.at(most_false, least_told)
    axes.canvas.box(axes.x.first, axes.y.last, right - axes.x.first, bottom - axes.y.last, "f-green pale")
    axes.canvas.say("the goal", right + 8, axes.y.last + 18, size=NOTES, tone="green")

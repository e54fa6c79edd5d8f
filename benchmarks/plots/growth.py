"""How a beat grows with the faces in view and with the size of the frame."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale
from benchmarks.plots.canvas import NOTES, Canvas

_WHAT: Final = "Two plots of the mean beat in milliseconds: against the number of faces in view, and the frame's width."


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/growth.json, which `benchmarks/beat.py --growth` wrote."""
    canvas = Canvas(720, 330, "A mean beat, by faces in view and by size of the frame", _WHAT)
    most = 2 * -(-max(*figures["faces"].values(), *figures["widths"].values()) // 2)
    sides = (("faces", "faces in view", 60, 340), ("widths", "width of the frame, pixels", 410, 690))
    for name, what, first, last in sides:
        points = [(float(key), ms) for key, ms in figures[name].items()]
        axes = Axes(canvas, Scale(0, points[-1][0], first, last), Scale(0, most, 276, 84))
        axes.ticks_x([x for x, _ in points], what)
        axes.ticks_y([most * part / 4 for part in range(5)], "ms")
        axes.line(points, "l-blue")
        for x, ms in points:
            axes.mark(x, ms, "round", "blue", f"{x:g}: {ms:.2f} ms")
            canvas.say(f"{ms:.1f}", axes.x(x) - 8, axes.y(ms) - 8, "end", size=NOTES, tone="blue")
    return canvas.svg()

"""Smiles told, against how strong they are."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale, percent
from benchmarks.plots.canvas import NOTES, Canvas

_WHAT: Final = (
    "Across, the strength of a smile as a share of that person's full one; up, the share of synthetic people whose "
    "smile was told while it lasted, with 95 % intervals."
)


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/smiles.json, which `python -m benchmarks.heads strengths --json` wrote."""
    people = figures["people"]
    title = f"Smiles told against their strength: {people} synthetic people"
    canvas = Canvas(720, 426, title, _WHAT)
    axes = Axes(canvas, Scale(0, 1, 70, 690), Scale(0, 1, 372, 106))
    axes.ticks_x((0, 0.2, 0.4, 0.6, 0.8, 1), "strength, as a share of the person's full smile", percent)
    axes.ticks_y((0, 0.2, 0.4, 0.6, 0.8, 1), f"told in the {figures['smile_s']:g} s that it lasts", percent)
    note = "beside each mark: the median time from the beginning of the smile to its cue"
    canvas.say(note, 18, 58, size=NOTES, tone="faint")
    points = [(row["strength"], row["told"] / people) for row in figures["strengths"]]
    axes.line(points, "l-blue")
    for row, (x, y) in zip(figures["strengths"], points, strict=True):
        axes.spread_y(x, *row["interval"], "blue")
        axes.mark(x, y, "round", "blue", f"strength {x:.0%}: {row['told']} of {people} told")
        if row["delay_s"] is not None:
            left, at = axes.at(x, y)
            canvas.say(f"{row['delay_s']:.1f} s", left - 9, at - 7, "end", size=NOTES, tone="faint")
    return canvas.svg()

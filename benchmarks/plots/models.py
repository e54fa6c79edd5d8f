"""Networks of the zoo: the accuracy of each on an axis of its own protocol, for those of two cannot be compared."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale, percent
from benchmarks.plots.canvas import NOTES, Canvas, legend

WIDTH: Final = 720.0
_LEFT, _RIGHT = 200.0, 590.0
_ROW, _HEAD, _FOOT = 26.0, 30.0, 38.0
_APART: Final = 4.0
"""By how much the mark of the float network stands above the middle of its row, and that of the bundle below it."""
_TICKS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_MEANING: Final = {
    "ferplus8": "eight expressions, labels by the votes of ten people",
    "ferplus7": "seven expressions, labels by the votes of ten people",
    "fer7": "seven expressions, original labels",
    "fer6": "six expressions, original labels",
    "fer5": "five expressions, original labels",
    "fer4": "four expressions, original labels",
}
"""Of each protocol (`cuelens_models.data.protocols`), in the order of the picture."""
_WHAT: Final = (
    "One axis for each protocol. Marked are the accuracy of the network in float with its 95 % interval, that of its "
    "int8 bundle, what its authors reported, and the share of the most frequent label."
)


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/models.json."""
    protocols = [name for name in _MEANING if name in figures["majority"]]
    rows = {
        name: [one for key in ("networks", "elsewhere") for one in figures[key] if one["protocol"] == name]
        for name in protocols
    }
    height = 100 + sum(_HEAD + _ROW * len(some) + _FOOT for some in rows.values())
    canvas = Canvas(WIDTH, height, "Accuracy of each network, under its own protocol", _WHAT)
    legend(
        canvas,
        18,
        62,
        (
            ("float, 95 % interval", "round", "blue", False),
            ("int8", "diamond", "vermilion", True),
            ("reported by its authors", "cross", "violet", True),
        ),
    )
    canvas.line(((530, 52), (530, 64)), "dashed l-grey")
    canvas.say("the most frequent label", 540, 62, size=NOTES)
    top = 84.0
    for name in protocols:
        top = _protocol(canvas, top, name, rows[name], figures["majority"][name])
    if any(not one["whole_training"] for one in figures["networks"]):
        canvas.say("* trained for fewer epochs than its authors did", 18, height - 16, size=NOTES, tone="faint")
    return canvas.svg()


def _protocol(canvas: Canvas, top: float, name: str, rows: list[dict[str, Any]], majority: float) -> float:
    """Draw one axis with its networks. Returns where the next may begin."""
    canvas.say(f"{name}: {_MEANING[name]}", 18, top + 14)
    canvas.say("multiply-adds", WIDTH - 18, top + 14, "end", size=NOTES, tone="faint")
    top += _HEAD
    bottom = top + _ROW * len(rows)
    axes = Axes(canvas, Scale(_TICKS[0], _TICKS[-1], _LEFT, _RIGHT), Scale(0, 1, bottom, top))
    for tick in _TICKS:
        x = axes.x(tick)
        canvas.line(((x, top), (x, bottom)), "grid l-faint")
        canvas.say(percent(tick), x, bottom + 15, "middle", size=NOTES, tone="faint")
    canvas.line(((axes.x(majority), top), (axes.x(majority), bottom)), "dashed l-grey", f"majority {majority:.1%}")
    for number, one in enumerate(rows):
        _network(axes, 1 - (number + 0.5) / len(rows), one)
    return bottom + _FOOT


def _network(axes: Axes, y: float, one: dict[str, Any]) -> None:
    """Draw the marks of a network in its row."""
    name, base = one["name"], axes.y(y) + 4
    axes.canvas.say(name + ("" if one.get("whole_training", True) else "*"), _LEFT - 12, base, "end")
    axes.canvas.say(f"{one['multiply_adds'] / 1e6:.0f} M", WIDTH - 18, base, "end", size=NOTES)
    if (reported := one["published"]) is not None:
        axes.mark(reported, y, "cross", "violet", f"{name}, reported: {reported:.1%}")
    if "accuracy" not in one:
        return
    above = y + _APART / (axes.y.first - axes.y.last)
    axes.spread_x(*one["interval"], above, "blue")
    axes.mark(one["accuracy"], above, "round", "blue", f"{name}, float: {one['accuracy']:.1%}")
    if one["int8"] is not None:
        x, at = axes.at(one["int8"], y)
        axes.canvas.mark(x, at + _APART, "diamond", "vermilion", f"{name}, int8: {one['int8']:.1%}", hollow=True)

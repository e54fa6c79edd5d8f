"""Latency by stage: measured on the machine that drew the figures, and estimated for the smallest board."""

from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale
from benchmarks.plots.canvas import NOTES, Canvas, legend

_LEFT, _RIGHT, _ROW = 190.0, 690.0, 30.0
_TICKS: Final = (0.01, 0.1, 1, 10, 100)
_PROMISED_MS: Final = 50.0
"""Frame to decision, p95 (`cuelens bench`)."""
_KINDS: Final = {
    "a face followed and read": ("round", "blue", False),
    "a face followed only": ("triangle", "violet", False),
    "nobody followed": ("square", "vermilion", True),
}
_MODEL: Final = {
    "cascade and looks, mean": "cascade and looks, mean",
    "invoke, one face": "invoke, one face",
    "all else, mean": "all else, mean",
    "frame to decision, mean": "whole beat, mean",
    "frame to decision, p95": "whole beat, p95",
}
"""The beginnings of keys of docs/boards/model-of-a53.json, and what is written for each."""
_LEAST_MS: Final = 0.002
"""A stage that took less did not happen."""
_WHAT: Final = (
    "Logarithmic milliseconds. Above, processor time of each stage of a beat on one x86-64 core: a mark at the median "
    "and a line to the 95th percentile, for beats with and without a face. Below, the estimate for a Cortex-A53 at "
    "1 GHz, from optimistic to pessimistic. The promise for a whole beat is 50 milliseconds."
)


def draw(figures: dict[str, Any], model: dict[str, tuple[float, float, float]]) -> str:
    """Return the picture of docs/results/beat.json and docs/boards/model-of-a53.json."""
    kinds = [kind for kind in _KINDS if kind in figures["kinds"]]
    stages = [*figures["kinds"][kinds[0]]["stages"], "whole beat"]
    middle = 124 + _ROW * len(stages)
    bottom = middle + 46 + _ROW * len(_MODEL)
    canvas = Canvas(720, bottom + 56, "From a frame to a decision, by stage", _WHAT)
    axes = Axes(canvas, Scale(_TICKS[0], _TICKS[-1], _LEFT, _RIGHT, log=True), Scale(0, 1, bottom, 110))
    legend(canvas, 18, 66, [(kind, *_KINDS[kind]) for kind in kinds])
    axes.ticks_x(_TICKS, "milliseconds")
    axes.line(((_PROMISED_MS, 0), (_PROMISED_MS, 1)), "dashed l-green", "promised: 50 ms")
    canvas.say("promised", axes.x(_PROMISED_MS) - 6, 98, "end", size=NOTES, tone="green")
    canvas.say("one x86-64 core, measured: median to 95th percentile", 18, 98, tone="faint")
    for number, stage in enumerate(stages):
        y = 124 + _ROW * number
        canvas.say(stage, _LEFT - 12, y + 4, "end")
        for place, kind in enumerate(kinds):
            of = figures["kinds"][kind]
            _stage(axes, y + 8 * (place - (len(kinds) - 1) / 2), kind, stage, of["stages"].get(stage, of["whole"]))
    canvas.say("Cortex-A53 at 1 GHz, an estimate: optimistic to pessimistic", 18, middle + 12, tone="faint")
    for number, (key, words) in enumerate(_MODEL.items()):
        _, least, most = next(figure for name, figure in model.items() if name.startswith(key))
        y = middle + 40 + _ROW * number
        canvas.say(words, _LEFT - 12, y + 4, "end")
        canvas.box(axes.x(least), y - 6, axes.x(most) - axes.x(least), 12, "f-orange", f"{least:.1f} to {most:.1f} ms")
        canvas.say(f"{least:.0f} to {most:.0f}", axes.x(least) - 8, y + 4, "end", size=NOTES, tone="orange")
    return canvas.svg()


def _stage(axes: Axes, y: float, kind: str, stage: str, times: dict[str, float]) -> None:
    """Draw the times of a stage: its median, and a line to its 95th percentile."""
    if times["p95"] < _LEAST_MS:
        return
    shape, colour, hollow = _KINDS[kind]
    left, right = axes.x(times["p50"]), axes.x(times["p95"])
    axes.canvas.line(((left, y), (right, y)), f"l-{colour}")
    hint = f"{stage}, {kind}: p50 {times['p50']:.2f} ms, p95 {times['p95']:.2f} ms"
    axes.canvas.mark(left, y, shape, colour, hint, hollow=hollow)

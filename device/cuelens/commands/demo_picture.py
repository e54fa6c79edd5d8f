"""The picture of a demo session: probabilities, expressions, lights and cues over time, above frames tied to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle

from cuelens import events
from cuelens.frame import Grey
from cuelens.light.cue_lights import light_pattern
from cuelens.light.patterns import moment
from cuelens.profile.cue_book import LightCue
from cuelens.profile.wording import looks
from cuelens.runtime.pipeline import Decision
from cuelens.story.colours import COLOURS
from cuelens_models.bundle.expressions import UNSURE

Snapshot = tuple[float, Grey, Decision]

_OTHER: Final = "#8c8c8c"
"""Colour of words that are no expression, as in school mode."""
_DARK: Final = "#303438"
"""Behind the lights, which are seen best in the dark."""
_STRIP: Final = 6
"""Frames in the strip."""
_LIGHT_ROW: Final = (1.15, 1.75)
"""Bottom and top of the lane of lights, above the band of settled expressions."""
_CUE_ROWS: Final = (2.1, 2.6)
"""Heights of cues, above the lights: an expression may follow a greeting at once."""
_MARK: Final = 0.014
_LETTER: Final = 0.0055
"""Width of a cue's mark and of a letter, as shares of the picture's."""
_SHOWN_FROM: Final = 0.05
"""Labels that never reach this probability are not drawn."""
_MEAN_S: Final = 0.5
"""Readings of so many seconds are averaged for a line; each is a dot. After a longer gap a new line begins."""
_FRAMES_A_SECOND: Final = 50
"""Of lights: their levels are taken so often."""


def draw(
    stream: Sequence[events.Event], snapshots: Sequence[Snapshot], output: Path, lights: Mapping[str, LightCue]
) -> None:
    """Draw the session as one PNG.

    Args:
        stream: the events.
        snapshots: frames with their decisions, in the order of time.
        output: the file.
        lights: the light of each word that has one.
    """
    end = max((getattr(event, "t", 0.0) for event in stream), default=1.0) or 1.0
    figure = Figure(figsize=(14, 8.4), layout="constrained")
    rows: Any = figure.subfigures(2, 1, height_ratios=(2.3, 1))
    readings, bands = rows[0].subplots(2, 1, sharex=True, height_ratios=(1.9, 1.3))
    figure.suptitle("cuelens demo: what each face looked like, and the cues that were given", fontsize=14)
    _draw_readings(readings, stream)
    _draw_bands(bands, stream, end, lights)
    bands.set_xlim(0, end)
    columns = rows[1].subplots(1, _STRIP)
    for axes, t in zip(columns, _draw_strip(columns, snapshots), strict=False):
        _tie(figure, bands, axes, t)
    figure.savefig(output, dpi=100, format="png")


def _draw_readings(axes: Any, stream: Sequence[events.Event]) -> None:
    """Draw the model's probabilities; none in school mode, which names no feelings."""
    readings = [event for event in stream if isinstance(event, events.Reading)]
    if any(isinstance(event, events.Start) and event.school for event in stream):
        axes.text(0.5, 0.5, "at a school no feelings are named", transform=axes.transAxes, ha="center", va="center")
        return
    for label in readings[0].scores if readings else ():
        if max((reading.scores[label] for reading in readings), default=0.0) < _SHOWN_FROM:
            continue
        tracks = sorted({reading.track for reading in readings})
        for track in tracks:
            points = [(reading.t, reading.scores[label]) for reading in readings if reading.track == track]
            times, scores = zip(*points, strict=True)
            colour = COLOURS[label]
            axes.plot(times, scores, ".", color=colour, markersize=3, alpha=0.35)
            line = _means(times, scores)
            axes.plot(*line, color=colour, linewidth=1.6, label=label if track == tracks[0] else None)
    axes.set_ylabel("model's probability\n(dots; mean of half a second)")
    axes.set_ylim(-0.03, 1.03)
    axes.grid(alpha=0.3)
    if readings:
        axes.legend(loc="upper center", ncols=9, fontsize=9, bbox_to_anchor=(0.5, 1.16), frameon=False)


def _means(times: Sequence[float], scores: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return a line through the means of the readings of the last half second, however many there were.

    It is broken where there was no reading for longer.
    """
    means: tuple[list[float], list[float]] = [], []
    first = 0
    for place, t in enumerate(times):
        if place and t - times[place - 1] > _MEAN_S:
            means[0].append(t)
            means[1].append(float("nan"))
        while t - times[first] > _MEAN_S:
            first += 1
        means[0].append(t)
        means[1].append(sum(scores[first : place + 1]) / (place + 1 - first))
    return means


def _draw_bands(axes: Any, stream: Sequence[events.Event], end: float, lights: Mapping[str, LightCue]) -> None:
    """Draw a band for the settled expressions, the lights, and a mark for each cue."""
    open_since: dict[int, tuple[float, str]] = {}
    for event in stream:
        if isinstance(event, events.Expression | events.FaceLost):
            if event.track in open_since:
                _band(axes, *open_since.pop(event.track), event.t, end)
            if isinstance(event, events.Expression):
                open_since[event.track] = (event.t, event.expression)
    for t, expression in open_since.values():
        _band(axes, t, expression, end, end)
    cues = [event for event in stream if isinstance(event, events.CueGiven)]
    _draw_lights(axes, cues, end, lights)
    _draw_cues(axes, cues, end)
    axes.set_yticks([0.5, sum(_LIGHT_ROW) / 2, _CUE_ROWS[0]], ["settled", "light", "cue"])
    axes.set_ylim(0, 3.0)
    axes.grid(alpha=0.3, axis="x")
    axes.text(1, -0.17, "seconds", transform=axes.transAxes, ha="right", va="top")


def _draw_cues(axes: Any, cues: Sequence[events.CueGiven], end: float) -> None:
    """Draw a mark and the words of each cue, over its light."""
    free_t = [0.0] * len(_CUE_ROWS)
    for cue in cues:
        word = looks(cue.word)
        # The first row in which the last word has ended; if none has, the one that is free first.
        row = next((row for row, t in enumerate(free_t) if t <= cue.t), free_t.index(min(free_t)))
        free_t[row] = cue.t + end * (_MARK + _LETTER * len(word))
        axes.plot((cue.t, cue.t), (_LIGHT_ROW[1], _CUE_ROWS[row]), color=_OTHER, linewidth=0.8)
        axes.plot(cue.t, _CUE_ROWS[row], marker="v", markersize=9, color=COLOURS.get(cue.word, "black"))
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        place = (cue.t, _CUE_ROWS[row])
        axes.annotate(word, place, (6, -3), textcoords="offset points", fontsize=9, bbox=ground, zorder=3)


def _draw_lights(axes: Any, cues: Sequence[events.CueGiven], end: float, lights: Mapping[str, LightCue]) -> None:
    """Draw the colour of each cue's light, as high as its level, until it ends or the next one replaces it."""
    bottom, top = _LIGHT_ROW
    axes.add_patch(Rectangle((0, bottom), end, top - bottom, color=_DARK))
    lit = [(cue.t, lights[cue.word]) for cue in cues if cue.word in lights]
    begins = [t for t, _ in lit]
    for (begin, light), last in zip(lit, [*begins[1:], end], strict=False):
        times = np.arange(begin, last, 1 / _FRAMES_A_SECOND)
        levels = np.array([moment(light_pattern(light, 100), t - begin).level for t in times])
        heights = bottom + (top - bottom) * levels
        axes.fill_between(times, bottom, heights, where=levels > 0, color=to_rgba(light.colour), linewidth=0)
    if lit and not any("light" in cue.outputs for cue in cues):
        words = "no light is fitted here: these are the ones that the glasses show"
        axes.text(0.995 * end, (bottom + top) / 2, words, color="white", fontsize=8, ha="right", va="center")


def _band(axes: Any, begin: float, expression: str, last: float, end: float) -> None:
    """Draw a settled expression with its words, on two lines if they need less room so, or without if there is none."""
    hatch = "////" if expression == UNSURE else None
    colour = COLOURS.get(expression, _OTHER)
    axes.add_patch(
        Rectangle((begin, 0.1), last - begin, 0.8, facecolor=colour, edgecolor="white", linewidth=0, hatch=hatch)
    )
    words = looks(expression)
    for text in (words, words.replace(" ", "\n")):
        if last - begin > end * _LETTER * max(map(len, text.split("\n"))):
            axes.text((begin + last) / 2, 0.5, text, ha="center", va="center", fontsize=9, linespacing=0.9)
            return


def _draw_strip(columns: Any, snapshots: Sequence[Snapshot]) -> list[float]:
    """Draw some frames, and below each its time, its faces and its cue. Returns their times."""
    selected = _select(snapshots)
    for axes in columns[len(selected) :]:
        axes.set_axis_off()
    for axes, (t, grey, decision) in zip(columns, selected, strict=False):
        axes.imshow(grey, cmap="gray", vmin=0, vmax=255)
        words = "no face"
        for face in decision.faces:
            x, y, width, height = face.box
            word = decision.words[face.track]
            colour = COLOURS.get(word, _OTHER)
            axes.add_patch(Rectangle((x, y), width, height, fill=False, color=colour, linewidth=2.5))
            words = f"face {face.track} {looks(word)}"
        if decision.cue:
            words += "\ncue: " + looks(decision.cue.word)
        axes.set(xticks=[], yticks=[], anchor="N")
        axes.spines[:].set_visible(False)
        axes.set_xlabel(f"{t:.1f} s\n{words}", fontsize=9)
    return [t for t, _, _ in selected]


def _tie(figure: Figure, bands: Any, axes: Any, t: float) -> None:
    """Draw a line from a time on the axis to the frame of that time."""
    line = ConnectionPatch(
        (t, 0), (0.5, 1), coordsA=bands.get_xaxis_transform(), coordsB=axes.transAxes, color=_OTHER, linewidth=1.0
    )
    line.set_in_layout(False)
    figure.add_artist(line)
    bands.plot(t, 0, marker="^", markersize=7, color=_OTHER, transform=bands.get_xaxis_transform(), clip_on=False)


def _select(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Select the frames of cues, and fill the strip up with frames spread evenly over the session."""
    strip = [snapshot for snapshot in snapshots if snapshot[2].cue][:_STRIP]
    others = [snapshot for snapshot in snapshots if not snapshot[2].cue]
    room = min(_STRIP - len(strip), len(others))
    strip += [others[(2 * place + 1) * len(others) // (2 * room)] for place in range(room)]
    return sorted(strip, key=lambda snapshot: snapshot[0])

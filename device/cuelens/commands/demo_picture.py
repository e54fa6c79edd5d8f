"""The picture of a demo session: probabilities, expressions and cues over time, above a strip of annotated frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cuelens import events
from cuelens.frame import Grey
from cuelens.profile.wording import looks
from cuelens.runtime.pipeline import Decision
from cuelens.story.colours import COLOURS

Snapshot = tuple[float, Grey, Decision]

_OTHER: Final = "#8c8c8c"
"""Colour of words that are no expression, as in school mode."""
_STRIP: Final = 6
"""Frames in the strip."""
_CUE_ROWS: Final = (1.3, 1.8)
"""Heights of cues, above the band of settled expressions: an expression may follow a greeting at once."""
_MARK: Final = 0.014
_LETTER: Final = 0.0055
"""Width of a cue's mark and of a letter, as shares of the picture's."""
_SHOWN_FROM: Final = 0.05
"""Labels that never reach this probability are not drawn."""


def draw(stream: Sequence[events.Event], snapshots: Sequence[Snapshot], output: Path) -> None:
    """Draw the session as one PNG."""
    end = max((getattr(event, "t", 0.0) for event in stream), default=1.0) or 1.0
    figure = Figure(figsize=(14, 7.4), layout="constrained")
    rows: Any = figure.subfigures(2, 1, height_ratios=(1.9, 1))
    readings, bands = rows[0].subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    figure.suptitle("cuelens demo: what each face looked like, and the cues that were given", fontsize=14)
    _draw_readings(readings, stream)
    _draw_bands(bands, stream, end)
    bands.set_xlim(0, end)
    _draw_strip(rows[1].subplots(1, _STRIP), snapshots)
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
            own = [reading for reading in readings if reading.track == track]
            axes.plot(
                [reading.t for reading in own],
                [reading.scores[label] for reading in own],
                color=COLOURS[label],
                linewidth=1.3,
                label=label if track == tracks[0] else None,
            )
    axes.set_ylabel("model's probability")
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.3)
    if readings:
        axes.legend(loc="upper center", ncols=9, fontsize=9, bbox_to_anchor=(0.5, 1.16), frameon=False)


def _draw_bands(axes: Any, stream: Sequence[events.Event], end: float) -> None:
    """Draw a band for the settled expressions, and a mark for each cue."""
    open_since: dict[int, tuple[float, str]] = {}
    free_t = [0.0] * len(_CUE_ROWS)
    for event in stream:
        if isinstance(event, events.Expression | events.FaceLost):
            if event.track in open_since:
                _band(axes, *open_since.pop(event.track), event.t)
            if isinstance(event, events.Expression):
                open_since[event.track] = (event.t, event.expression)
        elif isinstance(event, events.CueGiven):
            word = looks(event.word)
            colour = COLOURS.get(event.word, "black")
            # The first row in which the last word has ended; if none has, the one that is free first.
            row = next((row for row, t in enumerate(free_t) if t <= event.t), free_t.index(min(free_t)))
            free_t[row] = event.t + end * (_MARK + _LETTER * len(word))
            axes.plot(event.t, _CUE_ROWS[row], marker="v", markersize=9, color=colour)
            axes.annotate(word, (event.t, _CUE_ROWS[row]), (6, -3), textcoords="offset points", fontsize=9)
    for t, expression in open_since.values():
        _band(axes, t, expression, end)
    axes.set_yticks([0.5, _CUE_ROWS[0]], ["settled", "cue"])
    axes.set_ylim(0, 2.15)
    axes.set_xlabel("seconds")
    axes.grid(alpha=0.3, axis="x")


def _band(axes: Any, begin: float, expression: str, end: float) -> None:
    axes.add_patch(Rectangle((begin, 0.1), end - begin, 0.8, color=COLOURS.get(expression, _OTHER)))
    if end - begin > 1.2:
        axes.text((begin + end) / 2, 0.5, looks(expression), ha="center", va="center", fontsize=9)


def _draw_strip(columns: Any, snapshots: Sequence[Snapshot]) -> None:
    for axes in columns:
        axes.set_axis_off()
    for axes, (t, grey, decision) in zip(columns, _select(snapshots), strict=False):
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
        axes.set_title(f"{t:.1f} s\n{words}", fontsize=9)


def _select(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Select the frames of cues, and fill the strip up with frames spread evenly over the session."""
    strip = [snapshot for snapshot in snapshots if snapshot[2].cue][:_STRIP]
    others = [snapshot for snapshot in snapshots if not snapshot[2].cue]
    room = min(_STRIP - len(strip), len(others))
    strip += [others[(2 * place + 1) * len(others) // (2 * room)] for place in range(room)]
    return sorted(strip, key=lambda snapshot: snapshot[0])

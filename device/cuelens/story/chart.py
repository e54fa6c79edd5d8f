"""A day of the story as one chart: a bar for each session, a mark for each cue, and the fading curve.

The chart needs the story's words and times only. Matplotlib is imported on use: the glasses do not have it.
"""

import io
import math
from collections.abc import Sequence
from typing import Any, Final

from cuelens.cues.fading import FadingRule, at, faded
from cuelens.profile.wording import looks
from cuelens.story import prose
from cuelens.story.store import Session
from cuelens_models import command

_BAR: Final = "#eef0f2"
_EDGE: Final = "#9aa3ab"
_MARKERS: Final = {
    "happy": "o",
    "surprise": "^",
    "sad": "v",
    "angry": "s",
    "disgust": "D",
    "fear": "P",
    "contempt": "X",
    "neutral": "h",
    "unsure": "o",
    "smile": "p",
    "frown": "<",
    "face": "|",
    "nobody": "_",
    "guess": "*",
}
"""Each word has its own marker, so colour-blind readers can tell them apart."""
_LIKE: Final = {"smile": "happy", "frown": "angry"}
_OTHER_MARKER: Final = "d"
_DARK: Final = "#555555"
_SPANS: Final = (("mute", "muted", "#b8c4d0", "////"), ("pause", "paused", "#d9cdb8", "...."))
_ROW_IN: Final = 0.62
"""Height of a session's row, in inches."""
_LANE: Final = 0.2
"""Offset of the marks from the middle of a session's bar, in rows."""
_STEPS_MIN: Final = (1, 2, 5, 10, 15, 30)
_MOST_STEPS: Final = 8
"""Steps of the time axis, in minutes, and how many of them there are at most."""
_ROOM: Final = 1.22
"""Length of the time axis, of which the longest bar is 1: its words stand behind it."""


def draw(day: str, sessions: Sequence[Session], rule: FadingRule, first: tuple[bool, ...]) -> bytes:
    """Draw the sessions of a day under each other, over the minutes since each began; return a PNG.

    Sessions in which nothing happened are counted, and not drawn.

    Raises MissingExtra if matplotlib is not installed.

    Args:
        day: the day, as YYYY-MM-DD or `unknown`.
        sessions: the sessions of that day, with their entries.
        rule: the fading curve.
        first: the wearer's recent questions in explore: whether the press came before the answer.
    """
    figure = figure_of(day, sessions, rule, first)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    png = io.BytesIO()
    FigureCanvasAgg(figure).print_png(png)  # type: ignore[no-untyped-call]
    return png.getvalue()


def figure_of(day: str, sessions: Sequence[Session], rule: FadingRule, first: tuple[bool, ...]) -> Any:
    """Return the figure of `draw`. Raises MissingExtra if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise command.require("matplotlib", "demo") from error
    drawn = [session for session in sessions if _happened(session)]
    figure = Figure(figsize=(12, 2.6 + _ROW_IN * max(len(drawn), 2)), dpi=100, layout="constrained")
    axes, curve = figure.subplots(1, 2, width_ratios=(4, 1))
    _draw_fading(curve, rule, first)
    for row, session in enumerate(drawn):
        _draw_session(axes, row, session)
    if not drawn:
        axes.text(0.5, 0.5, "nothing happened in any session", transform=axes.transAxes, ha="center", va="center")
    _draw_minutes(axes, max((session.seconds for session in drawn), default=0.0) / 60)
    axes.set_ylim(max(len(drawn), 1) - 0.45, -0.55)
    axes.set_yticks(range(len(drawn)), [prose.label(session) for session in drawn])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(_since([session for session in sessions if not _happened(session)]))
    axes.set_title("in each bar above: told unasked; below: answered when asked", loc="left", fontsize=9, color=_DARK)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(f"{prose.title(day)}: what the glasses told", fontsize=14)
    _legend(figure, drawn)
    return figure


def _happened(session: Session) -> bool:
    """Whether anything was told or pressed, or a face was in view."""
    return any(entry.kind != "in view" or entry.word != "0" for entry in session.entries)


def _since(hidden: Sequence[Session]) -> str:
    """Return the name of the time axis, and what is not drawn above it."""
    name = "since the session began"
    if not hidden:
        return name
    whole = prose.length(sum(session.seconds for session in hidden))
    return f"{name}\nnot drawn: {prose.count(len(hidden), 'session')} in which nothing happened, {whole} in all"


def _draw_minutes(axes: Any, longest: float) -> None:
    """Draw the time axis in whole minutes. longest: of the bars, in minutes."""
    longest = max(longest, 1.0)
    step = next((step for step in _STEPS_MIN if longest / step <= _MOST_STEPS), 60)
    axes.set_xlim(0, _ROOM * longest)
    ticks = range(0, math.floor(longest) + 1, step)
    axes.set_xticks(ticks, [f"{tick} min" for tick in ticks])


def _draw_session(axes: Any, row: int, session: Session) -> None:
    """Draw one session: unasked cues in the upper half, answers in the lower half."""
    axes.barh(row, session.seconds / 60, height=0.8, color=_BAR, edgecolor=_EDGE, linewidth=0.8)
    for kind, _, colour, hatch in _SPANS:
        for begin, end in prose.spans(session, kind):
            axes.barh(
                row,
                (end - begin) / 60,
                left=begin / 60,
                height=0.8,
                color=colour,
                edgecolor="white",
                hatch=hatch,
                linewidth=0,
            )
    for entry in session.entries:
        if entry.kind == "cue":
            y = row + (_LANE if entry.detail == "answer" else -_LANE)
            axes.plot(entry.t / 60, y, **_look(entry.word), linestyle="none")
    axes.annotate(_lasted(session), (session.seconds / 60, row), (7, 0), textcoords="offset points", va="center")


def _lasted(session: Session) -> str:
    """Return how long a session was, and for how long of it a face was in view, if that is known."""
    in_view = [int(entry.word) for entry in session.entries if entry.kind == "in view" and entry.word.isdecimal()]
    face = f"\na face: {prose.length(sum(in_view))}" if in_view else ""
    return prose.length(session.seconds) + face


def _draw_fading(axes: Any, rule: FadingRule, first: tuple[bool, ...]) -> None:
    """Draw the delay and frequency of cues over the share of answers that came first, and mark the wearer's point."""
    now, levels = faded(first, rule), [count / rule.answers for count in range(rule.answers + 1)]
    curve = [at(level, rule) for level in levels]
    axes.plot(levels, [point.delay_s for point in curve], color=_EDGE)
    for before, point in zip([None, *curve], curve, strict=False):
        if before is None or before.every != point.every:
            frequency = "every one" if point.every == 1 else f"one in {point.every}"
            place = (point.level, point.delay_s)
            axes.annotate(frequency, place, (5, -9), textcoords="offset points", fontsize=8)
    axes.plot(now.level, now.delay_s, marker="o", markersize=9, color="#0072b2")
    axes.set_title("fading, and where it stands" if rule.on else "fading is off", loc="left", fontsize=9, color=_DARK)
    axes.set_xlabel(f"of the last {rule.answers} guesses,\nanswered first")
    axes.set_ylabel("cues come later by (s)")
    axes.set_xlim(-0.05, 1.4)
    axes.set_xticks([0, 0.5, 1], ["none", "half", "all"])
    axes.set_ylim(-0.2 * max(rule.latest_s, 1), 1.2 * max(rule.latest_s, 1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _look(word: str) -> dict[str, Any]:
    """Return a word's marker style: "find happy" is a hollow "happy"; words that name no expression are dark."""
    from cuelens.story.colours import COLOURS

    name = word.removeprefix("find ")
    marker, colour = _MARKERS.get(name, _OTHER_MARKER), COLOURS.get(_LIKE.get(name, name), _DARK)
    if name != word:
        return {"marker": marker, "markersize": 8, "markerfacecolor": "white", "markeredgecolor": colour}
    return {"marker": marker, "markersize": 8, "color": colour, "markeredgecolor": _DARK, "markeredgewidth": 0.7}


def _legend(figure: Any, sessions: Sequence[Session]) -> None:
    """Draw a legend of the words and spans that occur."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    words = {entry.word for session in sessions for entry in session.entries if entry.kind == "cue"}
    ordered = [word for word in _MARKERS if word in words] + sorted(words - set(_MARKERS))
    entries: list[Any] = [Line2D([], [], linestyle="none", label=looks(word), **_look(word)) for word in ordered]
    for kind, span, colour, hatch in _SPANS:
        if any(prose.spans(session, kind) for session in sessions):
            entries.append(Patch(facecolor=colour, edgecolor="white", hatch=hatch, label=span))
    if entries:
        figure.legend(handles=entries, loc="outside lower center", ncols=7, frameon=False, fontsize=9)

"""The last day as a picture: a bar over minutes for each session, as SVG. Pure."""

import math
from dataclasses import dataclass
from html import escape
from typing import Final

from cuelens.link.replies import Entry, StoredSession

WIDTH: Final = 320
HEIGHT: Final = 60
_MIDDLE: Final = 22
_PRESSES: Final = 34
"""Tops of the strokes of presses."""
_STEPS_MIN: Final = (1, 2, 5, 10, 15, 30, 60)
_MOST_STEPS: Final = 5
"""Steps of the minutes below a bar, and how many of them there are at most."""
_COLOURS: Final = {
    "happy": "#F0E442",
    "smile": "#F0E442",
    "surprise": "#56B4E9",
    "sad": "#0072B2",
    "angry": "#D55E00",
    "frown": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
}
"""Of the factory's lights."""
_CUES: Final = ("expression", "answer", "prompt")
_NO_FACE: Final = ("nobody", "face", "guess")


@dataclass(frozen=True, slots=True)
class Told:
    """A session in numbers.

    Attributes:
        began: time of day, "" if the clock was not set.
        minutes: its length, those that have begun. faces_minutes: with a face; None: unknown.
        cues: how many of each word. unsure: outcomes of "not sure". outcomes: of all looks at an expression.
        mutes: how often muted. presses: of the button. svg: the bar.
    """

    began: str
    minutes: int
    faces_minutes: int | None
    cues: dict[str, int]
    unsure: int
    outcomes: int
    mutes: int
    presses: int
    svg: str


def happened(session: StoredSession) -> bool:
    """Whether there is anything to tell: what was told, pressed or wished, or a face."""
    return bool(session.entries) or (session.faces_s or 0.0) >= 1.0


def tell(session: StoredSession, longest_s: float) -> Told:
    """Return a session in numbers and as a bar. longest_s: length of the bar that fills the width, in seconds."""
    cues: dict[str, int] = {}
    for entry in session.entries:
        if entry.kind == "cue" and entry.detail in _CUES and entry.word in _COLOURS:
            cues[entry.word] = cues.get(entry.word, 0) + 1
    outcomes = [
        entry.word
        for entry in session.entries
        if entry.kind == "unsure"
        or (entry.kind == "cue" and entry.detail in ("expression", "answer") and entry.word not in _NO_FACE)
    ]
    return Told(
        began=(session.began or "")[11:16],
        minutes=math.ceil(session.seconds / 60),
        faces_minutes=None if session.faces_s is None else math.ceil(session.faces_s / 60),
        cues=cues,
        unsure=outcomes.count("unsure"),
        outcomes=len(outcomes),
        mutes=sum((entry.kind, entry.word) == ("mute", "on") for entry in session.entries),
        presses=sum(entry.kind == "press" for entry in session.entries),
        svg=draw(session, longest_s),
    )


def draw(session: StoredSession, longest_s: float) -> str:
    """Return the bar of a session: its length and minutes, stretches without cues, and a dot for each cue."""
    scale = (WIDTH - 16) / max(longest_s, session.seconds, 1.0)
    end = 8 + session.seconds * scale
    parts = [
        f'<svg class="bar" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false">',
        f'<rect class="whole" x="8" y="{_MIDDLE - 3}" width="{max(2.0, end - 8):.1f}" height="6" rx="3"/>',
    ]
    parts += _minutes(session.seconds, max(longest_s, session.seconds), scale)
    for begin_s, end_s in muted(session):
        width = max(2.0, (end_s - begin_s) * scale)
        parts.append(
            f'<rect class="mute" x="{8 + begin_s * scale:.1f}" y="{_MIDDLE - 3}" width="{width:.1f}" height="6"/>'
        )
    for entry in session.entries:
        x = 8 + min(max(entry.t, 0.0), session.seconds) * scale
        if entry.kind == "press":
            parts.append(f'<rect class="press" x="{x - 1:.1f}" y="{_PRESSES}" width="2" height="8"/>')
        elif entry.kind == "cue" and entry.detail in _CUES:
            parts.append(_dot(x, entry))
    return "".join([*parts, "</svg>"])


def _minutes(seconds: float, longest_s: float, scale: float) -> list[str]:
    """Return the minutes below a bar, with a stroke up to it.

    Args:
        seconds: length of the session.
        longest_s: that of the longest bar, which chooses the step for all of them.
        scale: pixels of a second.
    """
    step = next((step for step in _STEPS_MIN if longest_s / 60 / step <= _MOST_STEPS), 2 * _STEPS_MIN[-1])
    parts = []
    for minute in range(step, math.floor(seconds / 60) + 1, step):
        x = 8 + 60 * minute * scale
        parts.append(f'<rect class="tick" x="{x - 0.5:.1f}" y="{_MIDDLE - 6}" width="1" height="12"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{minute}</text>')
    return parts


def muted(session: StoredSession) -> list[tuple[float, float]]:
    """Return the stretches in which the wearer wanted no cue, in seconds."""
    stretches = []
    for kind in ("mute", "pause"):
        begin_s: float | None = None
        for entry in session.entries:
            if entry.kind != kind:
                continue
            if entry.word == "on" and begin_s is None:
                begin_s = entry.t
            elif entry.word == "off" and begin_s is not None:
                stretches.append((begin_s, entry.t))
                begin_s = None
        if begin_s is not None:
            stretches.append((begin_s, max(session.seconds, begin_s)))
    return stretches


def _dot(x: float, entry: Entry) -> str:
    colour = _COLOURS.get(entry.word)
    if colour is None:
        # Not sure, or nobody there: a ring.
        return f'<circle class="ring" cx="{x:.1f}" cy="{_MIDDLE}" r="5"/>'
    return f'<circle class="dot" cx="{x:.1f}" cy="{_MIDDLE}" r="6" fill="{escape(colour)}"/>'

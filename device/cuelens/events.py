"""Everything that the glasses perceive and do, as one stream of events: the same objects for every reader.

`t` is frame time minus the first frame's, in seconds. Boxes are in pixels of the frame as it stands upright.
"""

from typing import Final

import msgspec

SCHEMA: Final = 2


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, forbid_unknown_fields=True):
    """What all events are."""


class Start(Event, frozen=True, kw_only=True, tag="start"):
    """A run begins. school: expressions are told as a face, a smile or a frown only."""

    schema: int = SCHEMA
    bundle: str
    source: str
    school: bool = False


class FaceSeen(Event, frozen=True, kw_only=True, tag="face"):
    """A face came into view."""

    t: float
    track: int
    box: tuple[int, int, int, int]


class FaceLost(Event, frozen=True, kw_only=True, tag="lost"):
    """A face went out of view."""

    t: float
    track: int


class Reading(Event, frozen=True, kw_only=True, tag="reading"):
    """What the model made of one crop."""

    t: float
    track: int
    scores: dict[str, float]


class Expression(Event, frozen=True, kw_only=True, tag="expression"):
    """What was settled on changed; `unsure` is one of the things it can be."""

    t: float
    track: int
    expression: str
    confidence: float


class CueGiven(Event, frozen=True, kw_only=True, tag="cue"):
    """A cue was asked for. kind: face, expression, answer or prompt. track: None if it is about no face.

    word: what was told, an expression or one of `cuelens.profile.wording`'s other words.
    latency_ms: real time from exposure (files: from hand-over) to that moment.
    """

    t: float
    kind: str
    track: int | None
    word: str
    outputs: tuple[str, ...]
    latency_ms: float


class Press(Event, frozen=True, kw_only=True, tag="press"):
    """The wearer used the button. gesture: ask, pause, mute or calibrate; again, if it began a new session."""

    t: float
    gesture: str


class Mute(Event, frozen=True, kw_only=True, tag="mute"):
    """Cues that nobody asked for were silenced, or allowed again."""

    t: float
    on: bool


class Pause(Event, frozen=True, kw_only=True, tag="pause"):
    """The camera was put out, or is on again."""

    t: float
    on: bool


class Mode(Event, frozen=True, kw_only=True, tag="mode"):
    """From now on the glasses do this: companion, explore, smile, quiet."""

    t: float
    mode: str


class Session(Event, frozen=True, kw_only=True, tag="session"):
    """A session began or ended. why: it ended: time (it was over), stopped, or camera lost; else empty."""

    t: float
    state: str
    why: str = ""


class Fault(Event, frozen=True, kw_only=True, tag="fault"):
    """Something does not work, and what is done about it."""

    t: float
    fault: str
    detail: str


class State(Event, frozen=True, kw_only=True, tag="state"):
    """How the run goes. state: running, too dark, covered, no camera... frame_age_ms_p95: None if not live."""

    t: float
    state: str
    camera_fps: float
    beat_fps: float
    dropped: int
    frame_age_ms_p95: float | None


class Shown(Event, frozen=True, kw_only=True, tag="shown"):
    """What a face shows from now on, in streams whose truth is known. The glasses never write it."""

    t: float
    track: int
    expression: str


AnyEvent = (
    Start
    | FaceSeen
    | FaceLost
    | Reading
    | Expression
    | CueGiven
    | Press
    | Mute
    | Pause
    | Mode
    | Session
    | Fault
    | State
    | Shown
)

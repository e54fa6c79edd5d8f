"""Events: all that the glasses perceive and do, as one stream. Every reader gets the same objects.

`t` is frame time since the first frame, in seconds. Boxes are in pixels of the upright frame.
"""

from typing import Final

import msgspec

SCHEMA: Final = 2


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, forbid_unknown_fields=True):
    """The base class of events."""


class Start(Event, frozen=True, kw_only=True, tag="start"):
    """A run begins. school: expressions are named as a face, a smile or a frown only."""

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
    """The model's result for one crop. scores: probabilities by label."""

    t: float
    track: int
    scores: dict[str, float]


class Expression(Event, frozen=True, kw_only=True, tag="expression"):
    """The settled expression of a face changed. `unsure` is one of its values."""

    t: float
    track: int
    expression: str
    confidence: float


class CueGiven(Event, frozen=True, kw_only=True, tag="cue"):
    """A cue was sent to the outputs.

    Attributes:
        kind: face, expression, answer, prompt or try.
        track: the face that it is about; None if it is about none.
        word: an expression, or another word of `cuelens.profile.wording`.
        outputs: those that give it: light, voice, console.
        latency_ms: real time from exposure (files: from hand-over) to this event.
    """

    t: float
    kind: str
    track: int | None
    word: str
    outputs: tuple[str, ...]
    latency_ms: float


class Press(Event, frozen=True, kw_only=True, tag="press"):
    """The wearer used the button. gesture: ask, pause, mute, unmute, calibrate, or again (a new session)."""

    t: float
    gesture: str


class Mute(Event, frozen=True, kw_only=True, tag="mute"):
    """Unasked cues were muted, or allowed again."""

    t: float
    on: bool


class Pause(Event, frozen=True, kw_only=True, tag="pause"):
    """The camera was turned off, or on again."""

    t: float
    on: bool


class Mode(Event, frozen=True, kw_only=True, tag="mode"):
    """The mode from now on: companion, explore, smile, quiet."""

    t: float
    mode: str


class Calibration(Event, frozen=True, kw_only=True, tag="calibration"):
    """The caregiver's calibration began or ended. Meanwhile there is no session."""

    t: float
    on: bool


class Session(Event, frozen=True, kw_only=True, tag="session"):
    """A session began or ended. why: of the end: time (it was over), stopped, calibration, camera lost; else empty."""

    t: float
    state: str
    why: str = ""


class Fault(Event, frozen=True, kw_only=True, tag="fault"):
    """Something does not work. fault: its name. detail: a sentence, with what is done about it."""

    t: float
    fault: str
    detail: str


class State(Event, frozen=True, kw_only=True, tag="state"):
    """Statistics of the run. state: running, too dark, covered, no camera... frame_age_ms_p95: None if not live."""

    t: float
    state: str
    camera_fps: float
    beat_fps: float
    dropped: int
    frame_age_ms_p95: float | None


class Shown(Event, frozen=True, kw_only=True, tag="shown"):
    """Ground truth: what a face shows from now on, in labelled streams. The glasses never write it."""

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
    | Calibration
    | Session
    | Fault
    | State
    | Shown
)

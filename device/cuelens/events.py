"""Events: all that the glasses perceive and do, as one stream. Every reader gets the same objects.

docs/reference/events.md is made of these docstrings, by `make reference`.
"""

from typing import Annotated, Final

import msgspec

SCHEMA: Final = 2


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, forbid_unknown_fields=True):
    """The base class of events.

    Attributes:
        t: frame time since the first frame, in seconds.
        track: number of the face that it is about.
    """


class Start(Event, frozen=True, kw_only=True, tag="start"):
    """A run begins.

    Attributes:
        schema: version of the events' format.
        bundle: name, version and the first 12 digits of the checksum of the model in use.
        source: where frames come from: the name of a camera or a file.
        school: whether expressions are named as a face, a smile or a frown only.
    """

    schema: int = SCHEMA
    bundle: str
    source: str
    school: bool = False


class FaceSeen(Event, frozen=True, kw_only=True, tag="face"):
    """A face came into view.

    Attributes:
        box: left, top, width and height, in pixels of the upright frame.
    """

    t: float
    track: int
    box: tuple[int, int, int, int]


class FaceLost(Event, frozen=True, kw_only=True, tag="lost"):
    """A face went out of view."""

    t: float
    track: int


class Reading(Event, frozen=True, kw_only=True, tag="reading"):
    """The model's result for one crop.

    Attributes:
        scores: probability by label, 0 to 1, to four digits.
    """

    t: float
    track: int
    scores: dict[str, Annotated[float, msgspec.Meta(ge=0, le=1)]]


class Expression(Event, frozen=True, kw_only=True, tag="expression"):
    """The settled expression of a face changed.

    Attributes:
        expression: a label of the model, or unsure; at a school face, smile or frown.
        confidence: its smoothed probability, 0 to 1; of unsure, that of the most probable label.
    """

    t: float
    track: int
    expression: str
    confidence: float


class CueGiven(Event, frozen=True, kw_only=True, tag="cue"):
    """A cue was sent to the outputs.

    Attributes:
        kind: face (a greeting), expression, answer (to a press), prompt (of a game) or try (a caregiver's).
        track: number of the face that it is about; null if it is about none.
        word: what is told: an expression, or another word that the language has a phrase for.
        outputs: those that give it: light, voice, console.
        latency_ms: real time from exposure (files: from hand-over) to this event, in milliseconds.
    """

    t: float
    kind: str
    track: int | None
    word: str
    outputs: tuple[str, ...]
    latency_ms: float


class Press(Event, frozen=True, kw_only=True, tag="press"):
    """The wearer used the button.

    Attributes:
        t: frame time of the turn before it, in seconds.
        gesture: ask, pause, mute, unmute, calibrate, or again (a new session).
    """

    t: float
    gesture: str


class Mute(Event, frozen=True, kw_only=True, tag="mute"):
    """Unasked cues were muted, or allowed again.

    Attributes:
        on: whether they are muted.
    """

    t: float
    on: bool


class Pause(Event, frozen=True, kw_only=True, tag="pause"):
    """The camera was turned off, or on again.

    Attributes:
        on: whether it is off.
    """

    t: float
    on: bool


class Mode(Event, frozen=True, kw_only=True, tag="mode"):
    """The mode from now on.

    Attributes:
        mode: companion, explore, smile or quiet.
    """

    t: float
    mode: str


class Calibration(Event, frozen=True, kw_only=True, tag="calibration"):
    """The caregiver's calibration began or ended. Meanwhile there is no session.

    Attributes:
        on: whether it began.
    """

    t: float
    on: bool


class Session(Event, frozen=True, kw_only=True, tag="session"):
    """A session began or ended.

    Attributes:
        state: began or ended.
        why: of the end: time (it was over), stopped, calibration or camera lost. Empty at the beginning.
    """

    t: float
    state: str
    why: str = ""


class Fault(Event, frozen=True, kw_only=True, tag="fault"):
    """Something does not work.

    Attributes:
        fault: its name.
        detail: a sentence, with what is done about it.
    """

    t: float
    fault: str
    detail: str


class State(Event, frozen=True, kw_only=True, tag="state"):
    """Statistics of the run, every five seconds of frame time and at each change of the state.

    Attributes:
        state: running, too dark, covered, camera stalled, no camera, paused or resting.
        camera_fps: frames a second since the last of these events.
        beat_fps: beats a second since the last of these events.
        dropped: frames since the start that a newer one overwrote, or that were no pictures.
        frame_age_ms_p95: milliseconds from exposure to the end of the beat, 95th percentile of the last 256 beats; null
            where no frame has an age, with `--as-fast`.
    """

    t: float
    state: str
    camera_fps: float
    beat_fps: float
    dropped: int
    frame_age_ms_p95: float | None


class Shown(Event, frozen=True, kw_only=True, tag="shown"):
    """Ground truth: what a face shows from now on, in labelled streams. The glasses never write it.

    Attributes:
        expression: what it shows, a label.
    """

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

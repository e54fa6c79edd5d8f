"""Everything that the glasses perceive and do, as one stream of events: the same objects for every reader.

`t` is frame time minus the first frame's, in seconds. Boxes are in pixels of the frame as it stands upright.
"""

from typing import Final

import msgspec

SCHEMA: Final = 1


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, forbid_unknown_fields=True):
    """What all events are."""


class Start(Event, frozen=True, kw_only=True, tag="start"):
    """A run begins."""

    schema: int = SCHEMA
    bundle: str
    source: str


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
    """A cue was asked for. latency_ms: real time from exposure (files: from hand-over) to that moment."""

    t: float
    kind: str
    track: int
    expression: str | None
    outputs: tuple[str, ...]
    latency_ms: float


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


AnyEvent = Start | FaceSeen | FaceLost | Reading | Expression | CueGiven | Fault | State | Shown

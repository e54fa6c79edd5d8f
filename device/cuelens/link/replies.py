"""What running glasses answer (docs/link.md)."""

from typing import Literal

import msgspec

from cuelens.link.message import Message
from cuelens.link.requests import Shown
from cuelens_models.strict_struct import StrictStruct


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """It was done. text: a sentence about it."""

    text: str


class Refused(Message, frozen=True, kw_only=True, tag="refused"):
    """It was not done. text: a sentence: why, and what to do."""

    text: str


class Happening(StrictStruct, frozen=True, kw_only=True):
    """A cue or a press.

    Attributes:
        number: 1 for the first since the start, and so on.
        kind: press, or that of a cue: expression, face, answer, prompt, try.
        word: the gesture; the word of the cue.
        ago_s: seconds since.
    """

    number: int
    kind: str
    word: str
    ago_s: float


class Collected(StrictStruct, frozen=True, kw_only=True):
    """Readings collected of a face on request.

    Attributes:
        shown: the expression that is collected now; None if nothing is.
        seconds: collected so far, by expression.
        face: a face is in view.
    """

    shown: Shown | None
    seconds: dict[str, float]
    face: bool


class Glasses(Message, frozen=True, kw_only=True, tag="glasses"):
    """The state of the glasses.

    Attributes:
        title: version and name of the bundle.
        state: running, too dark, covered, no camera, camera stalled, paused, resting or starting.
        calibrating: a calibration is on. muted, paused: by the wearer's button.
        button: there is a working button. speaks: there is a voice. light: there is a light.
        temperature_c: of the board; None if it does not say. under_voltage: the same.
        strained: the board is too hot or too weakly supplied for the full rate: cues come later.
        profile: name of the active profile. refused: why a profile was refused last; "" if none was.
        warnings: what the wearer could not perceive, and recordings that cannot be played, as sentences.
        taken_back: what safe mode has taken back: settings, bundle, profile.
        faults: names of the faults that were reported since the start.
        faces: how many are in view.
        happenings: since the number that was asked for, the last 50 at most.
        collected: of the step "people".
        time_s: the clock of the glasses, in seconds since 1970. clock_set: a network has set it since the start.
    """

    title: str
    state: str
    calibrating: bool
    muted: bool
    paused: bool
    button: bool
    speaks: bool
    light: bool
    temperature_c: float | None
    under_voltage: bool | None
    strained: bool
    profile: str
    refused: str
    warnings: tuple[str, ...]
    taken_back: tuple[str, ...]
    faults: tuple[str, ...]
    faces: int
    happenings: tuple[Happening, ...]
    collected: Collected
    time_s: float
    clock_set: bool


class Reported(StrictStruct, frozen=True, kw_only=True):
    """A fault that was reported since the start.

    Attributes:
        fault: its name.
        level: of syslog(3): 3 takes something from the wearer, 4 is to be mended.
        words: what it means for the wearer.
        detail: the last sentence about it.
        times: how often it was reported.
        ago_s: seconds since the last time.
    """

    fault: str
    level: int
    words: str
    detail: str
    times: int
    ago_s: float


class Health(Message, frozen=True, kw_only=True, tag="health"):
    """How the glasses are.

    Attributes:
        program: version of cuelens. title: version and name of the bundle. profile: name of the active profile.
        mode: of the profile in force.
        state: of the run. words: the same for people.
        up_s: seconds since the start. starts: since the board was switched on; 0 if nobody counts them.
        taken_back: what safe mode has taken back.
        camera_fps, beat_fps: frames and beats a second, of late.
        frames, beats: since the start. dropped: frames that a newer one overwrote, or that were none.
        skipped: frames that were not due, since fewer beats are wanted or the wearer paused.
        frame_age_ms_p95: from exposure to the end of the beat; None for files that are taken as fast as they go.
        cues: given since the start, by kind.
        temperature_c: of the board. under_voltage: its supply is too weak. None for what it does not say.
        memory_mb: resident.
        faults: the latest first.
    """

    program: str
    title: str
    profile: str
    mode: str
    state: str
    words: str
    up_s: float
    starts: int
    taken_back: tuple[str, ...]
    camera_fps: float
    beat_fps: float
    frames: int
    beats: int
    dropped: int
    skipped: int
    frame_age_ms_p95: float | None
    cues: dict[str, int]
    temperature_c: float | None
    under_voltage: bool | None
    memory_mb: float
    faults: tuple[Reported, ...]


class SeenFace(StrictStruct, frozen=True, kw_only=True):
    """A face in a picture. Lengths are shares of the picture's width and height, from its left upper corner.

    tilt: degrees by which the head leans, counter-clockwise.
    """

    left: float
    top: float
    width: float
    height: float
    tilt: float


class Picture(Message, frozen=True, kw_only=True, tag="picture"):
    """What the camera sees.

    Attributes:
        jpeg: the picture, 320 pixels wide.
        number: of the picture; two with the same number are the same.
        faces: the nearest first.
        light: whether it is light enough.
        distance: of the nearest face: none in view, too near, good or far (it is still read, less surely).
    """

    jpeg: bytes
    number: int
    faces: tuple[SeenFace, ...]
    light: Literal["good", "dim", "too dark", "covered"]
    distance: Literal["none", "too near", "good", "far"]


class Profiles(Message, frozen=True, kw_only=True, tag="profiles"):
    """The profile in force, and what else there is.

    Attributes:
        profile: all its keys.
        name: of the active profile. names: of all, sorted.
        draft: the profile in force is a draft that is not saved.
        waiting: there is a draft of an earlier calibration, which is not in force.
    """

    profile: msgspec.Raw
    name: str
    names: tuple[str, ...]
    draft: bool
    waiting: bool


class Corrected(Message, frozen=True, kw_only=True, tag="corrected"):
    """The outcome of a correction.

    Attributes:
        helped: it helped, and is in the draft. Else the profile is as it was.
        before: share of readings that were right, by expression, on moments that it was not worked out from.
        after: the same with the correction.
    """

    helped: bool
    before: dict[str, float]
    after: dict[str, float]


class Entry(StrictStruct, frozen=True, kw_only=True):
    """Something in a session: a cue, press, mute, pause, mode or lost expression. t: seconds since its begin."""

    t: float
    kind: str
    word: str
    detail: str
    outputs: tuple[str, ...]


class StoredSession(StrictStruct, frozen=True, kw_only=True):
    """A session.

    Attributes:
        began: date and time, ISO 8601; None if the clock was not set.
        mode: at its begin. school: at a school.
        seconds: its length. faces_s: for how many of them any face was in view; None if that is not known.
        ended: why; None if it was cut off or is still on.
        entries: what happened, in order.
    """

    began: str | None
    mode: str
    school: bool
    seconds: float
    ended: str | None
    faces_s: float | None
    entries: tuple[Entry, ...]


class Story(Message, frozen=True, kw_only=True, tag="story"):
    """The sessions of the last day. day: YYYY-MM-DD, "unknown" without a clock, "" without any session.

    more: sessions of that day that had no room in the message. Of a last session that has none by itself, `sessions`
    holds the last entries.
    """

    day: str
    sessions: tuple[StoredSession, ...]
    more: int


class Table(Message, frozen=True, kw_only=True, tag="table"):
    """A piece of the story as CSV. following: offset of the next one; None after the last."""

    text: str
    following: int | None


Reply = Done | Refused | Glasses | Health | Picture | Profiles | Corrected | Story | Table

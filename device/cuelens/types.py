"""Plain data types. Times are seconds of frame time unless the name says otherwise."""

from typing import Final

import msgspec

from cuelens_models.bundle.boxes import Box

__all__ = ["ASK_S", "Box", "Candidate", "Cue", "Face", "LightPattern", "Sight", "Wish"]

ASK_S: Final = 2.5
"""Lifetime of a press, in seconds. A later answer would come too late to make sense."""


class Candidate(msgspec.Struct, frozen=True):
    """A place in a picture where a face may be.

    Attributes:
        x: centre, in pixels from the left.
        y: centre, in pixels from the top.
        side: of the face's box, in pixels.
        tilt: by how much its head leans, in degrees, counter-clockwise.
    """

    x: float
    y: float
    side: float
    tilt: float


class Face(msgspec.Struct, frozen=True):
    """A detected face in a frame.

    Attributes:
        track: its number.
        box: in pixels of the frame.
        tilt: by how much the head leans, in degrees, counter-clockwise in the frame.
    """

    track: int
    box: Box
    tilt: float = 0.0


class Sight(msgspec.Struct, frozen=True):
    """The result of the search for faces in one beat.

    Attributes:
        seen: faces detected in this frame.
        appeared: faces that count from this frame on.
        lost: tracks that end.
        searched: how many tracked faces were searched for: such a beat has paid enough, if the rest can wait.
    """

    seen: tuple[Face, ...]
    appeared: tuple[Face, ...]
    lost: tuple[int, ...]
    searched: int = 0


class Wish(msgspec.Struct, frozen=True):
    """A cue that a mode asks for.

    Attributes:
        kind: face, expression, answer (to a press) or prompt.
        track: the face that it is about; None if it is about none.
        word: an expression, or another word of `cuelens.profile.wording` ("face", "unsure", "find happy", ...).
    """

    kind: str
    track: int | None
    word: str


class Cue(msgspec.Struct, frozen=True):
    """A wish that passed the limits at time `t`. outputs: those that give it: light, voice, console."""

    t: float
    kind: str
    track: int | None
    word: str
    outputs: tuple[str, ...]


class LightPattern(msgspec.Struct, frozen=True):
    """One signal of the light.

    Attributes:
        colour: red, green, blue, 0 to 1, brightness included.
        pattern: steady, fade or breath.
        seconds: duration; for a breath, cut to whole breaths, one at least. Infinite: without end.
    """

    colour: tuple[float, float, float]
    pattern: str
    seconds: float

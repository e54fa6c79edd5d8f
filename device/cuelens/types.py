"""The plain data in the middle of the house. Times are seconds of frame time unless the name says otherwise."""

from dataclasses import dataclass
from typing import Final

from cuelens_models.bundle.boxes import Box

__all__ = ["ASK_S", "Box", "Cue", "Face", "LightPattern", "Sight", "Wish"]

ASK_S: Final = 2.5
"""A press that could not be answered by then is forgotten: nobody remembers what it was about."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a frame. box: pixels of the frame, as the detector found it. track: the number it is followed under."""

    track: int
    box: Box


@dataclass(frozen=True, slots=True)
class Sight:
    """What looking came to in one beat. seen: faces found in this very frame; appeared and lost: changes among them."""

    seen: tuple[Face, ...]
    appeared: tuple[Face, ...]
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a mode would like to tell. kind: face, expression, answer (to a press) or prompt.

    track: the face that it is about; None if it is about none. word: an expression, or one of those that
    `cuelens.profile.wording` has beside them ("face", "unsure", "find happy", ...).
    """

    kind: str
    track: int | None
    word: str


@dataclass(frozen=True, slots=True)
class Cue:
    """A wish that the limits let through at time `t`. outputs: light, voice, console: those that tell it."""

    t: float
    kind: str
    track: int | None
    word: str
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LightPattern:
    """What the light does. colour: red, green, blue, 0 to 1, brightness included. pattern: steady, fade or breath.

    It ends after `seconds`; a breath after as many whole breaths as fit, one at least, and never if that is infinite.
    """

    colour: tuple[float, float, float]
    pattern: str
    seconds: float

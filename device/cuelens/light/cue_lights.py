"""The light of each word: from the cue book for expressions, and built in for all other words."""

from typing import Final

import msgspec

from cuelens.light.patterns import rgb
from cuelens.profile.cue_book import LightCue
from cuelens.profile.profile import Profile
from cuelens.profile.rules import tell_as
from cuelens.types import LightPattern

_WHITE: Final = "#BCBCBC"
_SOFT: Final = "#808080"
_ORANGE: Final = "#E69F00"

TROUBLE: Final = LightCue(colour=_ORANGE, pattern="breath")
"""The camera is lost; the light breathes until it is back."""
PRESS: Final = LightCue(colour=_WHITE, pattern="steady", light_s=0.5)
"""The acknowledgement of a button press."""
_BUILT_IN: Final = {
    "neutral": LightCue(colour=_WHITE, light_s=2.0),
    "unsure": LightCue(colour=_SOFT, pattern="breath", light_s=2.0),
    "nobody": LightCue(colour=_SOFT, pattern="steady", light_s=1.0),
    "face": LightCue(colour=_SOFT, light_s=1.0),
    "guess": LightCue(colour=_WHITE, pattern="breath"),
    "too dark": LightCue(colour="#707070", light_s=2.0),
    "muted": LightCue(colour=_WHITE, pattern="breath", light_s=2.0),
    "unmuted": LightCue(colour=_WHITE, light_s=1.0),
    "paused": LightCue(colour=_ORANGE, light_s=2.0),
    "resumed": LightCue(colour=_WHITE, light_s=1.0),
    "code": LightCue(colour=_WHITE, pattern="steady", light_s=0.18),
    "calibrate": LightCue(colour=_WHITE, pattern="steady", light_s=3.0),
    "session began": LightCue(colour=_WHITE, pattern="breath", light_s=4.0),
    "session ended": LightCue(colour=_SOFT, light_s=5.0),
}


def lights(profile: Profile) -> dict[str, LightCue]:
    """Return the light of each word that has one. "find happy" has that of "happy"."""
    book = dict(_BUILT_IN)
    book["guess"] = msgspec.structs.replace(book["guess"], light_s=profile.play.wait_s)
    if profile.face_found:
        book["face"] = profile.face_found
    for expression, entry in profile.cues.entries().items():
        if entry.light:
            word = tell_as(profile, expression)
            if word != "face":
                book[word] = book[f"find {word}"] = entry.light
    return book


def light_pattern(cue: LightCue, percent: float) -> LightPattern:
    """Return the light pattern of a cue. percent: the brightness, in percent of the LED's full power."""
    red, green, blue = (part * percent / 100 for part in rgb(cue.colour))
    return LightPattern((red, green, blue), cue.pattern, cue.light_s)


def endless(pattern: LightPattern) -> LightPattern:
    """Return the pattern without an end: it lasts until another replaces it."""
    return msgspec.structs.replace(pattern, seconds=float("inf"))

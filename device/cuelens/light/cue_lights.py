"""Which light stands for which word: the cue book's for expressions, and the glasses' own for everything else."""

from dataclasses import replace
from typing import Final

import msgspec

from cuelens.light.patterns import rgb
from cuelens.profile.cue_book import LightCue
from cuelens.profile.profile import Profile
from cuelens.profile.rules import tell_as
from cuelens.types import LightPattern

_WHITE: Final = "#BCBCBC"
_SOFT: Final = "#808080"
_AMBER: Final = "#E69F00"

TROUBLE: Final = LightCue(colour=_AMBER, pattern="breath")
"""The camera is away; it breathes until that is over."""
PRESSED: Final = LightCue(colour=_WHITE, pattern="steady", light_s=0.5)
"""The button was pressed."""
_OWN: Final = {
    "neutral": LightCue(colour=_WHITE, light_s=2.0),
    "unsure": LightCue(colour=_SOFT, pattern="breath", light_s=2.0),
    "nobody": LightCue(colour=_SOFT, pattern="steady", light_s=1.0),
    "face": LightCue(colour=_SOFT, light_s=1.0),
    "guess": LightCue(colour=_WHITE, pattern="breath", light_s=4.0),
    "too dark": LightCue(colour="#707070", light_s=2.0),
    "muted": LightCue(colour=_WHITE, pattern="breath", light_s=2.0),
    "unmuted": LightCue(colour=_WHITE, light_s=1.0),
    "paused": LightCue(colour=_AMBER, light_s=2.0),
    "resumed": LightCue(colour=_WHITE, light_s=1.0),
    "calibrate": LightCue(colour=_WHITE, pattern="steady", light_s=3.0),
    "session began": LightCue(colour=_WHITE, pattern="breath", light_s=4.0),
    "session ended": LightCue(colour=_SOFT, light_s=5.0),
}


def lights(profile: Profile) -> dict[str, LightCue]:
    """Return the light of each word that has one. "find happy" has that of "happy"."""
    own = dict(_OWN)
    own["guess"] = msgspec.structs.replace(own["guess"], light_s=profile.play.wait_s)
    if profile.face_found:
        own["face"] = profile.face_found
    for expression, entry in profile.cues.entries().items():
        if entry.light:
            word = tell_as(profile, expression)
            if word != "face":
                own[word] = own[f"find {word}"] = entry.light
    return own


def light_pattern(cue: LightCue, percent: float) -> LightPattern:
    """Return what the light does for a cue at a strength of so many percent of what the LED can do."""
    red, green, blue = (part * percent / 100 for part in rgb(cue.colour))
    return LightPattern((red, green, blue), cue.pattern, cue.light_s)


def endless(pattern: LightPattern) -> LightPattern:
    """Return a pattern that goes on until another takes its place."""
    return replace(pattern, seconds=float("inf"))

"""The cue book: which light and which phrase stand for which word. Part of a profile."""

from typing import Annotated, Literal

import msgspec

from cuelens.config_file import Colour
from cuelens_models.strict_struct import StrictStruct


class LightCue(StrictStruct, frozen=True):
    """One light. A fade or a steady light ends after `light_s`, a breath after the whole breaths of 2 s in it.

    Nothing flashes above 3 Hz.
    """

    colour: Colour
    pattern: Literal["steady", "fade", "breath"] = "fade"
    light_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 1.5


class CueEntry(StrictStruct, frozen=True):
    """What stands for one expression: a light, something that is said, or both.

    phrase: left out, it is the language's; null, nothing is said. recording: a WAV that is played in place of the
    phrase, by its path from the profile's folder.
    """

    light: LightCue | None = None
    phrase: Annotated[str, msgspec.Meta(max_length=40)] | msgspec.UnsetType | None = msgspec.UNSET
    recording: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


class CueBook(StrictStruct, frozen=True):
    """What stands for each expression; null for nothing. An expression that is left out has the factory's cue.

    `neutral` has no place here: it is never told unasked.

    The colours are Okabe and Ito's colour-blind-safe palette. No two expressions share a pattern and its length, so
    they are told apart without colour too, by a single LED if need be.
    """

    happy: CueEntry | None = CueEntry(light=LightCue(colour="#F0E442"))
    surprise: CueEntry | None = CueEntry(light=LightCue(colour="#56B4E9", light_s=3.0))
    sad: CueEntry | None = CueEntry(light=LightCue(colour="#0072B2", pattern="breath", light_s=4.0))
    angry: CueEntry | None = CueEntry(light=LightCue(colour="#D55E00", pattern="steady"))
    disgust: CueEntry | None = CueEntry(light=LightCue(colour="#009E73", pattern="steady", light_s=3.0))
    fear: CueEntry | None = CueEntry(light=LightCue(colour="#CC79A7", pattern="breath", light_s=2.0))
    contempt: CueEntry | None = None

    def entries(self) -> dict[str, CueEntry]:
        """Return the expressions that have a cue."""
        return {word: entry for word, entry in msgspec.structs.asdict(self).items() if entry is not None}

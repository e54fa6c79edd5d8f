"""The cue book of a profile: the light and the phrase for each expression."""

from typing import Annotated, Literal

import msgspec

from cuelens.config_file import Colour
from cuelens_models.strict_struct import StrictStruct


class LightCue(StrictStruct, frozen=True):
    """A light cue. Nothing flashes above 3 Hz.

    Attributes:
        colour: red, green and blue as a web page writes them: "#F0E442".
        pattern: course of the light: steady, fade (in and out) or breath.
        light_s: duration in seconds. A breath lasts for as many whole breaths of 2 s as fit.
    """

    colour: Colour
    pattern: Literal["steady", "fade", "breath"] = "fade"
    light_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 1.5


class CueEntry(StrictStruct, frozen=True):
    """The cue for one expression: a light, speech, or both. A key that a profile leaves out keeps the factory's value.

    Attributes:
        light: the light; null for no light.
        phrase: the caregiver's phrase. Left out: the language's phrase. Null: no speech.
        recording: a WAV, FLAC, Ogg or MP3 to play instead of the phrase, by its path from the profile's folder.
    """

    light: LightCue | None = None
    phrase: Annotated[str, msgspec.Meta(max_length=40)] | msgspec.UnsetType | None = msgspec.UNSET
    recording: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


class CueBook(StrictStruct, frozen=True):
    """The cue for each expression; null for none. An expression that is left out has the factory's cue.

    `neutral` has no entry: it is never told unasked.

    The colours are Okabe and Ito's colour-blind-safe palette. No two expressions share pattern and duration, so a
    single LED can tell them apart without colour.

    Attributes:
        happy: cue for a face that looks happy.
        surprise: cue for a face that looks surprised.
        sad: cue for a face that looks sad.
        angry: cue for a face that looks angry.
        disgust: cue for a face that looks disgusted.
        fear: cue for a face that looks scared.
        contempt: cue for a face that looks scornful.
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

"""What a caregiver chose for one wearer: cue book, policy, mode, sound and light. JSON; every key has a default.

Sound is off until a caregiver turns it on.
"""

from typing import Annotated, Literal

import msgspec

from cuelens.profile.cue_book import CueBook, LightCue
from cuelens_models.strict_struct import StrictStruct

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Threshold = Annotated[float, msgspec.Meta(ge=0, le=1)]
Wanted = Literal["happy", "surprise", "sad", "angry", "disgust", "fear"]


class Sound(StrictStruct, frozen=True):
    """What is heard. say: words, or earcons (two soft tones for each word) in their place.

    volume_percent is held under ceiling_percent.
    """

    on: bool = False
    say: Literal["words", "earcons"] = "words"
    volume_percent: Percent = 50
    ceiling_percent: Percent = 80


class Brightness(StrictStruct, frozen=True):
    """The light's strength, in percent of what the LED can do: by day, in the dark, and at most."""

    brightness_percent: Percent = 40
    ceiling_percent: Percent = 70
    night_percent: Percent = 12


class Enter(StrictStruct, frozen=True):
    """Thresholds of this wearer's own, in place of the bundle's."""

    neutral: Threshold | None = None
    happy: Threshold | None = None
    surprise: Threshold | None = None
    sad: Threshold | None = None
    angry: Threshold | None = None
    disgust: Threshold | None = None
    fear: Threshold | None = None
    contempt: Threshold | None = None


class Policy(StrictStruct, frozen=True):
    """What a family may choose of the cue policy (docs/design.md, section 7). Times in seconds.

    What benchmarks choose (smoothing, hysteresis, margin, ...) stands with the settling rule.
    """

    dwell_s: Seconds = 0.5
    caution: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.0
    enter: Enter = Enter()
    speaks: Literal["nearest", "central"] = "nearest"
    gap_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 3.0
    answer_gap_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 1.0
    same_expression_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 8.0
    spoken_per_minute: Annotated[int, msgspec.Meta(ge=0, le=20)] = 6
    reunion_s: Annotated[float, msgspec.Meta(ge=0.5, le=30)] = 2.0


RETIRED = tuple(
    f"policy.{key}" for key in ("smoothing_s", "hysteresis", "neutral_weight", "margin", "sure_odds", "face_absence_s")
)
"""Keys of earlier profiles. They were results of a benchmark, and now stand with the rules in `cuelens.cues`."""


class Session(StrictStruct, frozen=True):
    """How long the glasses are worn before they rest until a press; 0 for as long as they are on."""

    minutes: Annotated[int, msgspec.Meta(ge=0, le=240)] = 20


class Play(StrictStruct, frozen=True):
    """The numbers of the games. Times in seconds.

    wait_s: how long `explore` waits for a press before the answer follows. find: what `smile` asks for, in turn.
    round_s: how long after one was found it asks for the next.
    """

    wait_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 4.0
    find: Annotated[tuple[Wanted, ...], msgspec.Meta(min_length=1, max_length=6)] = ("happy",)
    round_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 15.0


class Fading(StrictStruct, frozen=True):
    """How cues fade as the wearer answers first.

    Over the last `answers` questions of `explore`: at none answered first, cues come at once and always; at all of
    them, `latest_s` later, and for one expression in `rarest`.
    """

    on: bool = True
    answers: Annotated[int, msgspec.Meta(ge=4, le=100)] = 12
    latest_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 2.0
    rarest: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3


class Profile(StrictStruct, frozen=True):
    """A whole profile. school: tell of faces, smiles and frowns only (docs/decisions/0010)."""

    schema: Literal[1] = 1
    wearer: Annotated[str, msgspec.Meta(max_length=60)] = "wearer"
    language: str = "en"
    mode: str = "companion"
    school: bool = False
    session: Session = Session()
    sound: Sound = Sound()
    light: Brightness = Brightness()
    policy: Policy = Policy()
    play: Play = Play()
    fading: Fading = Fading()
    cues: CueBook = CueBook()
    face_found: LightCue | None = LightCue(colour="#808080", light_s=1.0)

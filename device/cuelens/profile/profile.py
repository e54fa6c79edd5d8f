"""The profile: a caregiver's options for one wearer. JSON; every key has a default. Sound is off by default.

docs/profile.schema.json (`make schema`) and docs/reference/profile.md (`make reference`) are made of these docstrings.
"""

from typing import Annotated, Literal

import msgspec

from cuelens.calibration.correction import Correction
from cuelens.profile.cue_book import CueBook, LightCue
from cuelens_models.strict_struct import StrictStruct

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Threshold = Annotated[float, msgspec.Meta(ge=0, le=1)]
Target = Literal["happy", "surprise", "sad", "angry", "disgust", "fear"]


class Sound(StrictStruct, frozen=True):
    """What is heard. Nothing is, until a caregiver turns it on.

    Attributes:
        on: whether there is any sound.
        say: words, or earcons: two soft tones for each word.
        volume_percent: loudness, in percent of the speaker's greatest; `ceiling_percent` at most.
        ceiling_percent: greatest loudness, in percent.
    """

    on: bool = False
    say: Literal["words", "earcons"] = "words"
    volume_percent: Percent = 50
    ceiling_percent: Percent = 80


class Brightness(StrictStruct, frozen=True):
    """Brightness of the light, in percent of the LED's greatest.

    Attributes:
        brightness_percent: brightness by day; `ceiling_percent` at most.
        ceiling_percent: greatest brightness.
        night_percent: brightness in the dark.
    """

    brightness_percent: Percent = 40
    ceiling_percent: Percent = 70
    night_percent: Percent = 12


class View(StrictStruct, frozen=True):
    """How the glasses sit on this wearer.

    Attributes:
        tilt_degrees: by how much a level room leans in the picture, in degrees, counter-clockwise. Faces are searched
            for as that room leans, from four degrees on.
    """

    tilt_degrees: Annotated[float, msgspec.Meta(ge=-30, le=30)] = 0.0


class Enter(StrictStruct, frozen=True):
    """Thresholds for this wearer. An expression settles from this probability on, against that of neutral alone.

    Attributes:
        happy: least probability of happy; null for the usual threshold.
        surprise: least probability of surprise; null for the usual threshold.
        sad: least probability of sad; null for the usual threshold.
        angry: least probability of angry; null for the usual threshold.
        disgust: least probability of disgust; null for the usual threshold.
        fear: least probability of fear; null for the usual threshold.
        contempt: least probability of contempt; null for the usual threshold.
    """

    happy: Threshold | None = None
    surprise: Threshold | None = None
    sad: Threshold | None = None
    angry: Threshold | None = None
    disgust: Threshold | None = None
    fear: Threshold | None = None
    contempt: Threshold | None = None


class Policy(StrictStruct, frozen=True):
    """A family's options for the cue policy (docs/design.md, section 7). Times in seconds.

    A benchmark chose the other parameters (smoothing, hysteresis, margin, ...): they are defaults in `cuelens.cues`.

    Attributes:
        dwell_s: least time from an expression to its settling, in seconds.
        caution: what every threshold is raised by, in nats (natural logarithms of odds). More means fewer cues, and
            fewer false ones.
        enter: thresholds of this wearer.
        speaks: which face is attended to when several are in view: the nearest or the most central.
        gap_s: shortest time between any cue and an unasked one after it, in seconds.
        answer_gap_s: shortest time between any cue and an answer after it, in seconds.
        same_expression_s: shortest time between a cue for an expression, answers included, and an unasked one for the
            same after it, in seconds.
        spoken_per_minute: most spoken cues in any minute.
        reunion_s: how long the belief about a face that is out of view is kept, in seconds. Face finding
            takes a new value at the next start.
    """

    dwell_s: Seconds = 1.0
    caution: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.0
    enter: Enter = Enter()
    speaks: Literal["nearest", "central"] = "nearest"
    gap_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 3.0
    answer_gap_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 1.0
    same_expression_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 8.0
    spoken_per_minute: Annotated[int, msgspec.Meta(ge=0, le=20)] = 6
    reunion_s: Annotated[float, msgspec.Meta(ge=0.5, le=30)] = 2.0


RETIRED = (
    *("policy.smoothing_s", "policy.hysteresis", "policy.neutral_weight", "policy.margin", "policy.sure_odds"),
    *("policy.face_absence_s", "policy.enter.neutral"),
)
"""Keys of earlier profiles. Thresholds are against neutral, which has none. A benchmark chose the other values."""


class Session(StrictStruct, frozen=True):
    """A session: the time from one calm light to the next. Afterwards the glasses rest until a press.

    Attributes:
        minutes: length of a session; 0 for no end.
    """

    minutes: Annotated[int, msgspec.Meta(ge=0, le=240)] = 20


class Play(StrictStruct, frozen=True):
    """The parameters of the games. Times in seconds.

    Attributes:
        wait_s: time without a press after which `explore` answers, in seconds.
        find: the expressions that `smile` asks for, in turn.
        round_s: pause between two rounds of `smile`, in seconds.
    """

    wait_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 4.0
    find: Annotated[tuple[Target, ...], msgspec.Meta(min_length=1, max_length=6)] = ("happy",)
    round_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 15.0


class Fading(StrictStruct, frozen=True):
    """Prompt fading: cues come later and less often, the more questions of `explore` the wearer answers first.

    Attributes:
        on: whether cues fade at all.
        answers: length of the history, in questions.
        latest_s: delay in seconds when the wearer answered all of them first; it is 0 at none.
        rarest: at all of them, one expression in so many is told; at none, every one.
    """

    on: bool = True
    answers: Annotated[int, msgspec.Meta(ge=4, le=100)] = 12
    latest_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 2.0
    rarest: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3


class Profile(StrictStruct, frozen=True):
    """A whole profile.

    Attributes:
        schema: version of the format.
        wearer: a name for the wearer, which need not be the real one.
        language: code of the language of the phrases.
        mode: name of the rule by which cues are given.
        school: whether faces, smiles and frowns are all that is told (docs/decisions/0010-school.md).
        session: length of a session.
        sound: what is heard.
        light: brightness of the light.
        view: how the glasses sit.
        policy: options for the cue policy.
        play: parameters of the games.
        fading: how cues come later and less often.
        cues: light and phrase for each expression.
        people: by how much readings are moved for this household; found by the family's calibration.
        face_found: light of the greeting of a new face; null for no greeting.
    """

    schema: Literal[1] = 1
    wearer: Annotated[str, msgspec.Meta(max_length=60)] = "wearer"
    language: str = "en"
    mode: str = "companion"
    school: bool = False
    session: Session = Session()
    sound: Sound = Sound()
    light: Brightness = Brightness()
    view: View = View()
    policy: Policy = Policy()
    play: Play = Play()
    fading: Fading = Fading()
    cues: CueBook = CueBook()
    people: Correction = Correction()
    face_found: LightCue | None = LightCue(colour="#808080", light_s=1.0)

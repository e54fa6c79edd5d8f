"""What a caregiver chose for one wearer: cue book, policy, sound and light. JSON; every key has a default.

Sound is off until a caregiver turns it on. A phrase is at most two words, and says what a face looks like, never what a
person feels.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cuelens import decode
from cuelens.decide import PolicyRule
from cuelens.settle import SettleRule, thresholds
from cuelens.types import LightPattern
from cuelens_models.errors import BadInput

SCHEMA = 1
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")]
Threshold = Annotated[float, msgspec.Meta(ge=0, le=1)]
_MOST_WORDS = 2
_NAME = re.compile(r"[\w-]{1,60}")
_CLAIMS = {"am", "are", "feel", "feeling", "feels", "is", "m", "re", "s"}
"""Words of a phrase that would say what somebody feels; the last three stand after an apostrophe."""
_WORD = re.compile(r"[^\W\d_]+(['\u2019-][^\W\d_]+)*")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece of a profile."""


class LightCue(_Part, frozen=True):
    """One light. A fade or a steady light ends after `light_s`; nothing flashes above 3 Hz."""

    colour: Colour
    pattern: Literal["steady", "fade", "breath"] = "fade"
    light_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 1.5


class CueEntry(_Part, frozen=True):
    """What stands for one expression: a light, a phrase, or both."""

    light: LightCue | None = None
    phrase: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class Sound(_Part, frozen=True):
    """The voice. volume_percent is held under ceiling_percent."""

    on: bool = False
    volume_percent: Percent = 50
    ceiling_percent: Percent = 80


class Brightness(_Part, frozen=True):
    """The light's strength, in percent of what the LED can do."""

    brightness_percent: Percent = 40


class Enter(_Part, frozen=True):
    """Thresholds of this wearer's own, in place of the bundle's."""

    neutral: Threshold | None = None
    happy: Threshold | None = None
    surprise: Threshold | None = None
    sad: Threshold | None = None
    angry: Threshold | None = None
    disgust: Threshold | None = None
    fear: Threshold | None = None
    contempt: Threshold | None = None


class Policy(_Part, frozen=True):
    """The numbers of the cue policy (docs/design.md, section 7). Times in seconds."""

    smoothing_s: Annotated[float, msgspec.Meta(ge=0.05, le=10)] = 0.15
    dwell_s: Seconds = 0.4
    hysteresis: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.15
    caution: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.0
    enter: Enter = Enter()
    gap_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 3.0
    same_expression_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 8.0
    spoken_per_minute: Annotated[int, msgspec.Meta(ge=0, le=20)] = 6
    face_absence_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 3.0
    reunion_s: Annotated[float, msgspec.Meta(ge=0, le=30)] = 2.0


class CueBook(_Part, frozen=True):
    """What stands for each expression; null for nothing. An expression that is left out has the factory's cue.

    `neutral` has no place here: it is silent, always.

    The colours are Okabe and Ito's colour-blind-safe palette; patterns tell apart what colour alone might not.
    """

    happy: CueEntry | None = CueEntry(light=LightCue(colour="#F0E442"), phrase="looks happy")
    surprise: CueEntry | None = CueEntry(light=LightCue(colour="#56B4E9"), phrase="looks surprised")
    sad: CueEntry | None = CueEntry(light=LightCue(colour="#0072B2", pattern="breath", light_s=3.0), phrase="looks sad")
    angry: CueEntry | None = CueEntry(light=LightCue(colour="#D55E00", pattern="steady"), phrase="looks angry")
    disgust: CueEntry | None = CueEntry(light=LightCue(colour="#009E73", pattern="steady"), phrase="looks disgusted")
    fear: CueEntry | None = CueEntry(
        light=LightCue(colour="#CC79A7", pattern="breath", light_s=3.0), phrase="looks scared"
    )
    contempt: CueEntry | None = None

    def entries(self) -> dict[str, CueEntry]:
        """Return the expressions that have a cue."""
        return {word: entry for word, entry in msgspec.structs.asdict(self).items() if entry is not None}


class Profile(_Part, frozen=True):
    """A whole profile."""

    schema: Literal[1] = 1
    wearer: Annotated[str, msgspec.Meta(max_length=60)] = "wearer"
    language: Literal["en"] = "en"
    sound: Sound = Sound()
    light: Brightness = Brightness()
    policy: Policy = Policy()
    cues: CueBook = CueBook()
    face_found: LightCue | None = LightCue(colour="#404040", light_s=1.0)


def read(path: Path) -> Profile:
    """Read and check a profile. Raises BadInput with file, key and value."""
    profile = decode.read_json(path, Profile)
    for word, entry in profile.cues.entries().items():
        if entry.phrase is not None and not _is_phrase(entry.phrase):
            raise BadInput(f"{path}: cues.{word}.phrase is {entry.phrase!r}: expected one or two words, letters only")
        if entry.phrase and _CLAIMS & set(re.split(r"[\s'\u2019]+", entry.phrase.lower())):
            raise BadInput(
                f"{path}: cues.{word}.phrase is {entry.phrase!r}: expected what a face looks like, not what is felt"
            )
    return profile


def active(state: Path) -> tuple[Profile, str]:
    """Return the profile that is active in the state folder, and what is wrong with it, if anything."""
    path = active_path(state)
    if path is None:
        return Profile(), f"{state / 'active'} names no profile; the factory profile is used"
    if not path.exists() and not (state / "active").exists():
        return Profile(), ""
    try:
        return read(path), ""
    except BadInput as error:
        return Profile(), f"{error}; the factory profile is used"


def active_path(state: Path) -> Path | None:
    """Return the file of the active profile: `profiles/NAME.json`, with the name in the file `active`.

    Without that file the name is `default`; None if what it holds is no name.
    """
    try:
        name = (state / "active").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        name = "default"
    except (OSError, UnicodeDecodeError):
        return None
    return state / "profiles" / f"{name}.json" if _NAME.fullmatch(name) else None


def settle_rule(profile: Profile, labels: list[str], enter: dict[str, float]) -> SettleRule:
    """Return the settling rule of a profile for a bundle's labels and thresholds."""
    policy = profile.policy
    own = {word: value for word, value in msgspec.structs.asdict(policy.enter).items() if value is not None}
    return SettleRule(
        labels=tuple(labels),
        enter=thresholds(enter, policy.caution, own),
        smoothing_s=policy.smoothing_s,
        dwell_s=policy.dwell_s,
        hysteresis=policy.hysteresis,
    )


def policy_rule(profile: Profile, outputs: Collection[str]) -> PolicyRule:
    """Return the limits of the cue policy of a profile, for the outputs that are there: light, voice, console."""
    policy = profile.policy

    def telling(light: LightCue | None, phrase: str | None) -> tuple[str, ...]:
        wanted = {"light": light is not None, "voice": phrase is not None and profile.sound.on, "console": True}
        return tuple(output for output, want in wanted.items() if want and output in outputs)

    return PolicyRule(
        gap_s=policy.gap_s,
        same_expression_s=policy.same_expression_s,
        spoken_per_minute=policy.spoken_per_minute,
        face_absence_s=policy.face_absence_s,
        face_outputs=telling(profile.face_found, None) if profile.face_found else (),
        outputs={
            word: telling(entry.light, entry.phrase)
            for word, entry in profile.cues.entries().items()
            if entry.light or entry.phrase
        },
    )


def light_pattern(profile: Profile, cue: LightCue) -> LightPattern:
    """Return what the light does for a cue, the profile's brightness included."""
    strength = profile.light.brightness_percent / 100
    red, green, blue = (int(cue.colour[place : place + 2], 16) / 255 * strength for place in (1, 3, 5))
    return LightPattern((red, green, blue), cue.pattern, cue.light_s)


def volume(profile: Profile) -> float:
    """Return the loudness of the voice, 0 to 1, under the ceiling."""
    return min(profile.sound.volume_percent, profile.sound.ceiling_percent) / 100


def _is_phrase(phrase: str) -> bool:
    words = phrase.split()
    return 1 <= len(words) <= _MOST_WORDS and all(_WORD.fullmatch(word) for word in words)

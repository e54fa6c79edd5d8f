"""Warnings about a profile that is valid, but with cues that nobody could see, hear, tell apart or ever be given."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from cuelens.cues import modes
from cuelens.profile.cue_book import CueEntry, LightCue
from cuelens.profile.profile import Profile
from cuelens.profile.rules import tell_as, volume

_LEAST_PERCENT: Final = 0.5
"""Least power of an LED's brightest colour that counts as visible, in percent."""


def warnings(profile: Profile) -> tuple[str, ...]:
    """Return a sentence for each fault, with the key to change; none if all cues can be perceived.

    Raises BadInput if there is no mode of the profile's name.
    """
    light, sound = profile.light, profile.sound
    percent = min(light.brightness_percent, light.ceiling_percent)
    sentences = []
    if percent == 0:
        key = "brightness_percent" if light.brightness_percent == 0 else "ceiling_percent"
        sentences.append(f"light.{key} is 0: no light will be seen")
    elif light.night_percent == 0:
        sentences.append("light.night_percent is 0: no light will be seen in the dark")
    if sound.on and volume(profile) == 0:
        key = "volume_percent" if sound.volume_percent == 0 else "ceiling_percent"
        sentences.append(f"sound.{key} is 0: no word will be heard")
    entries = {word: entry for word, entry in profile.cues.entries().items() if tell_as(profile, word) != "face"}
    if not entries:
        sentences.append("cues has no expression that is told: every one is null")
    heard = sound.on and volume(profile) > 0 and "voice" in modes.mode(profile.mode).outputs
    if percent or heard:
        for word, entry in entries.items():
            sentences += _entry_warning(word, entry, percent, heard=heard)
    by_light = defaultdict[LightCue, list[str]](list)
    for word, entry in entries.items():
        if entry.light:
            by_light[_comparable(entry.light)].append(f"cues.{word}")
    sentences += [f"{' and '.join(keys)} have the same light" for keys in by_light.values() if len(keys) > 1]
    return tuple(sentences)


def unreadable(profile: Profile, labels: Collection[str]) -> tuple[str, ...]:
    """Return a sentence if the game `smile` has nothing to ask for. labels: those of the bundle."""
    if profile.mode != "smile" or not set(profile.play.find).isdisjoint(labels):
        return ()
    return (f"play.find is {list(profile.play.find)}: the network reads none of these, so nothing is asked for",)


def _entry_warning(word: str, entry: CueEntry, percent: float, *, heard: bool) -> list[str]:
    """Return a warning if an expression's cue can be neither seen nor heard, or if its light cannot be seen."""
    has_speech = entry.phrase is not None or entry.recording is not None
    seen = entry.light is not None and _power(entry.light, percent) >= _LEAST_PERCENT
    if entry.light is not None and percent and not seen:
        return [f"cues.{word}.light.colour is {entry.light.colour}: it is too dark to be seen"]
    return [] if seen or (heard and has_speech) else [f"cues.{word} can be neither seen nor heard"]


def _power(light: LightCue, percent: float) -> float:
    """Return the power of the brightest of red, green and blue, in percent of the LED's greatest."""
    return max(bytes.fromhex(light.colour[1:])) / 255 * percent


def _comparable(light: LightCue) -> LightCue:
    return LightCue(light.colour.upper(), light.pattern, light.light_s)

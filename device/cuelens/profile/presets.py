"""Choices that a caregiver makes before any knob: how strong cues are, and what is heard. By keys of a profile."""

from typing import Final

STRENGTHS: Final[dict[str, dict[str, int]]] = {
    "clear": {"light.brightness_percent": 60, "light.night_percent": 13, "sound.volume_percent": 60},
    "gentle": {"light.brightness_percent": 40, "light.night_percent": 12, "sound.volume_percent": 45},
    "subtle": {"light.brightness_percent": 20, "light.night_percent": 6, "sound.volume_percent": 30},
}
SOUNDS: Final[dict[str, dict[str, object]]] = {
    "light": {"sound.on": False},
    "words": {"sound.on": True, "sound.say": "words"},
    "earcons": {"sound.on": True, "sound.say": "earcons"},
}

"""What the service leaves in its state folder for the programs that act when it is gone (systemd/lights-out, alarm).

They are shell programs: Python may be what is broken. So the files are plain, and each is written whole or not at all.
Outside the service, which has no STATE_DIRECTORY, nothing is written.

    lamps         "chip N", then for each lamp a line of three numbers: its pin, the level at which it is dark (0 or 1),
                  and its share of orange light in thousandths
    glimmer       how long a pulse at full brightness may last, in microseconds; 0 for no pulse
    alarm.device  the sound card, by its ALSA name; only there while the wearer's profile has sound
    alarm.wav     what to play if the glasses stop for good; only there while alarm.device is
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cuelens.light import patterns
from cuelens.light.cue_lights import TROUBLE
from cuelens.profile.profile import Profile
from cuelens.settings import Pins
from cuelens.sound import clip
from cuelens.sound.clip import Clip
from cuelens.sound.earcons import wake
from cuelens_models import regular_file
from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import Unwritable

STOPPED: Final = "stopped"
"""The word whose clip is the alarm's."""
_LAMPS, _GLIMMER, _DEVICE, _ALARM = "lamps", "glimmer", "alarm.device", "alarm.wav"
_LONGEST_US: Final = 5000
_PERCENT_US: Final = 1000
"""Under a tenth of a second the eye sums light (Bloch's law): a full pulse of 1 ms is perceived like 1 % for 100 ms."""


def leave_lamps(chip: int, pins: Pins) -> None:
    """Leave the pins of all lamps. chip: number of the GPIO chip that has them."""
    shares = patterns.strengths(patterns.rgb(TROUBLE.colour), [patterns.rgb(single.colour) for single in pins.single])
    dark = 0 if pins.active_high else 1
    lamps = [
        (pin, dark, round(1000 * share / max(shares))) for pin, share in zip(pins.light().values(), shares, strict=True)
    ]
    if pins.capture != "none":
        lamps.append((pins.capture, 0, 0))
    _write(_LAMPS, "".join(f"{line}\n" for line in (f"chip {chip}", *(" ".join(map(str, lamp)) for lamp in lamps))))


def leave_profile(profile: Profile, *, device: str | None) -> None:
    """Leave how long a pulse may last, and the sound card; where there is no sound, take the alarm away.

    A pulse is perceived no brighter than the wearer's light at its dimmest. device: the sound card, by its ALSA name;
    None if this run has no voice.
    """
    light = profile.light
    percent = min(light.brightness_percent, light.night_percent, light.ceiling_percent)
    _write(_GLIMMER, f"{min(_LONGEST_US, round(percent * _PERCENT_US))}\n")
    if device is not None and profile.sound.on:
        _write(_DEVICE, f"{device}\n")
    else:
        _take_away(_DEVICE)
        _take_away(_ALARM)


def leave_alarm(clips: Iterator[tuple[str, Clip]], volume: float) -> Iterator[tuple[str, Clip]]:
    """Yield all clips but the alarm's, which is left at the profile's volume while there is sound.

    Args:
        clips: each word and its clip.
        volume: 0 to 1.
    """
    for word, spoken in clips:
        if word != STOPPED:
            yield word, spoken
            continue
        _write(_ALARM, clip.wav(clip.at_volume(clip.joined(wake(spoken.rate), spoken), volume)))
        # Sound may go while this clip is rendered, and until it is written: so it is asked for afterwards.
        if (folder := _folder()) and not (folder / _DEVICE).exists():
            _take_away(_ALARM)


def _folder() -> Path | None:
    return Path(folder) if (folder := os.environ.get("STATE_DIRECTORY")) else None


def _write(name: str, content: str | bytes) -> None:
    """Write a file if its content is another. That it cannot be written keeps no lamp from working."""
    folder, whole = _folder(), content.encode() if isinstance(content, str) else content
    if folder:
        file = folder / name
        with suppress(OSError, Unwritable):
            if regular_file.fault(file) or not file.exists() or file.read_bytes() != whole:
                write_whole(file, whole)


def _take_away(name: str) -> None:
    if folder := _folder():
        with suppress(OSError):
            (folder / name).unlink()

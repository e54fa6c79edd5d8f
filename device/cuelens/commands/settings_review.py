"""The settings as `cuelens doctor` sees them: every mistake, and what can be checked in spite of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens import settings
from cuelens.health import board
from cuelens.settings import Settings
from cuelens_models.errors import BadInput

_I2S_CARDS: Final = ("max98357", "hifiberry", "googlevoi", "iqaudio", "rpi-dac", "rpidac", "i2s")
"""Parts of the names of cards on I2S, from the overlays of Raspberry Pi OS."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Settings, right or wrong.

    Attributes:
        settings: as far as they are right, with defaults in place of the rest.
        mistakes: a sentence for each, with file and place.
        doubts: a sentence for each part that may not work beside another.
        wrong: the sections that cannot be relied on.
        summary: what the file sets, in a sentence.
    """

    settings: Settings
    mistakes: Sequence[str] = ()
    doubts: Sequence[str] = ()
    wrong: Collection[str] = ()
    summary: str = "no file: each key has its default"


def review(path: Path | None) -> Reviewed:
    """Review the settings of a file; None: there is none."""
    if path is None:
        return Reviewed(Settings())
    sections = set(Settings.__struct_fields__)
    try:
        setup, mistakes = settings.review(path)
    except BadInput as error:
        return Reviewed(Settings(), [str(error)], wrong=sections)
    wrong = {str(mistake.at[0]) for mistake in mistakes}
    if not wrong <= sections:
        # Any section may be meant by one that is misspelt.
        wrong = sections
    clash = "" if wrong & {"pins", "speaker"} else i2s_clash(setup, on=board.i2s_is_on())
    sentences = [mistake.sentence for mistake in mistakes]
    return Reviewed(setup, sentences, [clash] if clash else [], wrong, f"{path}: {_changed(setup)}")


def i2s_clash(setup: Settings, *, on: bool) -> str:
    """Return a sentence if a light or the button is on a pin of an amplifier on I2S, else "". on: the board has one.

    Elsewhere, where settings are written for a board, the name of the card says it.
    """
    named = any(word in setup.speaker.device.lower() for word in _I2S_CARDS)
    pins = setup.pins
    parts = [*pins.light().items(), ("button", pins.button), ("capture", pins.capture)]
    taken = {f"pins.{key}": str(pin) for key, pin in parts if pin in settings.I2S}
    if not taken or not (on or named):
        return ""
    verb, remedy = ("is", "another pin") if len(taken) == 1 else ("are", "other pins")
    return (
        f"{' and '.join(taken)} {verb} {' and '.join(taken.values())}: an amplifier on I2S has GPIO"
        f" {settings.I2S[0]} to {settings.I2S[-1]} for itself, so choose {remedy}"
    )


def _changed(setup: Settings) -> str:
    factory, keys = Settings(), []
    for section in setup.__struct_fields__:
        own, usual = getattr(setup, section), getattr(factory, section)
        keys += [f"{section}.{key}" for key in own.__struct_fields__ if getattr(own, key) != getattr(usual, key)]
    return f"its own {', '.join(keys)}" if keys else "each key has its default"

"""The state of the glasses in sentences for a caregiver."""

from typing import Final, Literal

from cuelens.link.replies import Glasses, Happening
from cuelens.page.texts import Texts

Line = tuple[Literal["good", "note", "bad"], str]
HOT_C: Final = 75.0
"""From here on the board slows down (docs/design.md, section 3)."""
_STATES: Final = {
    "running": "good",
    "too dark": "note",
    "covered": "note",
    "no camera": "bad",
    "camera stalled": "bad",
    "paused": "note",
    "resting": "note",
    "starting": "note",
}
AWAKE: Final = tuple(name for name in _STATES if name not in ("paused", "resting"))
"""States of a session that is on."""
_FAULTS: Final = {
    "no sound": "no_sound",
    "no voice": "no_sound",
    "no light": "no_light",
    "bundle damaged": "bundle",
    "no story": "no_story",
    "not kept": "not_kept",
    "state folder": "not_kept",
}
"""Reported faults that a caregiver is told. The others show in what is told besides, or are for the maker."""


def lines(glasses: Glasses, t: Texts) -> list[Line]:
    """Return the state in sentences, the most important first."""
    found: list[Line] = []
    if glasses.state in _STATES:
        level = _STATES[glasses.state]
        found.append((level, t(f"state.{glasses.state.replace(' ', '_')}")))  # type: ignore[arg-type]
    else:
        found.append(("note", glasses.state))
    if glasses.paused and glasses.state != "paused":
        found.append(("note", t("state.paused_later")))
    if glasses.muted:
        found.append(("note", t("state.muted")))
    if glasses.temperature_c is not None and glasses.temperature_c >= HOT_C:
        found.append(("bad", t("state.hot", celsius=round(glasses.temperature_c))))
    if glasses.under_voltage:
        found.append(("bad", t("state.low_voltage")))
    if glasses.strained:
        found.append(("note", t("state.strained")))
    found += _reported(glasses, t)
    if not glasses.button:
        found.append(("note", t("state.no_button")))
    found += [("note", sentence) for sentence in glasses.warnings]
    order = ("bad", "note", "good")
    return sorted(found, key=lambda line: order.index(line[0]))


def _reported(glasses: Glasses, t: Texts) -> list[Line]:
    """Return what was reported since the start, and is to be mended."""
    found: list[str] = []
    if glasses.taken_back:
        parts = ", ".join(t(f"state.part_{part}") for part in glasses.taken_back)
        found.append(t("state.safe_mode", parts=parts))
    if glasses.refused:
        found.append(t("state.refused", sentence=glasses.refused))
    faults = (*glasses.faults, *(() if glasses.light else ("no light",)))
    found += [t(f"state.{key}") for key in dict.fromkeys(_FAULTS[fault] for fault in faults if fault in _FAULTS)]
    return [("bad", sentence) for sentence in found]


def happening(one: Happening, t: Texts) -> str:
    """Return a press or a cue in words."""
    if one.kind == "press":
        key = f"press.{one.word}"
        return t(key) if t.has(key) else one.word
    return t("happening.cue", word=word(one.word, t))


def word(name: str, t: Texts) -> str:
    """Return the name of an expression, or of another word that is told, for a caregiver."""
    key = f"word.{name.replace(' ', '_')}"
    return t(key) if t.has(key) else name

"""Quiet: companion, by light only."""

from typing import Final

from cuelens.cues.modes import companion
from cuelens.cues.modes.mode import Mode

MODE: Final = Mode(
    "quiet",
    "As companion, with the light only.",
    companion.MODE.begin,
    companion.step,
    frozenset({"light", "console"}),
)

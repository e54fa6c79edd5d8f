"""States and faults in plain words, for people who do not know the parts; and how bad each fault is."""

from dataclasses import dataclass
from typing import Final

ERROR: Final = 3
WARNING: Final = 4
"""Levels of syslog(3). An error takes something from the wearer; a warning tells of something to mend."""

STATES: Final = {
    "starting": "they are starting",
    "running": "they see, and cues come",
    "too dark": "it is too dark to see faces",
    "covered": "something covers the camera",
    "no camera": "no camera is found: look whether its cable is in",
    "camera stalled": "the camera gives no picture: it is started again",
    "paused": "the camera is off, by a double press; another one turns it on",
    "resting": "the session is over: a press begins the next",
}
"""What each state of a run means."""
TROUBLE: Final = frozenset({"no camera", "camera stalled"})
"""States in which the glasses cannot do what they are for."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a fault means. level: of syslog(3). words: for the wearer."""

    level: int
    words: str


FAULTS: Final = {
    "no camera": Meaning(ERROR, "they see nothing"),
    "camera stalled": Meaning(ERROR, "they saw nothing until the camera was started again"),
    "odd frame": Meaning(WARNING, "some pictures of the camera are none, and are dropped"),
    "no reading": Meaning(ERROR, "some faces are not read, so nothing is told of them"),
    "no light": Meaning(ERROR, "no cue comes by light"),
    "no light, no button": Meaning(ERROR, "no cue comes by light, and no press is heard"),
    "no button": Meaning(WARNING, "no press is heard, and sessions have no end"),
    "no voice": Meaning(ERROR, "no cue is spoken"),
    "no sound": Meaning(ERROR, "no cue is spoken"),
    "not as chosen": Meaning(WARNING, "some words sound otherwise than was chosen, or not at all"),
    "no story": Meaning(WARNING, "what happens is not written down"),
    "story damaged": Meaning(WARNING, "some of what was written down is lost"),
    "no link": Meaning(WARNING, "neither the caregiver's page nor commands reach the glasses"),
    "not kept": Meaning(WARNING, "something that was chosen is forgotten at the next start"),
    "state folder": Meaning(WARNING, "what was chosen may not be found, and nothing new is kept"),
    "board strained": Meaning(WARNING, "cues come later"),
    "settings damaged": Meaning(WARNING, "a change of the settings is not in force"),
    "bundle damaged": Meaning(WARNING, "faces are read by the network that came with the glasses"),
    "profile damaged": Meaning(WARNING, "what was chosen for the child is not in force"),
    "profile outdated": Meaning(WARNING, "an old choice has no effect any more"),
    "profile warning": Meaning(WARNING, "some of what was chosen cannot be perceived"),
    "wearer's file damaged": Meaning(WARNING, "a mute or a pause from before is forgotten"),
    "safe mode": Meaning(WARNING, "the last change is taken back, for the glasses could not start with it"),
}
"""Every fault that a run can report."""


def level(fault: str) -> int:
    """Return the level of a fault, of syslog(3)."""
    return FAULTS[fault].level if fault in FAULTS else WARNING

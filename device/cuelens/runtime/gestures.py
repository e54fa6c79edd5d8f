"""One button, four gestures, as a pure state machine. Times are in seconds.

    released within 0.6 s, no second press within 0.35 s    ask        what now? (in explore: I have it)
    pressed again within 0.35 s                             pause      the camera goes off, or on again
    held for 1.5 s, released before 5 s                     mute       cues stop, or come again
    held for 5 s                                            calibrate  the caregiver's mode; nothing is muted

A press of between 0.6 and 1.5 seconds has no meaning.
"""

from dataclasses import dataclass
from typing import Final

SHORT_S: Final = 0.6
SECOND_S: Final = 0.35
MUTE_S: Final = 1.5
CALIBRATE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Hold:
    """The button's phase since `t`: up, down, once (released after a short press) or spent (down, gesture complete)."""

    phase: str = "up"
    t: float = 0.0


def after(hold: Hold, t: float, pressed: bool | None) -> tuple[Hold, tuple[str, ...]]:
    """Return the next state, and the gestures that are complete.

    Args:
        hold: the state so far.
        t: time in seconds.
        pressed: True for an edge down, False for an edge up, None for no edge: a time-out (see `due`).
    """
    gestures: list[str] = []
    at = due(hold)
    if at is not None and t >= at:
        gestures.append("ask" if hold.phase == "once" else "calibrate")
        hold = Hold() if hold.phase == "once" else Hold("spent", t)
    if pressed is True and hold.phase == "once":
        gestures.append("pause")
        hold = Hold("spent", t)
    elif pressed is True and hold.phase == "up":
        hold = Hold("down", t)
    elif pressed is False and hold.phase == "down":
        held_s = t - hold.t
        if held_s >= MUTE_S:
            gestures.append("mute")
        hold = Hold("once", t) if held_s <= SHORT_S else Hold()
    elif pressed is False and hold.phase == "spent":
        hold = Hold()
    return hold, tuple(gestures)


def due(hold: Hold) -> float | None:
    """Return when a time-out completes a gesture; None if it cannot."""
    waits_s = {"once": SECOND_S, "down": CALIBRATE_S}
    return hold.t + waits_s[hold.phase] if hold.phase in waits_s else None

"""One button and its gestures, as a pure state machine. Times are in seconds.

A press of under 1.5 s is short, a longer one is a hold.

    short, no second press within 0.35 s        ask        what now? (in explore: I have it)
    pressed again within 0.35 s                 pause      the camera goes off, or on again
    hold                                        mute       after 1.5 s, however long it lasts
    hold that begins while muted                unmute     at its release; if it begins within 10 s of the last hold,
                                                           the mute stays: who holds on and on wants silence
    two short presses, the third held for 3 s   calibrate  the caregiver's gesture, on top of pause and mute
"""

import math
from typing import Final

import msgspec

HOLD_S: Final = 1.5
NEXT_S: Final = 0.35
CALIBRATE_S: Final = 3.0
KEEP_S: Final = 10.0


class Hold(msgspec.Struct, frozen=True):
    """The state of the button.

    Attributes:
        phase: up; down; once (released after a short press, another may follow); held (down for 1.5 s); done (down,
            and nothing is to come but the release).
        t: when the phase began; of held and done, when the press began.
        presses: presses in this sequence, 1 to 3.
        unmutes: the release of this hold ends the mute.
        last_t: end of the last hold.
    """

    phase: str = "up"
    t: float = 0.0
    presses: int = 0
    unmutes: bool = False
    last_t: float = -math.inf


def after(hold: Hold, t: float, pressed: bool | None, *, muted: bool = False) -> tuple[Hold, tuple[str, ...]]:
    """Return the next state, and the gestures that are complete.

    Args:
        hold: the state so far.
        t: time in seconds.
        pressed: True for an edge down, False for an edge up, None for no edge: a time-out (see `due`).
        muted: the glasses are muted.
    """
    gestures: list[str] = []
    while (at := due(hold)) is not None and t >= at:
        hold, gesture = _time_out(hold, muted=muted)
        gestures += [gesture] if gesture else []
    if pressed and hold.phase == "once":
        gestures += ["pause"] if hold.presses == 1 else []
        hold = msgspec.structs.replace(hold, phase="down", t=t, presses=hold.presses + 1)
    elif pressed and hold.phase == "up":
        hold = msgspec.structs.replace(hold, phase="down", t=t, presses=1)
    elif pressed is False and hold.phase == "down":
        # A short third press begins a sequence of its own.
        hold = msgspec.structs.replace(hold, phase="once", t=t, presses=1 if hold.presses == 3 else hold.presses)
    elif pressed is False and hold.phase in ("held", "done"):
        gestures += ["unmute"] if hold.unmutes else []
        hold = Hold(last_t=t)
    return hold, tuple(gestures)


def due(hold: Hold) -> float | None:
    """Return when a time-out changes the state; None if none does."""
    waits_s = {"once": NEXT_S, "down": HOLD_S, "held": CALIBRATE_S}
    return hold.t + waits_s[hold.phase] if hold.phase in waits_s else None


def _time_out(hold: Hold, *, muted: bool) -> tuple[Hold, str]:
    """Return the state after a time-out, and the gesture that it completes, if any."""
    if hold.phase == "once":
        return Hold(last_t=hold.last_t), "ask" if hold.presses == 1 else ""
    if hold.phase == "down":
        unmutes = muted and hold.t - hold.last_t > KEEP_S
        phase = "held" if hold.presses == 3 else "done"
        return msgspec.structs.replace(hold, phase=phase, unmutes=unmutes), "" if unmutes else "mute"
    return msgspec.structs.replace(hold, phase="done"), "calibrate"


def calibrated(hold: Hold) -> Hold:
    """Return the state once a calibration has begun: it keeps a mute, so the release has none to end."""
    return msgspec.structs.replace(hold, unmutes=False)

"""A mode is a state machine: a name, the outputs it may use, and one pure step from state to state.

A step sees one beat and may ask for one cue, its wish. `moment.may` tells whether the limits allow a wish now. A wish
that they forbid is dropped, so no mode can break a limit.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cuelens.cues.fading import Faded
from cuelens.types import Wish


class PlayRule(msgspec.Struct, frozen=True):
    """The parameters of the modes. Times in seconds.

    Attributes:
        face_absence_s: greet a face only after an empty view of so long.
        wait_s: `explore` answers after so long without a press.
        find: the expressions that `smile` asks for, in turn. If there is none, it asks for nothing.
        round_s: pause between two rounds of `smile`.
    """

    face_absence_s: float = 3.0
    wait_s: float = 4.0
    find: tuple[str, ...] = ("happy",)
    round_s: float = 15.0


class Moment(msgspec.Struct, frozen=True):
    """The input of a step: one beat.

    Attributes:
        t: time of the frame, in seconds.
        track: the attended face; None if there is none.
        expression: its settled expression, or "unsure".
        since_t: when that settled, in seconds.
        answer: the expression to give as an answer, or "unsure".
        press: the wearer pressed the button since the last beat.
        may: tells whether the limits allow a wish now.
        faded: delay and frequency of cues for this wearer.
        remembered: tracks of all faces of which something is believed, in view or not.
    """

    t: float
    track: int | None
    expression: str
    since_t: float
    answer: str
    press: bool
    may: Callable[[Wish], bool]
    faded: Faded
    remembered: frozenset[int]


class Step(msgspec.Struct, frozen=True):
    """The outcome of a step.

    Attributes:
        state: the next state.
        wish: the cue that the mode asks for.
        answered_first: whether the wearer answered a question first; None if no question ended in this beat.
        dropped: the word of a question that was dropped in this beat, so that its light ends; "" in most beats.
    """

    state: Any
    wish: Wish | None = None
    answered_first: bool | None = None
    dropped: str = ""


class Mode(msgspec.Struct, frozen=True):
    """One mode.

    Attributes:
        name: what profile and command line call it.
        about: a sentence for a caregiver.
        begin: the state of a new session.
        step: returns the next state and a wish. It takes state, moment and parameters.
        outputs: the outputs that it may use.
    """

    name: str
    about: str
    begin: Any
    step: Callable[[Any, Moment, PlayRule], Step]
    outputs: frozenset[str] = msgspec.field(default=frozenset({"light", "voice", "console"}))

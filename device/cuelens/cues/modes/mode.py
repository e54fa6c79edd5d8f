"""What a mode is: a name, the outputs it may use, and one pure step from state to state.

A step sees one beat and may wish for one cue. Whether the limits allow it now is asked with `moment.may`; a wish that
they do not allow is dropped, so a mode cannot break a limit, whatever it wishes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cuelens.cues.fading import Faded
from cuelens.types import Wish


@dataclass(frozen=True, slots=True)
class PlayRule:
    """The numbers that modes go by. Times in seconds; `cuelens.profile.profile` explains those of the games.

    face_absence_s: a face is greeted again only after nobody was in view for so long.
    """

    face_absence_s: float = 3.0
    wait_s: float = 4.0
    find: tuple[str, ...] = ("happy",)
    round_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One beat, as a mode sees it.

    track: the face that is spoken of; None if there is none to tell of. expression: what was settled on of it at
    `since_t`, "unsure" without one. asked: the wearer has pressed the button since the last beat. may: whether the
    limits would let a wish through now. faded: how much later and more rarely cues come for this wearer.
    """

    t: float
    track: int | None
    expression: str
    since_t: float
    asked: bool
    may: Callable[[Wish], bool]
    faded: Faded


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to. answered_first: whether the wearer answered first, where that was decided in this beat."""

    state: Any
    wish: Wish | None = None
    answered_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode. about: a sentence for a caregiver. begin: the state of a new session. outputs: those it may use."""

    name: str
    about: str
    begin: Any
    step: Callable[[Any, Moment, PlayRule], Step]
    outputs: frozenset[str] = field(default=frozenset({"light", "voice", "console"}))

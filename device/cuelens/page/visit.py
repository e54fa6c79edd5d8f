"""What the page knows of the caregiver who is here: the state that outlives a sleeping phone. In memory only."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import anyio
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from cuelens.page.board_clock import set_time
from cuelens.page.glasses import GlassesClient
from cuelens.page.lease import Lease
from cuelens.page.pairing import Pairing, draw_token
from cuelens.page.texts import Texts

STEPS: Final = ("aim", "people", "cues", "often", "button", "check")
"""In the order in which they are gone through."""
Notice = tuple[Literal["good", "bad"], str]
"""A sentence to show once, and whether it is about a failure."""


@dataclass(slots=True)
class Check:
    """The thirty seconds with everything on.

    Attributes:
        since: number of the last happening before it. end_s: when it ends.
        cues: word of each cue that came, by its number. answers: whether it was right, by the same.
    """

    since: int
    end_s: float
    cues: dict[int, str] = field(default_factory=dict)
    answers: dict[int, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Opened:
    """A screen, in whichever tabs it is open.

    Attributes:
        since: number of the last happening before it was opened; None while it was not.
        replaced: earlier values of what it changed, by their keys, in the order of the changes; UNSET for what was
            missing.
    """

    since: int | None = None
    replaced: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Visit:
    """One paired phone.

    Attributes:
        csrf: stands in every form. step: the screen that was opened last; "" for the overview.
        opened: what is not saved of each screen, by its name. notice: what to show once.
        notice_while: states of the glasses in which that is true; empty for what stays true.
        streams: how many event streams were opened. tried_s: when a cue was tried last.
        correction: sentence and shares of the last correction. check: the check that runs or was done.
    """

    csrf: str = field(default_factory=draw_token)
    step: str = ""
    opened: dict[str, Opened] = field(default_factory=dict)
    notice: Notice | None = None
    notice_while: tuple[str, ...] = ()
    streams: int = 0
    tried_s: float = float("-inf")
    correction: Any = None
    check: Check | None = None

    def since(self, step: str) -> int:
        """Return the number of the last happening before a screen was opened; 0 if it was not."""
        return self.opened.get(step, Opened()).since or 0


@dataclass(slots=True)
class Page:
    """What all screens share.

    Attributes:
        glasses: is asked. pairing: who may use the page. lease: keeps the calibration on. clock: steady, in seconds.
        show_code: is called with each code that is told, besides the glasses.
        set_time: sets the clock of the board, in seconds since 1970; blocks, and may raise OSError.
        visit: the paired phone's. used_s: when it last asked for something.
        changing: is held while the draft is read and changed.
        clock_is_set: by a phone. The glasses themselves know only of a clock that a network has set.
    """

    glasses: GlassesClient
    lease: Lease
    pairing: Pairing = field(default_factory=Pairing)
    clock: Callable[[], float] = time.monotonic
    show_code: Callable[[str], None] = lambda _code: None
    set_time: Callable[[float], None] = set_time
    visit: Visit = field(default_factory=Visit)
    changing: anyio.Lock = field(default_factory=anyio.Lock)
    used_s: float = 0.0
    looked_s: float = 0.0
    clock_is_set: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request. form: what was posted. t: the texts in the language of the reader."""

    request: Request
    form: ImmutableMultiDict[str, str]
    t: Texts

    def text(self, name: str, default: str = "") -> str:
        """Return a value of the form."""
        return self.form.get(name, default)


ROOT: Final = Path(__file__).parent

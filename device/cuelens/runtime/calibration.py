"""The caregiver's calibration: whether it is on, what the camera sees meanwhile, and how it ends.

It lasts as long as somebody asks for it again and again, so that a page that is gone never leaves the glasses mute.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Literal

import cv2
import msgspec
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.runtime.pipeline import Decision
from cuelens.types import Face
from cuelens.vision.picture_state import COVERED, DARK

LEASE_S: Final = 45.0
"""Time for which one request keeps it on."""
FIRST_LEASE_S: Final = 120.0
"""The same after the gesture: on a small board the page takes half a minute to start, and people reach for a phone."""
_WIDTH: Final = 320
"""Of pictures, in pixels."""
_EVERY_S: Final = 0.12
"""Shortest time between two pictures: eight a second."""
_WATCHED_S: Final = 2.0
"""After a picture was asked for, further ones are made ready for so long."""
_WAIT_S: Final = 1.5
_DIM: Final = 60.0
"""Mean grey level below which a room is dim. At half of it the picture is too dark."""
_JPEG: Final = (int(cv2.IMWRITE_JPEG_QUALITY), 70)


class View(msgspec.Struct, frozen=True):
    """What the camera sees.

    Attributes:
        number: 1 for the first picture, and so on.
        grey: uint8 (height, 320).
        scale: pixels of this picture for each pixel of the frame.
        faces: in pixels of the frame, the nearest first.
        state: state of the picture: running, too dark or covered.
        mean: mean grey level, 0 to 255; None if unknown.
    """

    number: int
    grey: Grey
    scale: float
    faces: tuple[Face, ...]
    state: str
    mean: float | None

    def jpeg(self) -> bytes:
        """Return the picture as a JPEG."""
        return bytes(cv2.imencode(".jpg", self.grey, _JPEG)[1])


class Ending(msgspec.Struct, frozen=True):
    """How a calibration ends. rest: the glasses rest until a press. session_s: of the session after it; None: usual."""

    rest: bool = False
    session_s: float | None = None


class Calibration:
    """Thread-safe. A clock returns seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.ending = Ending()
        """How the last one ended, or the next ends if nobody says otherwise."""
        self._clock = clock
        self._until_s = 0.0
        self._cues = False
        self._watched_s = float("-inf")
        self._view: View | None = None
        self._viewed_s = float("-inf")
        self._changed = threading.Condition()

    @property
    def on(self) -> bool:
        """Whether a calibration is on."""
        return self._clock() < self._until_s

    @property
    def quiet(self) -> bool:
        """Whether no cue comes unasked."""
        return self.on and not self._cues

    def begin(self, lease_s: float = LEASE_S, *, cues: bool = False) -> None:
        """Begin, or last so many seconds from now on. cues: they come as without a calibration."""
        if not self.on:
            self.ending = Ending()
            self._view = None
        self._cues = cues
        self._until_s = self._clock() + lease_s

    def leave(self, ending: Ending) -> None:
        """End it."""
        self.ending = ending
        self._until_s = 0.0
        self._view = None

    def see(self, frame: Frame, decision: Decision) -> None:
        """Keep a small copy of a frame if somebody looks. Called in every beat."""
        now_s = self._clock()
        if not self.on:
            self._view = None
            return
        if now_s - self._watched_s > _WATCHED_S or now_s - self._viewed_s < _EVERY_S:
            return
        height, width = frame.grey.shape
        size = _WIDTH, max(round(height * _WIDTH / width), 1)
        small = np.asarray(cv2.resize(frame.grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        faces = tuple(sorted(decision.faces, key=lambda face: -face.box[2]))
        with self._changed:
            number = self._view.number + 1 if self._view else 1
            self._view = View(number, small, _WIDTH / width, faces, decision.state, decision.mean)
            self._viewed_s = now_s
            self._changed.notify_all()

    def look(self) -> View | None:
        """Return a new picture, or the last one if none comes in time and it is not old. None without a calibration."""
        with self._changed:
            before, self._watched_s = self._view, self._clock()
            self._changed.wait_for(lambda: self._view is not before or not self.on, _WAIT_S)
            is_new = self._clock() - self._viewed_s <= _WATCHED_S
            return self._view if self.on and is_new else None


def light_of(view: View) -> Literal["good", "dim", "too dark", "covered"]:
    """Return whether a picture is light enough."""
    if view.state == COVERED:
        return "covered"
    if view.state == DARK:
        return "too dark"
    return "dim" if view.mean is not None and view.mean < _DIM else "good"

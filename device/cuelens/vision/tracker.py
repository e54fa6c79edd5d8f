"""Tracks: which face of this frame is which of the frame before."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey
from cuelens.types import Box, Face
from cuelens.vision.boxes import distance, near

MISSES: Final = 2
_FRESH: Final = 0.5
"""Share of the newest step in what is believed of a face's speed."""
_SIDE: Final = 8
"""Pixels on a side of what is remembered of how a face looks, to tell two apart who pass each other."""
_FRESH_LOOK: Final = 0.3
_LOOK_EVERY_S: Final = 0.25
_ALIKE: Final = 0.72
"""Correlation of two such pictures from which they may be one face: of one person mostly over 0.9, of two under 0.7."""
_JUMP: Final = 0.3
"""How far a face may be from where it should be before its looks are compared, in sides of its box."""

Look = NDArray[np.float32]
"""(64,), mean 0, norm 1."""


@dataclass(slots=True)
class Track:
    """One face that is followed. box: where it was found last, at time t. speed: of its centre, in pixels a second."""

    box: Box
    began: float
    t: float
    number: int = 0
    """0 until the face was found in a second beat."""
    misses: int = 0
    speed: tuple[float, float] = (0.0, 0.0)
    look: Look | None = None
    look_t: float = 0.0

    def expected(self, t: float) -> Box:
        """Return where the face should be at a time."""
        ahead = t - self.t
        return round(self.box[0] + self.speed[0] * ahead), round(self.box[1] + self.speed[1] * ahead), *self.box[2:]

    def found(self, box: Box, t: float) -> None:
        """Take it that the face is here now."""
        seconds = t - self.t
        if seconds > 0:
            across = box[0] - self.box[0] + (box[2] - self.box[2]) / 2
            down = box[1] - self.box[1] + (box[3] - self.box[3]) / 2
            self.speed = (
                self.speed[0] + _FRESH * (across / seconds - self.speed[0]),
                self.speed[1] + _FRESH * (down / seconds - self.speed[1]),
            )
        self.box, self.t, self.misses = box, t, 0


def assign(found: dict[int, list[Box]], tracks: list[Track], grey: Grey, t: float) -> None:
    """Give each track at most one of the boxes found around it, each box to one track, the likeliest pairs first.

    found: boxes for the index of a track. A track that gets none has missed once more. Of people who pass each other
    one hides the other; then place and speed say little, and whoever looks otherwise than before is somebody else.
    """
    pairs = sorted(
        (cost, index, box)
        for index, boxes in found.items()
        for box in boxes
        if (cost := _cost(tracks[index], box, tracks, grey, t)) is not None
    )
    given: list[Box] = []
    served: set[int] = set()
    for _, index, box in pairs:
        if index not in served and not any(near(box, other) for other in given):
            tracks[index].found(box, t)
            served.add(index)
            given.append(box)
    for index in found.keys() - served:
        tracks[index].misses += 1
    for track in tracks:
        if track.t == t and t - track.look_t >= _LOOK_EVERY_S and not _crowded(track, track.box, tracks, t):
            _remember(track, grey)


def _cost(track: Track, box: Box, tracks: list[Track], grey: Grey, t: float) -> float | None:
    """Return how unlikely it is that the box is the track's face; None if it is somebody else's."""
    cost = distance(track.expected(t), box) / box[2]
    if not (track.misses or cost > _JUMP or _crowded(track, box, tracks, t)):
        return cost
    alike = _alike(track, box, grey)
    return cost + 1 - alike if alike >= _ALIKE else None


def _crowded(track: Track, box: Box, tracks: list[Track], t: float) -> bool:
    """Whether another face is so near that it may hide this one, or be taken for it."""
    others = (other.expected(t) for other in tracks if other is not track)
    return any(distance(box, other) < max(box[2], other[2]) for other in others)


def _remember(track: Track, grey: Grey) -> None:
    now = _look(grey, track.box)
    if now is None:
        return
    mixed: Look = now if track.look is None else (1 - _FRESH_LOOK) * track.look + _FRESH_LOOK * now
    track.look = mixed / np.float32(np.linalg.norm(mixed))
    track.look_t = track.t


def _alike(track: Track, box: Box, grey: Grey) -> float:
    """Return the correlation of what is in a box with how the track's face looked; 1 if one of them is not known."""
    now = _look(grey, box)
    return 1.0 if track.look is None or now is None else float(track.look @ now)


def _look(grey: Grey, box: Box) -> Look | None:
    """Return how a face looks; None if there is nothing to see."""
    x, y, width, height = box
    face = grey[max(y, 0) : y + height, max(x, 0) : x + width]
    if not face.size:
        return None
    # Three pixels of each of the eight rows and columns are enough, and cost a tenth of all of them.
    every = max(min(face.shape) // (3 * _SIDE), 1)
    blurred = cv2.resize(face[::every, ::every], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(blurred, np.float32).ravel()
    small -= small.mean()
    contrast = float(np.linalg.norm(small))
    return small / np.float32(contrast) if contrast > 1 else None


class Register:
    """The numbers of tracks. One that returns near its place within `reunion_s` keeps its number."""

    def __init__(self, reunion_s: float) -> None:
        self._reunion_s = reunion_s
        self._gone: list[Track] = []
        self._last = 0

    def number(self, track: Track, grey: Grey) -> Face:
        """Number a track that counts from now on."""
        self._gone = [old for old in self._gone if track.t - old.t <= self._reunion_s]
        before = min(
            (old for old in self._gone if near(old.box, track.box) and _alike(old, track.box, grey) >= _ALIKE),
            key=lambda old: distance(old.box, track.box),
            default=None,
        )
        if before:
            self._gone.remove(before)
            track.number, track.look, track.look_t = before.number, before.look, before.look_t
        else:
            self._last += 1
            track.number = self._last
        return Face(track.number, track.box)

    def gone(self, track: Track) -> None:
        """Remember a track that was lost."""
        self._gone.append(track)

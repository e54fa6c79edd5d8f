"""Tracking: matches the faces of a frame to those of the frame before."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey
from cuelens.types import Box, Face
from cuelens.vision.boxes import distance, near

MISSES: Final = 2
"""Beats in a row without a box after which a numbered track is lost."""
_SPEED_WEIGHT: Final = 0.5
"""Weight of the newest step in the speed (exponential smoothing)."""
_SIDE: Final = 8
"""Side of a thumbnail, in pixels. Thumbnails tell two faces apart that pass each other."""
_LOOK_WEIGHT: Final = 0.3
"""Weight of the newest thumbnail (exponential smoothing)."""
_LOOK_EVERY_S: Final = 0.25
_ALIKE: Final = 0.72
"""Least correlation of two thumbnails of one face: mostly over 0.9 for one person, under 0.7 for two."""
_JUMP: Final = 0.3
"""Distance from the predicted place beyond which thumbnails are compared, in sides of the box."""

Look = NDArray[np.float32]
"""A thumbnail of a face: (64,), mean 0, norm 1."""


@dataclass(slots=True)
class Track:
    """One tracked face.

    Attributes:
        box: its last box, in pixels of the frame.
        began: time of its first box, in seconds.
        t: time of its last box, in seconds.
        number: 0 until it has a box in a second beat.
        misses: beats in a row without a box.
        speed: of its centre, right and down, in pixels a second, smoothed.
        look: its thumbnail, smoothed; None before the first.
        look_t: time of the newest thumbnail, in seconds.
    """

    box: Box
    began: float
    t: float
    number: int = 0
    misses: int = 0
    speed: tuple[float, float] = (0.0, 0.0)
    look: Look | None = None
    look_t: float = 0.0

    def expected(self, t: float) -> Box:
        """Return the box predicted for time `t`, at constant speed."""
        ahead = t - self.t
        return round(self.box[0] + self.speed[0] * ahead), round(self.box[1] + self.speed[1] * ahead), *self.box[2:]

    def update(self, box: Box, t: float) -> None:
        """Set the box at time `t`, and smooth the speed."""
        seconds = t - self.t
        if seconds > 0:
            across = box[0] - self.box[0] + (box[2] - self.box[2]) / 2
            down = box[1] - self.box[1] + (box[3] - self.box[3]) / 2
            self.speed = (
                self.speed[0] + _SPEED_WEIGHT * (across / seconds - self.speed[0]),
                self.speed[1] + _SPEED_WEIGHT * (down / seconds - self.speed[1]),
            )
        self.box, self.t, self.misses = box, t, 0


def assign(candidates: dict[int, list[Box]], tracks: list[Track], grey: Grey, t: float) -> None:
    """Match boxes to tracks one to one, the likeliest pairs first. A track without a box counts a miss.

    Of people who pass each other, one hides the other, and place and speed say little. Then thumbnails must match too.

    Args:
        candidates: boxes around the predicted place of each track, by the track's index.
        tracks: the tracks; updated in place.
        grey: the frame, uint8 (height, width).
        t: time of the frame, in seconds.
    """
    pairs = sorted(
        (cost, index, box)
        for index, boxes in candidates.items()
        for box in boxes
        if (cost := _cost(tracks[index], box, tracks, grey, t)) is not None
    )
    matches: dict[int, Box] = {}
    for _, index, box in pairs:
        if index not in matches and not any(near(box, other) for other in matches.values()):
            tracks[index].update(box, t)
            matches[index] = box
    for index in candidates.keys() - matches.keys():
        tracks[index].misses += 1
    for track in tracks:
        if track.t == t and t - track.look_t >= _LOOK_EVERY_S and not _crowded(track, track.box, tracks, t):
            _update_look(track, grey)


def _cost(track: Track, box: Box, tracks: list[Track], grey: Grey, t: float) -> float | None:
    """Return the cost of matching a box to a track; None if it is another face."""
    cost = distance(track.expected(t), box) / box[2]
    if not (track.misses or cost > _JUMP or _crowded(track, box, tracks, t)):
        return cost
    alike = _alike(track, box, grey)
    return cost + 1 - alike if alike >= _ALIKE else None


def _crowded(track: Track, box: Box, tracks: list[Track], t: float) -> bool:
    """Whether another tracked face is near enough to hide this one, or to be mistaken for it."""
    others = (other.expected(t) for other in tracks if other is not track)
    return any(distance(box, other) < max(box[2], other[2]) for other in others)


def _update_look(track: Track, grey: Grey) -> None:
    newest = _look(grey, track.box)
    if newest is None:
        return
    mean: Look = newest if track.look is None else (1 - _LOOK_WEIGHT) * track.look + _LOOK_WEIGHT * newest
    track.look = mean / np.float32(np.linalg.norm(mean))
    track.look_t = track.t


def _alike(track: Track, box: Box, grey: Grey) -> float:
    """Return the correlation of a box's thumbnail with the track's; 1 if one of them is missing."""
    newest = _look(grey, box)
    return 1.0 if track.look is None or newest is None else float(track.look @ newest)


def _look(grey: Grey, box: Box) -> Look | None:
    """Return the thumbnail of a face; None if the box is outside the frame or has no contrast."""
    x, y, width, height = box
    face = grey[max(y, 0) : y + height, max(x, 0) : x + width]
    if not face.size:
        return None
    # Sampling: three pixels to one of the thumbnail, each way, are enough, and cost a tenth of all of them.
    every = max(min(face.shape) // (3 * _SIDE), 1)
    blurred = cv2.resize(face[::every, ::every], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(blurred, np.float32).ravel()
    small -= small.mean()
    contrast = float(np.linalg.norm(small))
    return small / np.float32(contrast) if contrast > 1 else None


class Register:
    """Track numbers. A face that returns near its place within `reunion_s` seconds keeps its number."""

    def __init__(self, reunion_s: float) -> None:
        self._reunion_s = reunion_s
        self._gone: list[Track] = []
        self._last = 0

    def number(self, track: Track, grey: Grey) -> Face:
        """Give a track its number, which makes it count."""
        self._gone = [old for old in self._gone if track.t - old.t <= self._reunion_s]
        earlier = min(
            (old for old in self._gone if near(old.box, track.box) and _alike(old, track.box, grey) >= _ALIKE),
            key=lambda old: distance(old.box, track.box),
            default=None,
        )
        if earlier:
            self._gone.remove(earlier)
            track.number, track.look, track.look_t = earlier.number, earlier.look, earlier.look_t
        else:
            self._last += 1
            track.number = self._last
        return Face(track.number, track.box)

    def gone(self, track: Track) -> None:
        """Store a lost track, in case it returns."""
        self._gone.append(track)

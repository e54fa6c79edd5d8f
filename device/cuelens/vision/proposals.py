"""Proposals: where new faces may be, by one look at the whole frame. Each is confirmed or dropped by a closer search.

A proposal that was dropped rests, longer each time, so that others get their turn.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box
from cuelens.vision.boxes import distance, near, to_frame, turned, turned_back
from cuelens.vision.optics import Optics
from cuelens.vision.region_search import UPRIGHT
from cuelens.vision.shrinking import Shrinker

_SMALLEST, _LARGEST = 0.8, 1.2
"""Factors by which a candidate's side may lie outside the sizes of the optics: it is not exact."""
_CHECKED: Final = 40
"""Largest side of a candidate in the shrunken picture in which it is checked, in pixels."""
_REACH, _NARROWEST, _WIDEST = 1.7, 0.5, 1.1
"""Side of that picture, and sides of the smallest and the largest window, in sides of the candidate. A candidate's box
is mostly larger than the detector's: of a small face by half.
"""
_FURTHER: Final = 14.0
"""Degrees by which a head leans further, if it leans and the first check fails: a candidate's tilt is too small."""
_LEANING: Final = 22.0
"""Degrees by which a head may lean of which nothing was found. The detector finds those within 12 degrees of it."""
_PATIENCE: Final = 3
"""One check in so many of a place tries such a lean, and to the other side the next time."""
_SCANS: Final = 2
"""Most scans by the detector in one look. What it finds costs a search in each of the next beats besides."""
_RESTS_S: Final = (0.13, 0.26, 0.5)
"""For so long a candidate rests that was dropped once, twice, and more often."""
_FORGOTTEN_S: Final = 5.0


class Proposal(msgspec.Struct, frozen=True):
    """A place where a face may be. tilt: by how much its head leans, in degrees, counter-clockwise."""

    box: Box
    tilt: float


class _Dropped(msgspec.Struct):
    """A place that rests. times: that it was dropped. t: of the last time, in seconds."""

    box: Box
    t: float
    times: int = 1

    @property
    def until(self) -> float:
        return self.t + _RESTS_S[min(self.times, len(_RESTS_S)) - 1]


class Proposals:
    """Looks at shrunken frames. Its buffers are reused."""

    def __init__(self, detector: Detector, optics: Optics) -> None:
        self._detector = detector
        self._optics = optics
        self._shrinker = Shrinker()
        self._pixels = [np.empty((0, 0), np.uint8), np.empty((0, 0), np.uint8)]
        """A shrunken frame, and a turned one."""
        self._dropped: list[_Dropped] = []

    def look(self, frame: Frame, faces: Sequence[Box], *, hits: int, level: float = 0.0) -> list[Proposal]:
        """Return where new faces may be, the likeliest first.

        Args:
            frame: the frame.
            faces: boxes of tracked faces. Candidates near them are left out.
            hits: how many windows of the detector must pass at a candidate.
            level: by how many degrees the room leans, counter-clockwise.
        """
        self._dropped = [old for old in self._dropped if frame.t - old.t < _FORGOTTEN_S]
        known = [old.box for old in self._dropped if frame.t < old.until]
        found: list[Proposal] = []
        scans = _SCANS
        for candidate in self._candidates(frame.grey, level):
            # The side of a candidate may be far off, so its centre alone tells that a face is followed there.
            followed = any(distance(candidate.box, face) < face[2] / 2 for face in faces)
            if followed or any(near(candidate.box, box) for box in known):
                continue
            proposal = None
            for tilt in _tilts(candidate.tilt, level, self._times(candidate.box)):
                windows = self._windows(frame.grey, candidate.box, tilt)
                scans -= 1
                if len(windows) >= hits and not any(near(_mean(windows), face) for face in faces):
                    proposal = Proposal(_mean(windows), tilt)
                if proposal or not scans:
                    break
            # It rests, whatever comes of it: a face that is found is followed, and what is none would come again. One
            # that passed and is not found in the next beat is dropped there too, so its own tilt is tried once more.
            self.drop(candidate.box, frame.t)
            known.append(candidate.box)
            if proposal:
                found.append(proposal)
                known.append(proposal.box)
            if not scans:
                break
        return found

    def _candidates(self, grey: Grey, level: float) -> Iterator[Proposal]:
        """Yield where faces may be, the likeliest first. level: by how many degrees the room leans."""
        height, width = grey.shape
        smallest, largest = self._optics.smallest_face(width, height), self._optics.largest_face(width, height)
        if min(height, width) < smallest:
            return
        shrink = max(round(smallest / self._detector.smallest_candidate), 1)
        for one in self._detector.candidates(self._small(grey, shrink, level)):
            side = round(shrink * one.side)
            if not _SMALLEST * smallest < side < _LARGEST * largest:
                continue
            box = round(shrink * one.x - side / 2), round(shrink * one.y - side / 2), side, side
            yield Proposal(turned_back(box, grey.shape, level) if level else box, one.tilt + level)

    def _windows(self, grey: Grey, place: Box, tilt: float) -> list[Box]:
        """Return the windows of the detector that pass at a place for heads that lean by `tilt` degrees."""
        x, y, side, _ = place
        shrink = -(-side // _CHECKED)
        around = round((_REACH - 1) / 2 * side)
        left, top = max(x - around, 0), max(y - around, 0)
        columns = (min(x + side + around, grey.shape[1]) - left) // shrink
        rows = (min(y + side + around, grey.shape[0]) - top) // shrink
        smallest = max(round(_NARROWEST * side / shrink), self._detector.smallest)
        if min(columns, rows) < smallest:
            return []
        picture = grey[top : top + rows * shrink, left : left + columns * shrink]
        if shrink > 1:
            small = np.empty((rows, columns), np.uint8)
            self._shrinker.shrink(small, picture, shrink)
            picture = small
        if abs(tilt) >= UPRIGHT:
            picture = turned(picture, -tilt)
        windows = self._detector.hits(picture, smallest, round(_WIDEST * side / shrink))
        if abs(tilt) >= UPRIGHT:
            windows = [turned_back(window, picture.shape, tilt) for window in windows]
        return [to_frame(window, left, top, shrink) for window in windows]

    def _times(self, box: Box) -> int:
        """Return how many times a place was dropped lately."""
        return next((old.times for old in self._dropped if near(old.box, box)), 0)

    def drop(self, box: Box, t: float) -> None:
        """Let a place rest from time `t` on: nobody is known to be there."""
        earlier = next((old for old in self._dropped if near(old.box, box)), None)
        if earlier:
            earlier.box, earlier.t, earlier.times = box, t, earlier.times + 1
        else:
            self._dropped.append(_Dropped(box, t))

    def _small(self, grey: Grey, shrink: int, level: float) -> Grey:
        """Return the frame, shrunken by a whole factor, and turned until the room is level."""
        rows, columns = grey.shape[0] // shrink, grey.shape[1] // shrink
        if self._pixels[0].shape != (rows, columns):
            self._pixels = [np.empty((rows, columns), np.uint8), np.empty((rows, columns), np.uint8)]
        self._shrinker.shrink(self._pixels[0], grey[: rows * shrink, : columns * shrink], shrink)
        return turned(self._pixels[0], -level, self._pixels[1]) if level else self._pixels[0]


def _tilts(tilt: float, level: float, times: int) -> tuple[float, ...]:
    """Return the tilts with which a candidate is checked.

    Args:
        tilt: the network's.
        level: by how many degrees the room leans.
        times: that the place was dropped before. After two, another lean is tried, then the network's tilt again.
    """
    lean = tilt - level
    if times % _PATIENCE == _PATIENCE - 1:
        return (level + math.copysign(_LEANING, lean if times % (2 * _PATIENCE) < _PATIENCE else -lean),)
    return (tilt, tilt + math.copysign(_FURTHER, lean)) if abs(lean) >= UPRIGHT else (tilt,)


def _mean(boxes: Sequence[Box]) -> Box:
    """Return the mean of boxes."""
    x, y, width, height = (round(sum(numbers) / len(boxes)) for numbers in zip(*boxes, strict=True))
    return x, y, width, height

"""The sweep: a slow search of the whole frame for faces, in small parts, a few of them a beat.

It finds what the network of candidates does not know.

A scan of a whole frame costs thirty times a scan around a tracked face, too much for one beat. So the frame is divided
into parts of about equal cost: one size of face in one strip of rows, or several of the larger sizes. Hits (windows
that pass for a face) are stored for a moment. Hits of different parts are grouped as those of one scan would be.

Of a part only the area is scanned in which something has changed since it was scanned the last time, or in which there
were hits; now and then all of it is.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box
from cuelens.vision.boxes import grouped, near, to_frame, turned_back
from cuelens.vision.motion import Blocks, Motion
from cuelens.vision.optics import Optics
from cuelens.vision.shrinking import Shrinker

_PARTS: Final = 24
"""Target number of parts in a sweep. Fewer parts cost a beat more; more parts scan some pixels twice."""
_HIT_LIFE_S: Final = 0.6
"""Lifetime of a hit, in seconds: a head moves."""
_AGAIN: Final = 4
"""One sweep of so many scans all of a part, whether it has changed or not: chance may have hidden a face."""

_RESIZED: Final = 1.3
"""Factor by which the side of a face may differ that was lost a moment ago."""


@dataclass(slots=True)
class Part:
    """Faces of some sizes, wholly in some rows, of the shrunken frame. Lengths are in shrunken pixels.

    Attributes:
        shrink: whole factor by which the frame is shrunk.
        top: first row.
        bottom: row after the last one.
        smallest: side of the smallest face.
        largest: side of the largest face.
        found: hits of the last scan, in pixels of the frame.
        hits: those of them that still wait to be grouped.
        t: time of the last scan, in seconds.
        blocks: what the frame looked like then, and where faces were followed what it had looked like before; None
            before the first scan.
        turns: sweeps until all of it is scanned.
    """

    shrink: int
    top: int
    bottom: int
    smallest: int
    largest: int
    found: list[Box] = field(default_factory=list)
    hits: list[Box] = field(default_factory=list)
    t: float = 0.0
    blocks: Blocks | None = None
    turns: int = 0


class Sweep:
    """Scans the parts of a frame in turn, as many in one call as the caller asks for."""

    def __init__(self, detector: Detector, optics: Optics, tilt: float) -> None:
        """Divide nothing yet: the first frame gives the size.

        Args:
            detector: finds upright faces.
            optics: gives the sizes of faces.
            tilt: by how much the heads lean, in degrees, counter-clockwise. The corners of a turned frame are cut off.
        """
        self.tilt = tilt
        self._detector = detector
        self._optics = optics
        self._shrinker = Shrinker()
        self._shape = (0, 0)
        self._parts: list[Part] = []
        self._next = 0
        self._buffers: dict[int, Grey] = {}

    def parts(self, frame: Frame) -> int:
        """Return the number of parts for frames of this shape."""
        if frame.grey.shape != self._shape:
            self._divide(frame.grey.shape)
        return len(self._parts)

    def scan(
        self,
        frame: Frame,
        parts: int,
        faces: Sequence[Box],
        motion: Motion,
        *,
        hits: int,
        most: int,
        lost: Sequence[Box] = (),
    ) -> list[Box]:
        """Scan the next parts. Returns boxes of candidates for new faces, in pixels of the frame, the surest first.

        Args:
            frame: the frame.
            parts: number of parts to scan.
            faces: boxes of tracked faces, in pixels of the frame. Hits near them are dropped.
            motion: the blocks of the frame.
            hits: how many hits must agree on a candidate.
            most: most candidates to return.
            lost: boxes of faces that were lost a moment ago. They are searched for although nothing changes there.
        """
        for _ in range(min(parts, self.parts(frame))):
            if self._next == len(self._parts):
                self._next = 0
            part = self._parts[self._next]
            self._next += 1
            found = self._scan(frame.grey, part, self._area(frame.grey, part, faces, lost, motion))
            part.found = [hit for hit in found if not any(near(hit, box) for box in faces)]
            part.hits = part.found.copy()
            part.t, part.blocks = frame.t, motion.beside(faces, part.blocks)
        recent = [hit for part in self._parts if frame.t - part.t <= _HIT_LIFE_S for hit in part.hits]
        candidates = sorted((-count, box) for box, count in grouped(recent, hits).items())[:most]
        if candidates:
            for part in self._parts:
                part.hits.clear()
        return [box for _, box in candidates]

    def _area(self, grey: Grey, part: Part, faces: Sequence[Box], lost: Sequence[Box], motion: Motion) -> Box:
        """Return the area of a part to scan, in pixels of its shrunken, turned frame; one too small for a face if none.

        A face of which more than its edge changed is wholly inside.
        """
        columns = self._buffers[part.shrink].shape[1]
        part.turns -= 1
        sizes = part.smallest * part.shrink / _RESIZED, part.largest * part.shrink * _RESIZED
        places = [*part.found, *(box for box in lost if sizes[0] <= box[2] <= sizes[1])]
        changed = motion.area(None if part.turns < 0 else part.blocks, faces, places)
        if part.turns < 0:
            # Not all parts are scanned wholly in the same sweep.
            first = part.blocks is None
            part.turns = self._next % _AGAIN if first else _AGAIN - 1
            return 0, part.top, columns, part.bottom - part.top
        if changed is None:
            return 0, part.top, 0, 0
        x, y, width, height = self._turned(changed, grey.shape) if self.tilt else changed
        around = part.largest + 1
        left, top = max(x // part.shrink - around, 0), max(y // part.shrink - around, part.top)
        right = min(-(-(x + width) // part.shrink) + around, columns)
        bottom = min(-(-(y + height) // part.shrink) + around, part.bottom)
        return left, top, right - left, bottom - top

    def _turned(self, area: Box, shape: tuple[int, ...]) -> Box:
        """Return the upright area around one that is turned with the frame, until leaning heads are upright."""
        x, y, width, height = area
        sine, cosine = math.sin(math.radians(self.tilt)), math.cos(math.radians(self.tilt))
        corners = [(x + right - shape[1] / 2, y + down - shape[0] / 2) for right in (0, width) for down in (0, height)]
        across = [shape[1] / 2 + right * cosine - down * sine for right, down in corners]
        below = [shape[0] / 2 + right * sine + down * cosine for right, down in corners]
        left, top = math.floor(min(across)), math.floor(min(below))
        return left, top, math.ceil(max(across)) - left, math.ceil(max(below)) - top

    def _scan(self, grey: Grey, part: Part, area: Box) -> Iterator[Box]:
        """Yield the hits in an area of a part, in pixels of the frame."""
        left, top, width, height = area
        if min(width, height) < part.smallest:
            return
        for hit in self._detector.hits(self._cut(grey, part, area), part.smallest, part.largest):
            box = to_frame(hit, left * part.shrink, top * part.shrink, part.shrink)
            yield turned_back(box, grey.shape, self.tilt) if self.tilt else box

    def _cut(self, grey: Grey, part: Part, area: Box) -> Grey:
        """Return an area of a part, shrunken, and turned until leaning heads are upright."""
        shrink = part.shrink
        left, top, width, height = area
        buffer = self._buffers[shrink][top : top + height, left : left + width]
        step = 1
        if not self.tilt:
            rows = grey[top * shrink : (top + height) * shrink, left * shrink : (left + width) * shrink]
        else:
            # One pixel in two each way is enough where a face is shrunk by two or more.
            step = min(shrink, 2)
            middle = (grey.shape[1] - 1) / 2, (grey.shape[0] - 1) / 2
            turn = np.asarray(cv2.getRotationMatrix2D(middle, -self.tilt, 1), np.float64) / step
            turn[:, 2] += (1 / step - 1) / 2
            turn[0, 2] -= left * shrink // step
            turn[1, 2] -= top * shrink // step
            size = width * shrink // step, height * shrink // step
            flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
            rows = np.asarray(cv2.warpAffine(grey, turn, size, flags=flags, borderMode=border), np.uint8)
        if rows.shape == buffer.shape:
            return rows
        buffer = self._buffers[shrink].reshape(-1)[: width * height].reshape(height, width)
        self._shrinker.shrink(buffer, rows, shrink // step)
        return buffer

    def _divide(self, shape: tuple[int, int]) -> None:
        """Divide frames of this shape into parts with about the same number of the detector's windows."""
        self._shape, self._next = shape, 0
        self._parts, self._buffers = [], {}
        sizes = self._sizes()
        share = sum(windows for *_, windows in sizes) / _PARTS
        room, last = 0.0, 0
        for shrink, side, windows in sizes:
            rows, columns = shape[0] // shrink, shape[1] // shrink
            if shrink not in self._buffers:
                self._buffers[shrink] = np.empty((rows, columns), np.uint8)
            if shrink != last:
                room, last = 0.0, shrink
            if windows <= room:
                self._parts[-1].largest = side
                room -= windows
                continue
            strips = max(round(windows / share), 1)
            edges = np.linspace(0, rows - side, strips + 1).round().astype(int).tolist()
            self._parts += [Part(shrink, top, bottom + side, side, side) for top, bottom in pairwise(edges)]
            # A part with all rows takes larger sizes too, up to 1.25 shares of windows.
            room = 1.25 * share - windows if strips == 1 else 0.0

    def _sizes(self) -> list[tuple[int, int, float]]:
        """Return the sizes to search for: shrink factor, side in shrunken pixels, number of windows.

        The frame is shrunk until the smallest face is one to two of the detector's windows wide, and by half again for
        every doubling: beyond that a window costs four times as much, for the detector steps half as far.
        """
        height, width = self._shape
        window = self._detector.smallest
        smallest, largest = self._optics.smallest_face(width, height), self._optics.largest_face(width, height)
        shrink = max(int(smallest / window), 1)
        sizes = []
        while smallest <= largest:
            columns, rows = width // shrink, height // shrink
            sizes += [
                (shrink, side, (columns - side) * (rows - side) / side**2)
                for side in self._detector.sides(max(round(smallest / shrink), window), 2 * window - 1)
                if side * shrink <= 1.1 * largest and side < min(columns, rows)
            ]
            shrink *= 2
            smallest = max(smallest, float(window * shrink))
        return sizes

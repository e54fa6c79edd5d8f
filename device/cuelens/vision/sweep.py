"""The sweep: a search of the whole frame for faces, in small parts, a few of them a beat.

A scan of a whole frame costs thirty times a scan around a tracked face, too much for one beat. So the frame is divided
into parts of about equal cost: one size of face in one strip of rows, or several of the larger sizes. Hits (windows
that pass for a face) are stored for a moment. Hits of different parts are grouped as those of one scan would be.
"""

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
from cuelens.vision.optics import Optics

_PARTS: Final = 24
"""Target number of parts in a sweep. Fewer parts cost a beat more; more parts scan some pixels twice."""
_HIT_LIFE_S: Final = 0.6
"""Lifetime of a hit, in seconds: a head moves."""


@dataclass(slots=True)
class Part:
    """Faces of some sizes, wholly in some rows, of the shrunken frame. Lengths are in shrunken pixels.

    Attributes:
        shrink: whole factor by which the frame is shrunk.
        top: first row.
        bottom: row after the last one.
        smallest: side of the smallest face.
        largest: side of the largest face.
        hits: boxes of the last scan, in pixels of the frame.
        t: time of the last scan, in seconds.
    """

    shrink: int
    top: int
    bottom: int
    smallest: int
    largest: int
    hits: list[Box] = field(default_factory=list)
    t: float = 0.0


class Sweep:
    """Scans the parts of a frame in turn, as many in one call as the caller asks for."""

    def __init__(self, detector: Detector, optics: Optics, tilt: float = 0.0, every: int = 1) -> None:
        """Divide nothing yet: the first frame gives the size.

        Args:
            detector: finds upright faces.
            optics: gives the sizes of faces.
            tilt: by how much the heads lean, in degrees, counter-clockwise. The corners of a turned frame are cut off.
            every: 3 searches for every third size only, in a third of the parts; for the next ones in the next sweep.
        """
        self.tilt = tilt
        self._every = every
        self._first = 0
        self._detector = detector
        self._optics = optics
        self._shape = (0, 0)
        self._parts: list[Part] = []
        self._next = 0
        self._buffers: dict[int, Grey] = {}

    def parts(self, frame: Frame) -> int:
        """Return the number of parts for frames of this shape."""
        if frame.grey.shape != self._shape:
            self._divide(frame.grey.shape)
        return len(self._parts)

    def scan(self, frame: Frame, parts: int, faces: Sequence[Box], hits: int, most: int) -> list[Box]:
        """Scan the next parts. Returns boxes of candidates for new faces, in pixels of the frame, the surest first.

        Args:
            frame: the frame.
            parts: number of parts to scan.
            faces: boxes of tracked faces, in pixels of the frame. Hits near them are dropped.
            hits: how many hits must agree on a candidate.
            most: most candidates to return.
        """
        for _ in range(min(parts, self.parts(frame))):
            if self._next == len(self._parts):
                self._next = 0
                if self._every > 1:
                    self._first = (self._first + 1) % self._every
                    self._divide(self._shape)
            part = self._parts[self._next]
            self._next += 1
            part.t = frame.t
            part.hits = [hit for hit in self._scan(frame.grey, part) if not any(near(hit, box) for box in faces)]
        recent = [hit for part in self._parts if frame.t - part.t <= _HIT_LIFE_S for hit in part.hits]
        candidates = sorted((-count, box) for box, count in grouped(recent, hits).items())[:most]
        if candidates:
            for part in self._parts:
                part.hits.clear()
        return [box for _, box in candidates]

    def _scan(self, grey: Grey, part: Part) -> Iterator[Box]:
        """Yield the hits of a part, in pixels of the frame."""
        for hit in self._detector.hits(self._rows(grey, part), part.smallest, part.largest):
            box = to_frame(hit, 0, part.top * part.shrink, part.shrink)
            yield turned_back(box, grey.shape, self.tilt) if self.tilt else box

    def _rows(self, grey: Grey, part: Part) -> Grey:
        """Return the rows of a part, shrunken, and turned until leaning heads are upright."""
        shrink = part.shrink
        buffer = self._buffers[shrink][part.top : part.bottom]
        if not self.tilt:
            rows = grey[part.top * shrink : part.bottom * shrink, : grey.shape[1] // shrink * shrink]
        else:
            # One pixel in two each way is enough where a face is shrunk by two or more.
            step = min(shrink, 2)
            middle = (grey.shape[1] - 1) / 2, (grey.shape[0] - 1) / 2
            turn = np.asarray(cv2.getRotationMatrix2D(middle, -self.tilt, 1), np.float64) / step
            turn[:, 2] += (1 / step - 1) / 2
            turn[1, 2] -= part.top * shrink // step
            size = buffer.shape[1] * shrink // step, buffer.shape[0] * shrink // step
            flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
            rows = np.asarray(cv2.warpAffine(grey, turn, size, flags=flags, borderMode=border), np.uint8)
        if rows.shape != buffer.shape:
            cv2.resize(rows, buffer.shape[::-1], dst=buffer, interpolation=cv2.INTER_AREA)
            rows = buffer
        return rows

    def _divide(self, shape: tuple[int, int]) -> None:
        """Divide frames of this shape into parts with about the same number of the detector's windows."""
        self._shape = shape
        self._next = 0
        self._parts = []
        self._buffers = {}
        sizes = self._sizes()
        share = sum(windows for *_, windows in sizes) * self._every / _PARTS
        room = 0.0
        for shrink, side, windows in sizes:
            rows, columns = shape[0] // shrink, shape[1] // shrink
            if shrink not in self._buffers:
                self._buffers[shrink] = np.empty((rows, columns), np.uint8)
                room = 0.0
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
        every = max(min(self._every, len(sizes)), 1)
        return sizes[self._first % every :: every]

"""Looking: where the faces are, at the price of a full scan only now and then.

A full scan of a frame costs tens of times a scan of the region around a known face. So faces that are followed are
looked for around their last place, in a narrow range of sizes; a full scan comes once a second for newcomers, a few
times a second while nobody is there, and at once when a face was missed twice.
"""

import math
import time
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cuelens.ports import Detector
from cuelens.stopwatch import Stopwatch
from cuelens.types import Box, Face, Frame, Grey, Sight

_FACE_M: Final = 0.15
"""Side of the detector's box around an adult face, in metres: 40 pixels of 640 at 2 m behind a 62 degree lens."""
_REGION: Final = 2.0
"""Side of the region around a followed face, in sides of its box."""
_REGION_FACE: Final = 40
"""Pixels on a side that a followed face keeps at least when it is shrunk to be looked for.

The region is shrunk by a whole factor: averaging whole blocks costs a twentieth of any other area interpolation.
"""
_NARROWEST, _WIDEST = 0.75, 1.35
_MISSES: Final = 2


@dataclass(frozen=True, slots=True)
class Optics:
    """What the lens makes of a face. horizontal_degrees: its field of view. farthest_m: where faces stop to matter."""

    horizontal_degrees: float = 62.0
    farthest_m: float = 2.0
    sideways: bool = False
    """Whether the sensor's width has become the frame's height, by a rotation of 90 or 270 degrees."""

    def smallest_face(self, width: int, height: int) -> float:
        """Return the side of the smallest face that matters, in pixels of an upright frame of this size."""
        across = height if self.sideways else width
        focal = across / 2 / math.tan(math.radians(self.horizontal_degrees) / 2)
        return focal * _FACE_M / self.farthest_m


@dataclass(frozen=True, slots=True)
class LookPace:
    """How often a full scan is made, and for how long a face that went is remembered, in seconds."""

    newcomers_s: float = 1.0
    nobody_s: float = 0.2
    reunion_s: float = 2.0


@dataclass(slots=True)
class _Track:
    box: Box
    began: float
    t: float
    number: int = 0
    """0 until the face was found in a second beat."""
    misses: int = 0

    def found(self, box: Box, t: float) -> None:
        self.box, self.t, self.misses = box, t, 0


class Looking:
    """Follows faces from frame to frame. A face counts once it was found in two beats running."""

    def __init__(self, detector: Detector, optics: Optics, pace: LookPace, watch: Stopwatch) -> None:
        self._detector = detector
        self._optics = optics
        self._pace = pace
        self._watch = watch
        self._tracks: list[_Track] = []
        self._gone: list[_Track] = []
        self._last_number = 0
        self._full_scan_t = -math.inf
        self._small = np.empty((0, 0), np.uint8)
        self._pixels = np.empty(0, np.uint8)

    def look(self, frame: Frame) -> Sight:
        """Find the faces of one frame."""
        self._gone = [track for track in self._gone if frame.t - track.t <= self._pace.reunion_s]
        # After a pause without frames, whoever stands there may be somebody else.
        forgotten = [track for track in self._tracks if frame.t - track.t > self._pace.reunion_s]
        self._tracks = [track for track in self._tracks if track not in forgotten]
        since_scan = frame.t - self._full_scan_t
        if since_scan >= (self._pace.newcomers_s if self._tracks else self._pace.nobody_s):
            self._scan_all(frame)
        else:
            self._scan_regions(frame)
            if any(track.misses >= _MISSES for track in self._tracks):
                self._scan_all(frame)
        lost = [track for track in self._tracks if track.misses >= (_MISSES if track.number else 1)]
        self._tracks = [track for track in self._tracks if track not in lost]
        appeared = self._announce(frame.t)
        self._gone += [track for track in lost if track.number]
        return Sight(
            seen=tuple(Face(track.number, track.box) for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*forgotten, *lost) if track.number),
        )

    def _announce(self, t: float) -> tuple[Face, ...]:
        """Number the tracks that were found a second time; a face that came back near its place keeps its number."""
        appeared = []
        for track in self._tracks:
            if track.number or track.t != t or track.began == t:
                continue
            before = next((old for old in self._gone if _near(old.box, track.box)), None)
            if before:
                self._gone.remove(before)
                track.number = before.number
            else:
                self._last_number += 1
                track.number = self._last_number
            appeared.append(Face(track.number, track.box))
        return tuple(appeared)

    def _scan_all(self, frame: Frame) -> None:
        """Look everywhere, in the frame shrunk until the smallest face that matters is the detector's smallest."""
        height, width = frame.grey.shape
        scale = min(1.0, self._detector.smallest / self._optics.smallest_face(width, height))
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        picture = frame.grey
        if scale < 1:
            if self._small.shape != size[::-1]:
                self._small = np.empty(size[::-1], np.uint8)
            picture = self._small
            cv2.resize(frame.grey, size, dst=picture, interpolation=cv2.INTER_AREA)
        boxes = self._detect("full", picture, self._detector.smallest, min(size))
        found = [_moved(box, 0, 0, width / size[0]) for box in boxes]
        self._full_scan_t = frame.t
        unfound = [track for track in self._tracks if track.t != frame.t]
        for track in unfound:
            box = min(
                (box for box in found if _near(track.box, box)), key=lambda box: _distance(track.box, box), default=None
            )
            if box is None:
                track.misses += 1
            else:
                found.remove(box)
                track.found(box, frame.t)
        known = [track.box for track in self._tracks if track.t == frame.t]
        self._tracks += [
            _Track(box, began=frame.t, t=frame.t) for box in found if not any(_near(box, other) for other in known)
        ]

    def _scan_regions(self, frame: Frame) -> None:
        """Look for each followed face around its last place."""
        height, width = frame.grey.shape
        taken: list[Box] = []
        for track in self._tracks:
            x, y, side, _ = track.box
            margin = round(side * (_REGION - 1) / 2)
            left, top = max(x - margin, 0), max(y - margin, 0)
            right, bottom = min(x + side + margin, width), min(y + side + margin, height)
            shrink = max(side // _REGION_FACE, 1)
            columns, rows = (right - left) // shrink, (bottom - top) // shrink
            region = frame.grey[top : top + rows * shrink, left : left + columns * shrink]
            if shrink > 1 and rows and columns:
                small = self._region(rows, columns)
                cv2.resize(region, (columns, rows), dst=small, interpolation=cv2.INTER_AREA)
                region = small
            smallest = max(round(side / shrink * _NARROWEST), self._detector.smallest)
            largest = round(side / shrink * _WIDEST)
            boxes = self._detect("region", region, smallest, largest)
            found = [_moved(box, left, top, shrink) for box in boxes]
            free = [box for box in found if not any(_near(box, other) for other in taken)]
            box = min(free, key=lambda box: _distance(track.box, box), default=None)
            if box is None:
                track.misses += 1
            else:
                taken.append(box)
                track.found(box, frame.t)

    def _region(self, rows: int, columns: int) -> Grey:
        """Return a picture of this size, in memory that is used again."""
        if self._pixels.size < rows * columns:
            self._pixels = np.empty(rows * columns, np.uint8)
        return self._pixels[: rows * columns].reshape(rows, columns)

    def _detect(self, kind: str, picture: Grey, smallest: int, largest: int) -> list[Box]:
        self._watch.scanned(kind)
        if min(picture.shape) < smallest:
            return []
        began = time.perf_counter_ns()
        boxes = self._detector.detect(picture, smallest, largest)
        self._watch.add("haar", began)
        return boxes


def _moved(box: Box, left: int, top: int, scale: float) -> Box:
    x, y, width, height = box
    return left + round(x * scale), top + round(y * scale), round(width * scale), round(height * scale)


def _distance(one: Box, other: Box) -> float:
    return math.hypot(one[0] - other[0] + (one[2] - other[2]) / 2, one[1] - other[1] + (one[3] - other[3]) / 2)


def _near(one: Box, other: Box) -> bool:
    """Whether two boxes can be the same face: centres within half a side, sides within a factor of 1.6."""
    side = max(one[2], other[2])
    return _distance(one, other) < side / 2 and side < 1.6 * min(one[2], other[2])

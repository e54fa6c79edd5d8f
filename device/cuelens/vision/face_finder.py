"""Looking: where the faces are, at a price that every beat can pay.

A face that is followed is looked for around the place where it should be by now, in a narrow range of sizes. For all
others the frame is swept in small parts, a few of them a beat: the whole of it in half a second while nobody is there,
in two seconds while somebody is.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box, Face, Sight
from cuelens.vision.boxes import moved
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.sweep import Sweep
from cuelens.vision.tracker import MISSES, Register, Track, assign

__all__ = ["FaceFinder", "LookPace", "Optics"]

_REGION_FACE: Final = 40
"""Pixels on a side that a followed face keeps at least when it is shrunk to be looked for.

The region is shrunk by a whole factor: averaging whole blocks costs a twentieth of any other area interpolation.
"""
_AT_ONCE: Final = 3
"""Parts of a sweep that one beat can pay for while it has no face to read."""


@dataclass(frozen=True, slots=True)
class _Region:
    """Where and how large a face is looked for, in sides of the box where it should be."""

    reach: float
    narrowest: float
    widest: float


_STEADY: Final = _Region(reach=1.6, narrowest=0.8, widest=1.25)
_NEW: Final = _Region(reach=2.6, narrowest=0.8, widest=1.25)
"""Its speed is not known yet."""
_MISSED: Final = _Region(reach=3.0, narrowest=0.7, widest=1.45)


@dataclass(frozen=True, slots=True)
class LookPace:
    """How long a sweep of the whole frame takes, and for how long a face that went is remembered, in seconds."""

    newcomers_s: float = 2.0
    nobody_s: float = 0.5
    reunion_s: float = 2.0


class FaceFinder:
    """Follows faces from frame to frame. A face counts once it was found in two beats running."""

    def __init__(self, detector: Detector, optics: Optics, pace: LookPace, watch: StageTimes) -> None:
        self._detector = _Timed(detector, watch)
        self._pace = pace
        self._watch = watch
        self._sweep = Sweep(self._detector, optics)
        self._tracks: list[Track] = []
        self._register = Register(pace.reunion_s)
        self._t: float | None = None
        self._owed = 1.0
        self._pixels = np.empty(0, np.uint8)

    def find(self, frame: Frame, *, reduced: bool = False) -> Sight:
        """Find the faces of one frame. light: only those that are followed already."""
        # After a pause without frames, whoever stands there may be somebody else.
        forgotten = [track for track in self._tracks if frame.t - track.t > self._pace.reunion_s]
        self._tracks = [track for track in self._tracks if track not in forgotten]
        self._scan_regions(frame)
        lost = [track for track in self._tracks if track.misses >= (MISSES if track.number else 1)]
        self._tracks = [track for track in self._tracks if track not in lost]
        self._scan_for_others(frame, reduced=reduced)
        counted = [track for track in self._tracks if not track.number and track.t == frame.t > track.began]
        appeared = tuple(self._register.number(track, frame.grey) for track in counted)
        for track in lost:
            if track.number:
                self._register.gone(track)
        return Sight(
            seen=tuple(Face(track.number, track.box) for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*forgotten, *lost) if track.number),
        )

    def _scan_for_others(self, frame: Frame, *, reduced: bool) -> None:
        """Go on with the sweep, as far as this beat owes it and can pay for it."""
        seconds = 0.0 if self._t is None else max(frame.t - self._t, 0.0)
        self._t = frame.t
        whole_s = max(self._pace.newcomers_s if self._tracks else self._pace.nobody_s, 1e-3)
        most = 1 if self._tracks else _AT_ONCE
        self._owed = min(self._owed + self._sweep.parts(frame) * seconds / whole_s, most + 1.0)
        parts = min(int(self._owed), most)
        # A face that is new or was missed was looked for in a large region; that is enough for one beat.
        if reduced or not parts or any(track.misses or not track.number for track in self._tracks):
            return
        self._owed -= parts
        self._watch.scanned("sweep")
        known = [track.expected(frame.t) for track in self._tracks]
        # With nobody there, a single hit is worth a second look.
        found = self._sweep.scan(frame, parts, known, hits=2 if known else 1, most=1 if known else 2)
        self._tracks += [Track(box, began=frame.t, t=frame.t) for box in found]

    def _scan_regions(self, frame: Frame) -> None:
        """Look for each followed face around the place where it should be."""
        found = {index: self._scan_region(frame, track) for index, track in enumerate(self._tracks)}
        assign(found, self._tracks, frame.grey, frame.t)

    def _scan_region(self, frame: Frame, track: Track) -> list[Box]:
        height, width = frame.grey.shape
        region = _MISSED if track.misses else _STEADY if track.number else _NEW
        x, y, side, _ = track.expected(frame.t)
        margin = round(side * (region.reach - 1) / 2)
        left, top = max(x - margin, 0), max(y - margin, 0)
        right, bottom = min(x + side + margin, width), min(y + side + margin, height)
        shrink = max(side // _REGION_FACE, 1)
        columns, rows = (right - left) // shrink, (bottom - top) // shrink
        if columns <= 0 or rows <= 0:
            return []
        picture = frame.grey[top : top + rows * shrink, left : left + columns * shrink]
        if shrink > 1:
            small = self._region(rows, columns)
            cv2.resize(picture, (columns, rows), dst=small, interpolation=cv2.INTER_AREA)
            picture = small
        smallest = max(round(side / shrink * region.narrowest), self._detector.smallest)
        largest = round(side / shrink * region.widest)
        self._watch.scanned("region")
        boxes = self._detector.detect(picture, smallest, largest)
        return [moved(box, left, top, shrink) for box in boxes]

    def _region(self, rows: int, columns: int) -> Grey:
        """Return a picture of this size, in memory that is used again."""
        if self._pixels.size < rows * columns:
            self._pixels = np.empty(rows * columns, np.uint8)
        return self._pixels[: rows * columns].reshape(rows, columns)


class _Timed:
    """A detector whose time is counted."""

    def __init__(self, detector: Detector, watch: StageTimes) -> None:
        self.smallest = detector.smallest
        self.sides = detector.sides
        self._detector = detector
        self._watch = watch

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Detect, and count the time."""
        began = self._watch.now()
        boxes = self._detector.detect(picture, smallest, largest)
        self._watch.add("haar", began)
        return boxes

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return the hits, and count the time."""
        began = self._watch.now()
        boxes = self._detector.hits(picture, smallest, largest)
        self._watch.add("haar", began)
        return boxes

"""The search for one tracked face, around the place where it is expected."""

from typing import Final

import cv2
import msgspec
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box
from cuelens.vision.alignment import Fit
from cuelens.vision.boxes import to_frame, turned, turned_back
from cuelens.vision.tracker import Scan, Track

_COARSE, _FINE = 40, 56
"""Smallest side of a tracked face in its shrunken search region, in pixels. Its size is measured in the finer one.

The region is shrunk by a whole factor: averaging whole blocks costs a twentieth of any other area interpolation. A face
that would not be shrunk at all is shrunk by a fraction if it is large.
"""
_LEAN: Final = 8.0
"""Degrees by which two searches of four lean, to measure the tilt. The detector finds a face that leans by 12, with two
thirds of the hits. Where a leaning search finds nothing, one that does not lean follows.
"""
UPRIGHT: Final = 4.0
"""Degrees from which on a picture is turned before it is searched."""


class _Region(msgspec.Struct, frozen=True):
    """The search region of a tracked face. Lengths are in sides of its predicted box.

    Attributes:
        reach: side of the region.
        narrowest: side of the smallest face.
        widest: side of the largest face.
        least: side of the predicted box in the shrunken region, in pixels, or more.
        most: the same at most where no whole factor leaves `least`. The scan of a larger one would be the dearest.
        trust: weight of the side that this region measures, 0 to 1.
        hits: how many make a face, at least: in a large region some windows pass by chance.
    """

    reach: float
    narrowest: float
    widest: float
    least: int = _COARSE
    most: int = _FINE
    trust: float = 1.0
    hits: int = 0


_STEADY: Final = _Region(reach=1.6, narrowest=0.91, widest=1.1, trust=0.25)
_LEANING: Final = _Region(reach=1.6, narrowest=0.85, widest=1.2, trust=0.25)
"""For a search that leans: more sizes have more hits to compare."""
_WIDE: Final = _Region(reach=1.65, narrowest=0.68, widest=1.5, least=_FINE, trust=0.6)
_FOLLOWED: Final = (_WIDE, _LEANING, _STEADY, _LEANING)
CYCLE: Final = len(_FOLLOWED)
"""Searches of a followed face: the first measures its side; two lean to either side and measure its tilt."""
_NEW: Final = _Region(reach=2.2, narrowest=0.8, widest=1.25)
"""For a face without a speed estimate."""
_MISSED: Final = _Region(reach=3.0, narrowest=0.7, widest=1.45, least=24, most=32)
"""For a face that was missed in the last beat."""
_AROUND: Final = _Region(reach=3.0, narrowest=0.8, widest=1.25, least=24, most=32)
"""For a face that is not where it was expected: it turned back, or the wearer's head turned."""
_FAR: Final = _Region(reach=4.0, narrowest=0.75, widest=1.35, least=32, most=44, hits=5)
"""The same where frames are sparse: it may have gone farther."""
_SPARSE_S: Final = 0.09
"""Frames that are so far apart, or farther, are sparse: those of a warm board, or of a camera in a dark room."""


class RegionSearch:
    """Searches regions of frames. Its buffers are reused."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._pixels = [np.empty(0, np.uint8), np.empty(0, np.uint8)]
        """Buffers: of a shrunken region, and of a turned one."""

    def scan(self, frame: Frame, track: Track, fit: Fit | None, least_hits: int, level: float = 0.0) -> Scan:
        """Search for a tracked face, and if it is not found farther around the place where it was expected.

        Args:
            frame: the frame.
            track: the face.
            fit: where it is by alignment; None if that is not known.
            least_hits: how many hits make it the face.
            level: by how many degrees the room leans, counter-clockwise.
        """
        turn = track.searches % CYCLE
        region = _NEW if track.leapt else _MISSED if track.misses else _FOLLOWED[turn] if track.number else _NEW
        lean = (_LEAN if turn == 1 else -_LEAN) if region is _LEANING else 0.0
        scan = self._scan_region(frame, track, region, fit, lean, least_hits, level)
        if scan.boxes or region is _MISSED:
            return scan
        around = _FAR if frame.t - track.t >= _SPARSE_S else _AROUND
        return self._scan_region(frame, track, around, None, 0.0, least_hits, level)

    def _scan_region(
        self, frame: Frame, track: Track, region: _Region, fit: Fit | None, lean: float, least_hits: int, level: float
    ) -> Scan:
        """Search one region. A face that was missed may have its head upright again: then it is searched for so.

        lean: by how many degrees the search leans from the tilt of the face.
        """
        height, width = frame.grey.shape
        tilt = fit.tilt if fit else track.tilt
        x, y, side = (fit.x, fit.y, fit.side) if fit else track.place(frame.t)
        half = side * region.reach / 2
        left, top = max(round(x - half), 0), max(round(y - half), 0)
        right, bottom = min(round(x + half), width), min(round(y + half), height)
        shrink: float = max(round(side) // region.least, 1)
        if shrink == 1:
            shrink = max(side / region.most, 1.0)
        columns, rows = int((right - left) / shrink), int((bottom - top) / shrink)
        if columns <= 0 or rows <= 0:
            return Scan({})
        picture = frame.grey[top : top + int(rows * shrink), left : left + int(columns * shrink)]
        if shrink > 1:
            small = self._buffer(0, rows, columns)
            cv2.resize(picture, (columns, rows), dst=small, interpolation=cv2.INTER_AREA)
            picture = small
        sides = (
            max(round(side / shrink * region.narrowest), self._detector.smallest),
            round(side / shrink * region.widest),
        )
        boxes = leaning = self._search(picture, tilt + lean, *sides)
        if lean and not leaning:
            boxes = self._search(picture, tilt, *sides)
        other = None
        if track.misses and not boxes and abs(tilt - level) >= UPRIGHT:
            other = level
            boxes = self._search(picture, level, *sides)
        least = max(least_hits, region.hits)
        boxes = {to_frame(box, left, top, shrink): hits for box, hits in boxes.items() if hits >= least}
        return Scan(boxes, region.trust, lean, sum(leaning.values()), fit, other)

    def _search(self, picture: Grey, tilt: float, smallest: int, largest: int) -> dict[Box, int]:
        """Return the faces of a picture whose heads lean by `tilt` degrees, and their hits."""
        if abs(tilt) < UPRIGHT:
            return self._detector.faces(picture, smallest, largest)
        upright = turned(picture, -tilt, self._buffer(1, *picture.shape))
        boxes = self._detector.faces(upright, smallest, largest)
        return {turned_back(box, picture.shape, tilt): hits for box, hits in boxes.items()}

    def _buffer(self, number: int, rows: int, columns: int) -> Grey:
        """Return an array of this size, in a buffer that is reused."""
        if self._pixels[number].size < rows * columns:
            # Half as much again: a face that comes nearer should not need another buffer in every beat.
            self._pixels[number] = np.empty(3 * rows * columns // 2, np.uint8)
        return self._pixels[number][: rows * columns].reshape(rows, columns)

"""Face detection and tracking, at a cost that every beat can pay.

A tracked face is searched for around its predicted place, in a narrow range of sizes. For new faces the frame is swept
in small parts, a few a beat. A sweep of the whole frame takes half a second without a tracked face, and two with one.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box, Sight
from cuelens.vision.boxes import to_frame, turned, turned_back
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.sweep import Sweep
from cuelens.vision.tracker import MISSES, Register, Scan, Track, assign

__all__ = ["FaceFinder", "LookPace", "Optics"]

_COARSE, _FINE = 40, 56
"""Smallest side of a tracked face in its shrunken search region, in pixels. Its size is measured in the finer one.

The region is shrunk by a whole factor: averaging whole blocks costs a twentieth of any other area interpolation.
"""
_PARTS_PER_BEAT: Final = 3
"""Most parts of a sweep in one beat without a tracked face."""
_LONGEST_REST: Final = 2
"""Most beats in a row in which tracked faces let the sweep rest. With four, one is measured in every beat."""
_CYCLE: Final = 4
"""Beats of the search for a tracked face: one measures its side, two lean to either side and measure its tilt.

Where a leaning search finds nothing, one that does not lean follows.
"""
_LEAN: Final = 8.0
"""Degrees by which they lean. The detector finds a face that leans by 12, with two thirds of the hits."""
_TILTS: Final = (22.0, -22.0)
"""Degrees by which the heads lean that further sweeps search for. Each finds those that lean by 12 more or less."""
_LEANS: Final = 16.0
"""Degrees of tilt from which on a head counts as leaning for the sweeps."""
_NEWCOMER_HITS: Final = 5
"""Hits that make a newcomer. A face that is followed needs fewer, for its place is known: those of the detector."""
_LEANING_HITS: Final = 6
"""Hits that make a newcomer of a head that leans. Among more ways to lean more windows pass by chance."""
_LEANING_S: Final = 0.19
"""Time for which it is detected in every beat before it counts: three beats more than others, at 15 a second."""
_UPRIGHT: Final = 4.0
"""Degrees from which on a picture is turned before it is searched."""


@dataclass(frozen=True, slots=True)
class _Region:
    """The search region of a tracked face. Lengths are in sides of its predicted box.

    Attributes:
        reach: side of the region.
        narrowest: side of the smallest face.
        widest: side of the largest face.
        least: side of the predicted box in the shrunken region, in pixels, or more.
        trust: weight of the side that this region measures, 0 to 1.
    """

    reach: float
    narrowest: float
    widest: float
    least: int = _COARSE
    trust: float = 1.0


_STEADY: Final = _Region(reach=1.6, narrowest=0.91, widest=1.1, trust=0.25)
_LEANING: Final = _Region(reach=1.6, narrowest=0.85, widest=1.2, trust=0.25)
"""For a search that leans: more sizes have more hits to compare."""
_WIDE: Final = _Region(reach=1.65, narrowest=0.68, widest=1.5, least=_FINE, trust=0.6)
_NEW: Final = _Region(reach=2.6, narrowest=0.8, widest=1.25)
"""For a face without a speed estimate."""
_MISSED: Final = _Region(reach=3.0, narrowest=0.7, widest=1.45)


@dataclass(frozen=True, slots=True)
class LookPace:
    """Times of the search, in seconds.

    Attributes:
        newcomers_s: one sweep of the whole frame, with a tracked face.
        nobody_s: one sweep of the whole frame, without a tracked face.
        reunion_s: a lost face keeps its number if it returns within this time.
    """

    newcomers_s: float = 2.0
    nobody_s: float = 0.5
    reunion_s: float = 2.0


class FaceFinder:
    """Tracks faces from frame to frame. A face counts once two beats in a row have detected it."""

    def __init__(self, detector: Detector, optics: Optics, pace: LookPace, watch: StageTimes) -> None:
        self._detector = _Timed(detector, watch)
        self._pace = pace
        self._watch = watch
        self._optics = optics
        self._level = math.nan
        self.level(0.0)
        self._tracks: list[Track] = []
        self._register = Register(pace.reunion_s)
        self._t: float | None = None
        self._due_parts = 1.0
        self._rested = 0
        self._beat = 0
        self._pixels = [np.empty(0, np.uint8), np.empty(0, np.uint8)]
        """Buffers: of a shrunken region, and of a turned one."""

    def level(self, tilt: float) -> None:
        """Search for heads in a room that leans by so many degrees, counter-clockwise: the glasses sit askew."""
        level = tilt if abs(tilt) >= _UPRIGHT else 0.0
        if level == self._level:
            return
        self._level = level
        self._upright = Sweep(self._detector, self._optics, level)
        self._leaning = tuple(Sweep(self._detector, self._optics, level + lean, every=3) for lean in _TILTS)
        self._usual = self._upright

    def find(self, frame: Frame, *, reduced: bool = False) -> Sight:
        """Find the faces of one frame. reduced: search for tracked faces only."""
        # After a pause without frames, the face in the same place may be another one.
        stale = [track for track in self._tracks if frame.t - track.t > self._pace.reunion_s]
        self._tracks = [track for track in self._tracks if track not in stale]
        self._scan_regions(frame)
        lost = [track for track in self._tracks if track.misses >= (MISSES if track.number else 1)]
        self._tracks = [track for track in self._tracks if track not in lost]
        self._scan_for_others(frame, reduced=reduced)
        newcomers = [track for track in self._tracks if not track.number and track.t == frame.t and self._counts(track)]
        appeared = tuple(self._register.number(track, frame.grey) for track in newcomers)
        for track in lost:
            if track.number:
                self._register.gone(track)
        return Sight(
            seen=tuple(track.face for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*stale, *lost) if track.number),
        )

    def _scan_for_others(self, frame: Frame, *, reduced: bool) -> None:
        """Continue the sweep by the parts that are due, as far as this beat can pay for them.

        Without a tracked face, one more part searches for heads that lean. If the last one leant it takes two parts,
        mostly as that one: it may be the wearer who leans. With one, newcomers are searched for as it leans.
        """
        if self._tracks:
            lean = max(self._tracks, key=lambda track: track.box[2]).tilt - self._level
            self._usual = self._upright if abs(lean) < _LEANS else self._leaning[lean < 0]
        seconds = 0.0 if self._t is None else max(frame.t - self._t, 0.0)
        self._t = frame.t
        whole_s = max(self._pace.newcomers_s if self._tracks else self._pace.nobody_s, 1e-3)
        most = 1 if self._tracks else _PARTS_PER_BEAT
        sweep = self._usual if self._tracks else self._upright
        self._due_parts = min(self._due_parts + sweep.parts(frame) * seconds / whole_s, most + 1.0)
        parts = min(int(self._due_parts), most)
        # A new or missed face, and one that is measured, cost a scan of many windows, which is enough for one beat.
        busy = any(track.misses or not track.number or not self._turn(track) for track in self._tracks)
        if reduced or not parts:
            return
        if busy and self._rested < _LONGEST_REST:
            self._rested += 1
            return
        self._rested = 0
        self._due_parts -= parts
        self._watch.set_kind("sweep")
        if self._tracks:
            faces = [track.expected(frame.t) for track in self._tracks]
            self._begin(frame, sweep, sweep.scan(frame, parts, faces, hits=2, most=1))
            return
        # Without a tracked face, one hit is enough: the next beat confirms or drops it.
        leant = self._usual is not self._upright
        leaning = self._usual if leant and self._beat % 3 else self._leaning[self._beat % 2]
        self._begin(frame, sweep, sweep.scan(frame, max(parts - leant, 1), (), hits=1, most=2))
        if not self._tracks:
            self._begin(frame, leaning, leaning.scan(frame, 1 + leant, (), hits=1, most=1))

    def _begin(self, frame: Frame, sweep: Sweep, boxes: list[Box]) -> None:
        """Begin a track at each box that a sweep has found."""
        self._tracks += [Track(box, began=frame.t, t=frame.t, tilt=sweep.tilt) for box in boxes]

    def _scan_regions(self, frame: Frame) -> None:
        """Search for each tracked face around its predicted place."""
        self._beat += 1
        scans = {index: self._scan_region(frame, track) for index, track in enumerate(self._tracks)}
        assign(scans, self._tracks, frame.grey, frame.t)

    def _scan_region(self, frame: Frame, track: Track) -> Scan:
        height, width = frame.grey.shape
        turn = self._turn(track)
        followed = (_WIDE, _LEANING, _STEADY, _LEANING)[turn]
        region = _MISSED if track.misses else followed if track.number else _NEW
        lean = (_LEAN if turn == 1 else -_LEAN) if region is _LEANING else 0.0
        x, y, side, _ = track.expected(frame.t)
        margin = round(side * (region.reach - 1) / 2)
        left, top = max(x - margin, 0), max(y - margin, 0)
        right, bottom = min(x + side + margin, width), min(y + side + margin, height)
        shrink = max(side // region.least, 1)
        columns, rows = (right - left) // shrink, (bottom - top) // shrink
        if columns <= 0 or rows <= 0:
            return Scan({})
        picture = frame.grey[top : top + rows * shrink, left : left + columns * shrink]
        if shrink > 1:
            small = self._buffer(0, rows, columns)
            cv2.resize(picture, (columns, rows), dst=small, interpolation=cv2.INTER_AREA)
            picture = small
        sides = (
            max(round(side / shrink * region.narrowest), self._detector.smallest),
            round(side / shrink * region.widest),
        )
        self._watch.set_kind("region")
        boxes = leaning = self._search(picture, track.tilt + lean, *sides)
        if lean and not leaning:
            boxes = self._search(picture, track.tilt, *sides)
        least = 0 if track.number else _LEANING_HITS if self._leans(track) else _NEWCOMER_HITS
        boxes = {to_frame(box, left, top, shrink): hits for box, hits in boxes.items() if hits >= least}
        return Scan(boxes, region.trust, lean, sum(leaning.values()))

    def _leans(self, track: Track) -> bool:
        """Whether a head leans in its room."""
        return abs(track.tilt - self._level) >= _LEANS

    def _counts(self, track: Track) -> bool:
        """Whether a new track was detected often enough to count."""
        return track.t - track.began > (_LEANING_S if self._leans(track) else 0)

    def _turn(self, track: Track) -> int:
        """Return the number of this beat in the cycle of a track. Several faces are not measured in the same beat."""
        return (self._beat + track.number) % _CYCLE

    def _search(self, picture: Grey, tilt: float, smallest: int, largest: int) -> dict[Box, int]:
        """Return the faces of a picture whose heads lean by `tilt` degrees, and their hits."""
        if abs(tilt) < _UPRIGHT:
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


class _Timed:
    """A detector that measures its time."""

    def __init__(self, detector: Detector, watch: StageTimes) -> None:
        self.smallest = detector.smallest
        self.sides = detector.sides
        self._detector = detector
        self._watch = watch

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        """Return the faces, and add the time to the beat."""
        began = self._watch.now()
        boxes = self._detector.faces(picture, smallest, largest)
        self._watch.add("haar", began)
        return boxes

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return the hits, and add the time to the beat."""
        began = self._watch.now()
        boxes = self._detector.hits(picture, smallest, largest)
        self._watch.add("haar", began)
        return boxes

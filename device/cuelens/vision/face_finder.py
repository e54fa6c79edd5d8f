"""Face detection and tracking, at a cost that every beat can pay.

A tracked face is searched for around its predicted place, in a narrow range of sizes. For new faces the frame is swept
in small parts, a few a beat. A sweep of the whole frame takes half a second without a tracked face, and two with one.
"""

import math
from typing import Final

import msgspec

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box, Sight
from cuelens.vision.alignment import Fit
from cuelens.vision.motion import Motion
from cuelens.vision.optics import Optics
from cuelens.vision.region_search import CYCLE, UPRIGHT, RegionSearch
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.sweep import Sweep
from cuelens.vision.tracker import MISSES, Register, Scan, Track, assign, crowded

__all__ = ["FaceFinder", "LookPace", "Optics"]

_PARTS_PER_BEAT: Final = 3
"""Most parts of a sweep in one beat without a tracked face."""
_LONGEST_REST: Final = 2
"""Most beats in a row in which tracked faces let the sweep rest. With four, one is searched for in every beat."""
_SEARCH_S: Final = 0.31
"""A face that alignment follows is searched for once in so many seconds: in every fifth beat."""
_WAITS_S: Final = 0.06
"""So many seconds later, if another face was searched for in the same beat."""
_KNOWN_S: Final = 0.5
"""Until it is so old a face is searched for in every beat: false ones seldom last longer."""
_LIKE: Final = 0.9
"""Least likeness of a face that alignment follows. Below it, it is searched for."""
_FARTHEST: Final = 0.3
"""Farthest from the expected place that alignment may find it, in sides."""
_RESIZED, _TURNED = 0.15, 12.0
"""Most by which it may find its side changed, as a logarithm, and its tilt, in degrees, in one beat."""
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


class LookPace(msgspec.Struct, frozen=True):
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
        self._regions = RegionSearch(self._detector)
        self._motion = Motion()
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
        self._searched = False
        self._beat = 0

    def level(self, tilt: float) -> None:
        """Search for heads in a room that leans by so many degrees, counter-clockwise: the glasses sit askew."""
        level = tilt if abs(tilt) >= UPRIGHT else 0.0
        if level == self._level:
            return
        self._level = level
        self._upright = Sweep(self._detector, self._optics, level)
        self._leaning = tuple(Sweep(self._detector, self._optics, level + lean, every=3) for lean in _TILTS)
        self._usual = self._upright

    def find(self, frame: Frame) -> Sight:
        """Follow the tracked faces to one frame, and seek others in it."""
        sight = self.follow(frame)
        self.seek(frame)
        return sight

    def follow(self, frame: Frame) -> Sight:
        """Find the tracked faces in one frame."""
        # After a pause without frames, the face in the same place may be another one.
        stale = [track for track in self._tracks if frame.t - track.t > self._pace.reunion_s]
        self._tracks = [track for track in self._tracks if track not in stale]
        self._searched = self._scan_regions(frame)
        lost = [track for track in self._tracks if track.misses >= (MISSES if track.number else 1)]
        self._tracks = [track for track in self._tracks if track not in lost]
        newcomers = [track for track in self._tracks if not track.number and track.t == frame.t and self._counts(track)]
        appeared = tuple(self._register.number(track, frame.grey) for track in newcomers)
        for track in lost:
            if track.number:
                self._register.gone(track)
        return Sight(
            seen=tuple(track.face for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*stale, *lost) if track.number),
            searched=self._searched,
        )

    def seek(self, frame: Frame, *, spent: bool = False, reduced: bool = False) -> None:
        """Continue the sweep for other faces by the parts that are due, as far as this beat can pay for them.

        What it finds is searched for in the next beat, and counts once it was found again: readings can come before it.
        Without a tracked face, one more part searches for heads that lean. If the last one leant it takes two parts,
        mostly as that one: it may be the wearer who leans. With one, newcomers are searched for as it leans.

        Args:
            frame: the frame in which faces were followed.
            spent: this beat has paid for a reading.
            reduced: search for nobody else.
        """
        if self._tracks:
            lean = max(self._tracks, key=lambda track: track.box[2]).tilt - self._level
            self._usual = self._upright if abs(lean) < _LEANS else self._leaning[lean < 0]
        sweep = self._usual if self._tracks else self._upright
        parts = self._payable_parts(frame, sweep, spent=spent)
        if reduced or not parts:
            return
        self._due_parts -= parts
        self._watch.set_kind("sweep")
        self._motion.see(frame.grey)
        lost = self._register.places(frame.t)
        if self._tracks:
            faces = [track.expected(frame.t) for track in self._tracks]
            self._begin(frame, sweep, sweep.scan(frame, parts, faces, self._motion, hits=2, most=1, lost=lost))
            return
        # Without a tracked face, one hit is enough: the next beat confirms or drops it.
        leant = self._usual is not self._upright
        leaning = self._usual if leant and self._beat % 3 else self._leaning[self._beat % 2]
        self._begin(frame, sweep, sweep.scan(frame, max(parts - leant, 1), (), self._motion, hits=1, most=2, lost=lost))
        if not self._tracks:
            self._begin(frame, leaning, leaning.scan(frame, 1 + leant, (), self._motion, hits=1, most=1, lost=lost))

    def _payable_parts(self, frame: Frame, sweep: Sweep, *, spent: bool) -> int:
        """Return how many parts of a sweep are due, as far as this beat can pay for them. spent: for a reading."""
        seconds = 0.0 if self._t is None else max(frame.t - self._t, 0.0)
        self._t = frame.t
        whole_s = max(self._pace.newcomers_s if self._tracks else self._pace.nobody_s, 1e-3)
        # A new or missed face, and one that is measured, cost a scan of many windows. That, or a reading, is mostly
        # enough for one beat.
        busy = spent or any(
            track.misses or not track.number or self._measured(track, frame.t) for track in self._tracks
        )
        most = _PARTS_PER_BEAT if not self._tracks else 1 if busy or self._searched else 2
        self._due_parts = min(self._due_parts + sweep.parts(frame) * seconds / whole_s, most + 1.0)
        parts = min(int(self._due_parts), most)
        if parts and busy and self._rested < _LONGEST_REST:
            self._rested += 1
            return 0
        self._rested = 0
        return parts

    def _begin(self, frame: Frame, sweep: Sweep, boxes: list[Box]) -> None:
        """Begin a track at each box that a sweep has found."""
        self._tracks += [Track(box, began=frame.t, t=frame.t, tilt=sweep.tilt) for box in boxes]

    def _scan_regions(self, frame: Frame) -> bool:
        """Follow each tracked face by alignment, or search for it around its predicted place.

        Returns whether one was searched for.
        """
        self._beat += 1
        scans: dict[int, Scan] = {}
        for index, track in enumerate(self._tracks):
            fit = self._fit(frame, track)
            wait_s = _SEARCH_S + (_WAITS_S if scans else 0.0)
            if fit and frame.t - track.searched_t < wait_s and not crowded(track, self._tracks, frame.t):
                track.follow(fit, frame.t)
                continue
            self._watch.set_kind("region")
            least = 0 if track.number else _LEANING_HITS if self._leans(track) else _NEWCOMER_HITS
            scans[index] = self._regions.scan(frame, track, fit, least)
        assign(scans, self._tracks, frame.grey, frame.t)
        for index in scans:
            self._tracks[index].searched(frame.grey, frame.t)
        return bool(scans)

    def _fit(self, frame: Frame, track: Track) -> Fit | None:
        """Return where alignment finds a face; None if it does not look as before, or is too new for that."""
        if track.likeness is None or frame.t - track.began < _KNOWN_S:
            return None
        place = track.place(frame.t)
        fit = track.likeness.fit(frame.grey, place, track.tilt)
        if fit is None or fit.likeness < _LIKE:
            return None
        near = math.hypot(fit.x - place[0], fit.y - place[1]) < _FARTHEST * place[2]
        alike = abs(math.log(fit.side / place[2])) < _RESIZED and abs(fit.tilt - track.tilt) < _TURNED
        return fit if near and alike else None

    @staticmethod
    def _measured(track: Track, t: float) -> bool:
        """Whether the side of a track was measured at time `t`."""
        return track.searched_t == t and track.searches % CYCLE == 1

    def _leans(self, track: Track) -> bool:
        """Whether a head leans in its room."""
        return abs(track.tilt - self._level) >= _LEANS

    def _counts(self, track: Track) -> bool:
        """Whether a new track was detected often enough to count."""
        return track.t - track.began > (_LEANING_S if self._leans(track) else 0)


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

"""Face detection and tracking, at a cost that every beat can pay.

A tracked face is searched for around its predicted place, in a narrow range of sizes. For new faces the frame is swept
in small parts, a few a beat. A sweep of the whole frame takes half a second without a tracked face, and two with one.
"""

import math
from typing import Final

import msgspec

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box, Candidate, Sight
from cuelens.vision.alignment import Fit
from cuelens.vision.optics import Optics
from cuelens.vision.proposals import Proposals
from cuelens.vision.region_search import UPRIGHT, RegionSearch
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.tracker import MISSES, Register, Scan, Track, assign, crowded

__all__ = ["FaceFinder", "LookPace", "Optics"]

_CANDIDATES: Final = 2
"""Most candidates of one look without a tracked face. Each costs a search."""
_SCANS: Final = 4
"""Most scans of candidates in one look."""
_LONGEST_REST_S: Final = 1.2
"""Longest time for which readings and searches put off a look."""
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
_LEANS: Final = 16.0
"""Degrees of tilt from which on a head counts as leaning."""
_NEWCOMER_HITS: Final = 5
"""Hits that make a newcomer. A face that is followed needs fewer, for its place is known: those of the detector."""
_LEANING_HITS: Final = 6
"""Hits that make a newcomer of a head that leans. Among more ways to lean more windows pass by chance."""
_LEANING_S: Final = 0.19
"""Time for which it is detected in every beat before it counts: three beats more than others, at 15 a second."""


class LookPace(msgspec.Struct, frozen=True):
    """Times of the search, in seconds.

    Attributes:
        newcomers_s: from one sweep of the whole frame to the next, with a tracked face.
        nobody_s: the same without a tracked face.
        reunion_s: a lost face keeps its number if it returns within this time.
    """

    newcomers_s: float = 0.4
    nobody_s: float = 0.12
    reunion_s: float = 2.0


class FaceFinder:
    """Tracks faces from frame to frame. A face counts once two beats in a row have detected it."""

    def __init__(self, detector: Detector, optics: Optics, pace: LookPace, watch: StageTimes) -> None:
        self._detector = _Timed(detector, watch)
        self._regions = RegionSearch(self._detector)
        self._proposals = Proposals(self._detector, optics)
        self._pace = pace
        self._watch = watch
        self._level = 0.0
        self._tracks: list[Track] = []
        self._register = Register(pace.reunion_s)
        self._looked_t = -math.inf
        self._searched = False

    def level(self, tilt: float) -> None:
        """Search for heads in a room that leans by so many degrees, counter-clockwise: the glasses sit askew."""
        self._level = tilt if abs(tilt) >= UPRIGHT else 0.0

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
            else:
                self._proposals.drop(track.box, frame.t)
        return Sight(
            seen=tuple(track.face for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*stale, *lost) if track.number),
            searched=self._searched,
        )

    def seek(self, frame: Frame, *, spent: bool = False, reduced: bool = False) -> None:
        """Look for other faces in the whole frame, if it is time and this beat can pay for it.

        What it finds is searched for in the next beat, and counts once it was found again: readings can come before it.

        Args:
            frame: the frame in which faces were followed.
            spent: this beat has paid for a reading.
            reduced: search for nobody else.
        """
        waited_s = frame.t - self._looked_t
        if reduced or 0 <= waited_s < (self._pace.newcomers_s if self._tracks else self._pace.nobody_s):
            return
        if (spent and self._searched) or ((spent or self._searched) and 0 <= waited_s < _LONGEST_REST_S):
            return
        self._looked_t = frame.t
        self._watch.set_kind("sweep")
        faces = [track.expected(frame.t) for track in self._tracks]
        found = self._proposals.look(
            frame,
            faces,
            hits=2 if faces else 1,
            most=1 if faces else _CANDIDATES,
            scans=1 if spent or self._searched else _SCANS,
            level=self._level,
        )
        self._tracks += [Track(one.box, began=frame.t, t=frame.t, tilt=one.tilt) for one in found]

    def _scan_regions(self, frame: Frame) -> bool:
        """Follow each tracked face by alignment, or search for it around its predicted place.

        Returns whether one was searched for.
        """
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
        self.smallest_candidate = detector.smallest_candidate
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

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return what may be faces, and add the time to the beat."""
        began = self._watch.now()
        found = self._detector.candidates(picture)
        self._watch.add("haar", began)
        return found

"""Face detection and tracking, at a cost that every beat can pay.

A tracked face is followed by alignment, and searched for around its predicted place now and then. New faces are sought
in two ways. In a look, a network proposes places in the whole frame, and the detector confirms them. In the beats
between, a slow sweep scans the frame in small parts. What one misses the other finds.
"""

import math
from typing import Final

import msgspec

from cuelens.frame import Frame, Grey
from cuelens.ports import Detector
from cuelens.types import Box, Candidate, Sight
from cuelens.vision.alignment import Fit
from cuelens.vision.boxes import distance, within_reach
from cuelens.vision.motion import Blocks, Motion
from cuelens.vision.optics import Optics
from cuelens.vision.proposals import Proposals
from cuelens.vision.region_search import UPRIGHT, RegionSearch
from cuelens.vision.register import Register
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.sweep import Sweep
from cuelens.vision.tracker import ALIKE, MISSES, Scan, Track, assign, crowded, likeness

__all__ = ["FaceFinder", "LookPace", "Optics"]

_STILL_S: Final = 0.25
"""Time from one look to the next without a tracked face, at least, where nothing has changed since the last one."""
_LONGEST_WAIT_S: Final = 0.8
"""Longest time for which readings and searches put off a look, or a part of the sweep: where many people stand, or
frames are sparse, every beat has some.
"""
_MOST_PAID: Final = 2
"""Searches and readings after which a beat looks for no missed face."""
_PARTS: Final = 2
"""Most parts of a sweep in one beat."""
_SWEEP_S: Final = 4.0
"""Time of a sweep of the whole frame with a tracked face, at least: it goes on in idle beats."""
_FLEETING_S: Final = 0.22
"""For so long a newcomer that was not found again tells from where the next one came."""
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
        newcomers_s: from one look at the whole frame to the next, with a tracked face.
        nobody_s: the same without a tracked face.
        reunion_s: a lost face keeps its number if it returns within this time.
    """

    newcomers_s: float = 0.4
    nobody_s: float = 0.12
    reunion_s: float = 2.0


class FaceFinder:
    """Tracks faces from frame to frame. A face counts once beats in a row have detected it: two, more if it leans."""

    def __init__(self, detector: Detector, optics: Optics, pace: LookPace, watch: StageTimes) -> None:
        self._detector = _Timed(detector, watch)
        self._regions = RegionSearch(self._detector)
        self._proposals = Proposals(self._detector, optics)
        self._motion = Motion()
        self._pace = pace
        self._watch = watch
        self._optics = optics
        self._level = math.nan
        self.level(0.0)
        self._tracks: list[Track] = []
        self._register = Register(pace.reunion_s)
        self._fleeting: list[Track] = []
        """Newcomers that were not found again, a moment ago."""
        self._looked_t = -math.inf
        self._looked_at: Blocks | None = None
        """What the frame of the last look looked like."""
        self._t: float | None = None
        self._due_parts = 0.0
        self._swept_t = -math.inf
        self._searched = 0

    def level(self, tilt: float) -> None:
        """Search for heads in a room that leans by so many degrees, counter-clockwise: the glasses sit askew."""
        level = tilt if abs(tilt) >= UPRIGHT else 0.0
        if level == self._level:
            return
        self._level = level
        self._sweep = Sweep(self._detector, self._optics, level)

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
                self._fleeting.append(track)
        return Sight(
            seen=tuple(track.face for track in self._tracks if track.number and track.t == frame.t),
            appeared=appeared,
            lost=tuple(track.number for track in (*stale, *lost) if track.number),
            searched=self._searched,
        )

    def seek(self, frame: Frame, *, spent: bool = False, reduced: bool = False) -> None:
        """Seek other faces in the whole frame, as far as this beat can pay for it.

        A look seeks them if one is due, else some parts of the sweep do; one part follows a look where every beat has
        one. What is found is searched for in the next beat, and counts once it was found again: readings can come
        before it.

        Args:
            frame: the frame in which faces were followed.
            spent: this beat has paid for a reading.
            reduced: seek nobody.
        """
        before, self._t = self._t, frame.t
        seconds = 0.0 if before is None else max(frame.t - before, 0.0)
        if reduced:
            return
        if not self._tracks:
            self._motion.see(frame.grey)
        paid = spent + self._searched
        missed = [track for track in self._tracks if track.misses]
        if (missed and paid < _MOST_PAID) or self._look_is_due(frame.t, paid):
            again = self._looked_t == before
            self._look(frame, missed)
            if again and not self._tracks:
                self._continue_sweep(frame, seconds, paid, looked=True)
        else:
            self._continue_sweep(frame, seconds, paid)

    def _look_is_due(self, t: float, paid: int) -> bool:
        """Whether it is time for a look, and the beat can pay for it. One that waited too long comes all the same."""
        waited_s = t - self._looked_t
        if 0 <= waited_s < (self._pace.newcomers_s if self._tracks else self._pace.nobody_s):
            return False
        if not 0 <= waited_s < _LONGEST_WAIT_S:
            return True
        if not self._tracks and waited_s < _STILL_S and self._motion.area(self._looked_at, (), ()) is None:
            return False
        return not paid

    def _look(self, frame: Frame, missed: list[Track]) -> None:
        """Begin a track at each place that is proposed and confirmed.

        Args:
            frame: the frame.
            missed: faces that this beat has not found where they were expected. They may be elsewhere.
        """
        self._looked_t, self._looked_at = frame.t, None if self._tracks else self._motion.blocks
        self._watch.set_kind("sweep")
        found = self._proposals.look(
            frame,
            [track.expected(frame.t) for track in self._tracks if track not in missed],
            hits=2 if self._tracks else 1,
            level=self._level,
        )
        for one in found:
            track = min(
                (
                    track
                    for track in missed
                    if within_reach(track.box, one.box, frame.t - track.t)
                    and likeness(track, one.box, frame.grey) >= ALIKE
                ),
                key=lambda track: distance(track.box, one.box),
                default=None,
            )
            if track:
                track.leap(one.box, frame.t, one.tilt)
            else:
                self._begin(one.box, frame.t, one.tilt)

    def _continue_sweep(self, frame: Frame, seconds: float, paid: int, *, looked: bool = False) -> None:
        """Scan the parts of the sweep that are due.

        Args:
            frame: the frame.
            seconds: since the last beat.
            paid: searches and readings of this beat.
            looked: it has a look as well.
        """
        if self._tracks:
            self._due_parts = min(self._due_parts + self._sweep.parts(frame) * seconds / _SWEEP_S, _PARTS)
            parts = int(self._due_parts)
            if paid:
                waited = not 0 <= frame.t - self._swept_t < _LONGEST_WAIT_S
                parts = min(parts, 1 if waited and paid < _MOST_PAID else 0)
            self._due_parts -= parts
            if parts:
                self._motion.see(frame.grey)
        else:
            parts = _PARTS - paid - looked
        if parts <= 0:
            return
        self._swept_t = frame.t
        self._watch.set_kind("sweep")
        # Without a tracked face, one hit is enough: the next beat confirms or drops it. Beside looks in every beat that
        # would be too many by chance.
        boxes = self._sweep.scan(
            frame,
            parts,
            [track.expected(frame.t) for track in self._tracks],
            self._motion,
            hits=2 if self._tracks or looked else 1,
            most=1 if self._tracks else 2,
            lost=self._register.places(frame.t),
        )
        for box in boxes:
            self._begin(box, frame.t, self._sweep.tilt)

    def _begin(self, box: Box, t: float, tilt: float) -> None:
        """Begin a track. What was found a moment ago, and not again, may have been the same face on its way."""
        track = Track(box, began=t, t=t, tilt=tilt)
        self._fleeting = [old for old in self._fleeting if 0 < t - old.t < _FLEETING_S]
        earlier = (old for old in self._fleeting if within_reach(old.box, box, t - old.t))
        if before := min(earlier, key=lambda old: distance(old.box, box), default=None):
            track.came_from(before.box, before.t)
        self._tracks.append(track)

    def _scan_regions(self, frame: Frame) -> int:
        """Follow each tracked face by alignment, or search for it around its predicted place.

        Returns for how many it was searched.
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
            scans[index] = self._regions.scan(frame, track, fit, least, self._level)
        assign(scans, self._tracks, frame.grey, frame.t)
        for index in scans:
            self._tracks[index].searched(frame.grey, frame.t)
        return len(scans)

    def _fit(self, frame: Frame, track: Track) -> Fit | None:
        """Return where alignment finds a face; None if it does not look as before, is too new, or is too small."""
        if track.likeness is None or frame.t - track.began < _KNOWN_S:
            return None
        place = track.place(frame.t)
        fit = track.likeness.fit(frame.grey, place, track.tilt)
        if fit is None or fit.likeness < _LIKE or fit.side < self._detector.smallest:
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

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return what may be faces, and add the time to the beat."""
        began = self._watch.now()
        found = self._detector.candidates(picture)
        self._watch.add("haar", began)
        return found

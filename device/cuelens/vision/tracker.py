"""Tracking: matches the faces of a frame to those of the frame before."""

import math
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from cuelens.frame import Grey
from cuelens.types import Box, Face
from cuelens.vision.alignment import Fit, Likeness
from cuelens.vision.boxes import distance, near
from cuelens.vision.thumbnail import Look, look

MISSES: Final = 2
"""Beats in a row without a box after which a numbered track is lost."""
_SPEED_WEIGHT: Final = 0.5
"""Weight of the newest step in the speed (exponential smoothing)."""
_PLACE_S: Final = 0.05
"""Time constant of the centre, in seconds: a box trembles by a hundredth of its side from frame to frame."""
_ALIGNED_PLACE_S: Final = 0.3
"""The same where alignment told the place: it is off by a few thousandths, and a search by a hundredth."""
_LEAP: Final = 0.3
"""Distance from the predicted place, in sides, from which on the centre is taken as measured."""
_RESIZED: Final = 0.4
"""Difference from the predicted side, as a logarithm, from which on the side is taken as measured."""
_GROWTH_WEIGHT: Final = 1 / 3
"""Weight of a measured side in the growth, relative to that in the side."""
_GROWTH_LEFT: Final = 0.95
"""Share of the growth that remains after a measurement: growth does not go on for long."""
_FASTEST: Final = 1.2
"""Limit of the growth of a side, as a logarithm a second: from two metres to one in 0.6 s."""
_TILT_MOST: Final = 35.0
_LOOK_WEIGHT: Final = 0.3
"""Weight of the newest thumbnail (exponential smoothing)."""
_LOOK_EVERY_S: Final = 0.25
ALIKE: Final = 0.72
"""Least correlation of two thumbnails of one face: mostly over 0.9 for one person, under 0.7 for two."""
_JUMP: Final = 0.3
"""Distance from the predicted place beyond which thumbnails are compared, in sides of the box."""
_PAUSE_S: Final = 0.3
"""They are compared after so long without a frame, too: somebody else may stand there now."""


class Scan(msgspec.Struct, frozen=True):
    """The search for one tracked face in one frame.

    Attributes:
        boxes: candidates and their numbers of hits.
        trust: weight of a candidate's side against the predicted one, 0 to 1: a narrow range of sizes says little.
        lean: degrees by which a part of the search leaned away from the track's tilt; 0 if none did.
        leaning: number of hits of that part.
        fit: where the face is by alignment; None if that is not known.
        tilt: of the head, in degrees, if it is not the one that was expected; else None.
    """

    boxes: dict[Box, int]
    trust: float = 1.0
    lean: float = 0.0
    leaning: int = 0
    fit: Fit | None = None
    tilt: float | None = None


@dataclass(slots=True)
class Track:
    """One tracked face.

    Attributes:
        box: its last box, steadied, in pixels of the frame.
        began: time of its first box, in seconds.
        t: time of its last box, in seconds.
        number: 0 until it was found often enough to count.
        misses: beats in a row without a box.
        tilt: by how much the head leans, in degrees, counter-clockwise.
        speed: of its centre, right and down, in pixels a second, smoothed.
        look: its thumbnail, smoothed; None before the first.
        look_t: time of the newest thumbnail, in seconds.
        likeness: how it looked when it was last searched for; None before a number, and after a miss.
        searched_t: time of its last search, in seconds.
        searches: number of its searches.
        leapt: its last box is a proposal's, far from where it was expected; it was not searched for since.
    """

    box: Box
    began: float
    t: float
    number: int = 0
    misses: int = 0
    tilt: float = 0.0
    speed: tuple[float, float] = (0.0, 0.0)
    look: Look | None = None
    look_t: float = 0.0
    likeness: Likeness | None = None
    searched_t: float = -math.inf
    searches: int = 0
    leapt: bool = False
    _place: tuple[float, float, float] = field(init=False)
    """Centre in pixels, and the logarithm of the side."""
    _growth: float = 0.0
    """Of the logarithm of the side, a second."""
    _leaning: dict[bool, tuple[float, int]] = field(default_factory=dict)
    """Of the last scan that leaned clockwise (False), and of the last that leaned the other way (True): by how many
    degrees from the tilt that it has now, and its hits.
    """

    def __post_init__(self) -> None:
        self._place = _place(self.box)

    @property
    def face(self) -> Face:
        """Return it as others see it."""
        return Face(self.number, self.box, self.tilt)

    def expected(self, t: float) -> Box:
        """Return the box predicted for time `t`, at constant speed and growth."""
        return _box(self._predicted(t))

    def place(self, t: float) -> tuple[float, float, float]:
        """Return centre and side predicted for time `t`, in pixels of the frame."""
        x, y, side = self._predicted(t)
        return x, y, math.exp(side)

    def follow(self, fit: Fit, t: float) -> None:
        """Set the box at time `t` to where the face is by alignment."""
        seconds = t - self.t
        before = self._place
        self._place = fit.x, fit.y, math.log(fit.side)
        if seconds > 0:
            right, down, grown = ((new - old) / seconds for new, old in zip(self._place, before, strict=True))
            self._hasten(right, down)
            self._growth += _SPEED_WEIGHT * (min(max(grown, -_FASTEST), _FASTEST) - self._growth)
        self.tilt = min(max(fit.tilt, -_TILT_MOST), _TILT_MOST)
        self.box, self.t = _box(self._place), t

    def update(self, box: Box, t: float, trust: float = 1.0, fit: Fit | None = None) -> None:
        """Set the box at time `t`.

        Args:
            box: as it was found.
            t: in seconds.
            trust: weight of its side against the predicted side, 0 to 1.
            fit: where it is by alignment; None if that is not known.
        """
        if fit:
            self.follow(fit, t)
            self._correct(_place(box), t - self.searched_t, trust)
        elif t > self.t:
            self._steady(_place(box), t - self.t, trust)
        self.box, self.t, self.misses, self.leapt = _box(self._place), t, 0, False

    def came_from(self, box: Box, t: float) -> None:
        """Take its speed from a box that it had at an earlier time `t`, in seconds."""
        seconds = self.t - t
        x, y, _ = _place(box)
        self.speed = (self._place[0] - x) / seconds, (self._place[1] - y) / seconds

    def leap(self, box: Box, t: float, tilt: float) -> None:
        """Go on from a box elsewhere, at a later time `t`. It still counts as missed. tilt: of the head there."""
        before, then = self.box, self.t
        self._place, self._growth, self._leaning = _place(box), 0.0, {}
        self.box, self.t, self.tilt, self.leapt = box, t, tilt, True
        self.came_from(before, then)

    def stand_up(self, tilt: float) -> None:
        """Take another tilt: with the one that was expected it was not found."""
        self.tilt, self._leaning = tilt, {}

    def searched(self, grey: Grey, t: float) -> None:
        """Note that it was searched for at time `t`, and how it looks if it was found."""
        found = self.number and self.t == t
        self.likeness = Likeness.of(grey, self.place(t), self.tilt) if found else None
        self.searched_t, self.searches = t, self.searches + 1

    def compare(self, hits: int, lean: float) -> None:
        """Set the tilt to the mean of the last two leaning scans, by their hits. lean: of the new one, in degrees."""
        self._leaning[lean > 0] = lean, hits
        every = sum(hits for _, hits in self._leaning.values())
        if len(self._leaning) == 2 and every:
            before = self.tilt
            mean = before + sum(lean * hits for lean, hits in self._leaning.values()) / every
            self.tilt = min(max(mean, -_TILT_MOST), _TILT_MOST)
            # They leaned from the tilt that it had.
            turn = self.tilt - before
            self._leaning = {way: (lean - turn, hits) for way, (lean, hits) in self._leaning.items()}

    def _predicted(self, t: float) -> tuple[float, float, float]:
        ahead = t - self.t
        x, y, side = self._place
        return x + self.speed[0] * ahead, y + self.speed[1] * ahead, side + self._growth * ahead

    def _hasten(self, right: float, down: float) -> None:
        """Smooth the speed by a new one, in pixels a second."""
        self.speed = (
            self.speed[0] + _SPEED_WEIGHT * (right - self.speed[0]),
            self.speed[1] + _SPEED_WEIGHT * (down - self.speed[1]),
        )

    def _correct(self, measured: tuple[float, float, float], seconds: float, trust: float) -> None:
        """Move the place, as alignment has it, towards the measured one. seconds: since the last such measurement."""
        weight = 1 - math.exp(-seconds / _ALIGNED_PLACE_S)
        x, y, side = self._place
        off_side = measured[2] - side
        self._place = (
            x + weight * (measured[0] - x),
            y + weight * (measured[1] - y),
            side + (1.0 if abs(off_side) > _RESIZED else trust) * off_side,
        )

    def _steady(self, measured: tuple[float, float, float], seconds: float, trust: float) -> None:
        """Take a weighted mean of the predicted place and the measured one."""
        x, y, side = self._predicted(self.t + seconds)
        off_x, off_y, off_side = measured[0] - x, measured[1] - y, measured[2] - side
        leap = _LEAP * math.exp(measured[2])
        weight = 1.0 if max(abs(off_x), abs(off_y)) > leap else 1 - math.exp(-seconds / _PLACE_S)
        if abs(off_side) > _RESIZED:
            trust, self._growth = 1.0, 0.0
        elif trust < 1:
            self._growth = (self._growth + trust * _GROWTH_WEIGHT * off_side / seconds) * _GROWTH_LEFT
            self._growth = min(max(self._growth, -_FASTEST), _FASTEST)
        before = self._place
        self._place = x + weight * off_x, y + weight * off_y, side + trust * off_side
        self._hasten((self._place[0] - before[0]) / seconds, (self._place[1] - before[1]) / seconds)


def _place(box: Box) -> tuple[float, float, float]:
    """Return centre and logarithm of the side."""
    return box[0] + box[2] / 2, box[1] + box[3] / 2, math.log(max(box[2], 1))


def _box(place: tuple[float, float, float]) -> Box:
    side = math.exp(place[2])
    whole = round(side)
    return round(place[0] - side / 2), round(place[1] - side / 2), whole, whole


def crowded(track: Track, tracks: list[Track], t: float) -> bool:
    """Whether another tracked face is near enough to hide this one, or to be mistaken for it."""
    return _crowded(track, track.expected(t), tracks, t)


def assign(scans: dict[int, Scan], tracks: list[Track], grey: Grey, t: float) -> None:
    """Match boxes to tracks one to one, the likeliest pairs first. A track without a box counts a miss.

    Of people who pass each other, one hides the other, and place and speed say little. Then thumbnails must match too,
    and so they must after a pause.

    Args:
        scans: the search around the predicted place of each track, by the track's index; a track that has none was
            followed by alignment.
        tracks: the tracks; updated in place.
        grey: the frame, uint8 (height, width).
        t: time of the frame, in seconds.
    """
    pairs = sorted(
        (cost, index, box)
        for index, scan in scans.items()
        for box in scan.boxes
        if (cost := _cost(tracks[index], box, tracks, grey, t)) is not None
    )
    matches: dict[int, Box] = {}
    held = [track.box for index, track in enumerate(tracks) if index not in scans]
    for _, index, box in pairs:
        if index not in matches and not any(near(box, other) for other in (*matches.values(), *held)):
            tracks[index].update(box, t, scans[index].trust, scans[index].fit)
            if (tilt := scans[index].tilt) is not None:
                tracks[index].stand_up(tilt)
            matches[index] = box
    for index, scan in scans.items():
        if scan.lean:
            tracks[index].compare(scan.leaning, scan.lean)
        if index not in matches:
            tracks[index].misses += 1
    for track in tracks:
        if track.t == t and t - track.look_t >= _LOOK_EVERY_S and not _crowded(track, track.box, tracks, t):
            _update_look(track, grey)


def _cost(track: Track, box: Box, tracks: list[Track], grey: Grey, t: float) -> float | None:
    """Return the cost of matching a box to a track; None if it is another face."""
    cost = distance(track.expected(t), box) / box[2]
    if not (track.misses or cost > _JUMP or t - track.t > _PAUSE_S or _crowded(track, box, tracks, t)):
        return cost
    alike = likeness(track, box, grey)
    return cost + 1 - alike if alike >= ALIKE else None


def _crowded(track: Track, box: Box, tracks: list[Track], t: float) -> bool:
    """Whether another tracked face is near enough to hide this one, or to be mistaken for it."""
    others = (other.expected(t) for other in tracks if other is not track)
    return any(distance(box, other) < max(box[2], other[2]) for other in others)


def _update_look(track: Track, grey: Grey) -> None:
    newest = look(grey, track.box)
    if newest is None:
        return
    mean: Look = newest if track.look is None else (1 - _LOOK_WEIGHT) * track.look + _LOOK_WEIGHT * newest
    track.look = mean / np.float32(np.linalg.norm(mean))
    track.look_t = track.t


def likeness(track: Track, box: Box, grey: Grey) -> float:
    """Return the correlation of a box's thumbnail with the track's; 1 if one of them is missing."""
    newest = look(grey, box)
    return 1.0 if track.look is None or newest is None else float(track.look @ newest)

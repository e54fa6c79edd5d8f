"""The numbers of tracks: who returns keeps the one that they had."""

from cuelens.frame import Grey
from cuelens.types import Box, Face
from cuelens.vision.boxes import distance, near
from cuelens.vision.tracker import ALIKE, Track, likeness


class Register:
    """Track numbers. A face that returns near its place within `reunion_s` seconds keeps its number."""

    def __init__(self, reunion_s: float) -> None:
        self._reunion_s = reunion_s
        self._gone: list[Track] = []
        self._last = 0

    def number(self, track: Track, grey: Grey) -> Face:
        """Give a track its number, which makes it count."""
        self._gone = [old for old in self._gone if track.t - old.t <= self._reunion_s]
        earlier = min(
            (old for old in self._gone if near(old.box, track.box) and likeness(old, track.box, grey) >= ALIKE),
            key=lambda old: distance(old.box, track.box),
            default=None,
        )
        if earlier:
            self._gone.remove(earlier)
            track.number, track.look, track.look_t = earlier.number, earlier.look, earlier.look_t
        else:
            self._last += 1
            track.number = self._last
        return track.face

    def places(self, t: float) -> list[Box]:
        """Return the boxes of faces that were lost less than `reunion_s` seconds ago."""
        return [old.box for old in self._gone if t - old.t <= self._reunion_s]

    def gone(self, track: Track) -> None:
        """Store a lost track, in case it returns."""
        self._gone.append(track)

"""What a person does over time, with the truth at every moment: calm, talk, and three expressions in a random order."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from benchmarks.heads.expressions import VISEMES, Units, Ways, added, sided
from benchmarks.heads.pose import Pose
from benchmarks.heads.split import Chance, Split

FPS: Final = 15
Kind = Literal["calm", "talk", "happy", "surprise", "angry"]
SHOWN: Final[tuple[Kind, ...]] = ("happy", "surprise", "angry")
_HALF: Final = 0.5
"""From this share of its full strength an expression counts as shown."""


@dataclass(frozen=True)
class Stretch:
    """A part of a clip. Times in seconds.

    Attributes:
        kind: calm, talk, or the expression shown.
        begin: where an expression begins to rise from the neutral face.
        apex: where it is at its strongest. Of calm and talk, the begin.
        fall: where it begins to fade. Of calm and talk, the end.
        end: where the face is neutral again.
        most: of the expression, at its apex; 1 is its full strength.
    """

    kind: Kind
    begin: float
    apex: float
    fall: float
    end: float
    most: float = 1.0

    def strength(self, t: float) -> float:
        """Return how strong this stretch's face is at a time, 0 to `most`, with smooth ends."""
        if not self.begin <= t < self.end:
            return 0.0
        rise = (t - self.begin) / max(self.apex - self.begin, 1e-9) if t < self.apex else 1.0
        fade = (self.end - t) / max(self.end - self.fall, 1e-9) if t > self.fall else 1.0
        share = min(rise, fade)
        return self.most * share * share * (3 - 2 * share)


@dataclass(frozen=True)
class Moment:
    """One frame of a clip: what is drawn, and the truth.

    Attributes:
        pose: the face, head and eyes.
        place: by how much the head has moved, in decimetres right, up and away from the camera.
        stretch: what the person does.
        shown: the expression that the face shows, neutral below half strength, in talk and in blinks.
        strength: of the stretch's expression, 0 to 1.
    """

    pose: Pose
    place: tuple[float, float, float]
    stretch: Stretch
    shown: str
    strength: float


class Clip:
    """A person before a camera for some 25 seconds. The same split, number and ways give the same clip."""

    def __init__(self, split: Split, number: int, ways: Ways, stretches: tuple[Stretch, ...] = ()) -> None:
        """Make all the choices of a clip.

        Args:
            split: whom it is for.
            number: of the person.
            ways: how this person makes faces.
            stretches: what is done; left out, it is chosen too.
        """
        chance = Chance(split, number, "clip")
        self._ways = ways
        self.stretches = stretches or _stretches(chance)
        self.seconds = self.stretches[-1].end
        self.frames = int(self.seconds * FPS)
        self._blinks = _steps(chance, 1.5, 5.0, self.seconds)
        self._mouths = _steps(chance, 0.13, 0.24, self.seconds)
        self._visemes = chance.random.integers(len(VISEMES), size=len(self._mouths))
        self._loud = chance.random.uniform(0.5, 1.0, len(self._mouths))
        self._glances = _steps(chance, 0.6, 2.5, self.seconds)
        self._gazes = chance.random.normal(0, (4.0, 2.0), (len(self._glances), 2)).clip(-9, 9)
        self._sway = _Sway(chance)
        self._facing = chance.between(-10, 10), chance.between(-6, 6)

    def moment(self, t: float) -> Moment:
        """Return what the person does at a time in seconds."""
        stretch = next((one for one in self.stretches if t < one.end), self.stretches[-1])
        strength = stretch.strength(t)
        talks = stretch.kind == "talk"
        if stretch.kind in SHOWN:
            face = self._ways.face(stretch.kind, strength)
            shown = stretch.kind if strength >= _HALF else "neutral"
        else:
            face, shown = self._ways.face("neutral"), "neutral"
        if talks:
            face = added(face, self._talk(t, strength))
        yaw, pitch, roll, *place = self._sway.at(t, 1.6 if talks else 1.0)
        yaw, pitch = yaw + self._facing[0], pitch + self._facing[1]
        across, up = self._gazes[max(int(np.searchsorted(self._glances, t)) - 1, 0)]
        # The eyes hold on to the camera while the head turns.
        gaze = (float(across) - 0.7 * yaw, float(up) + 0.7 * pitch)
        face = self._blink(added(face, _lids(gaze[1])), t)
        return Moment(Pose(face, yaw, pitch, roll, gaze), (place[0], place[1], place[2]), stretch, shown, strength)

    def _talk(self, t: float, strength: float) -> Units:
        """Return the mouth of speech: from one viseme to the next, now louder, now softer; brows go along a little."""
        place = int(np.searchsorted(self._mouths, t))
        if place in (0, len(self._mouths)):
            return {}
        begin, end = self._mouths[place - 1 : place + 1]
        share = float((t - begin) / (end - begin))
        now, then = (
            {
                unit: value * float(self._loud[at]) * weight * strength
                for unit, value in VISEMES[self._visemes[at]].items()
            }
            for at, weight in ((place - 1, 1 - share), (place, share))
        )
        brows = {"browInnerUp": 0.15 * strength * max(0.0, float(np.sin(2.1 * t) + np.sin(5.3 * t)))}
        return added(sided(added(now, then), 0.0), brows)

    def _blink(self, face: Units, t: float) -> Units:
        """Return the face with the lids as far down as they are at a time: a tenth of a second down, two up."""
        since = t - self._blinks[max(int(np.searchsorted(self._blinks, t)) - 1, 0)]
        closed = float(np.clip(since / 0.1, 0, 1) * np.clip((0.3 - since) / 0.2, 0, 1)) if 0 <= since < 0.3 else 0.0
        lids = {unit: value * (1 - closed) for unit, value in face.items() if unit.startswith("eye")}
        return {**face, **lids, "eyeBlinkLeft": closed, "eyeBlinkRight": closed}


def _stretches(chance: Chance) -> tuple[Stretch, ...]:
    """Return calm, then each expression, followed by talk or calm in turn."""
    stretches = [Stretch("calm", 0.0, 0.0, 3.0, 3.0)]
    begin = 3.0
    first = int(chance.random.integers(2))
    for place, kind in enumerate(chance.random.permutation(np.array(SHOWN))):
        apex = begin + chance.between(0.25, 0.6)
        fall = apex + chance.between(1.6, 2.2)
        end = fall + chance.between(0.4, 0.8)
        stretches.append(Stretch(kind.item(), begin, apex, fall, end))
        begin = end + chance.between(4.0, 5.0)
        talks = (place + first) % 2 == 0
        ramp = 0.2 if talks else 0.0
        stretches.append(Stretch("talk" if talks else "calm", end, end + ramp, begin - ramp, begin))
    return tuple(stretches)


def _steps(chance: Chance, least: float, most: float, seconds: float) -> np.ndarray:
    """Return times from near zero to the end, this far apart, (n,), in seconds."""
    times = np.cumsum(chance.random.uniform(least, most, int(seconds / least) + 2))
    return times[times < seconds + most]


class _Sway:
    """Slow movement of a head: nobody keeps quite still."""

    _REACH: Final = (5.0, 3.0, 2.5, 0.1, 0.05, 0.15)
    """Of yaw, pitch and roll in degrees, then right, up and away in decimetres: standard deviations, about."""

    def __init__(self, chance: Chance) -> None:
        self._rates = chance.random.uniform(0.05, 0.35, (4, 6))
        self._phases = chance.random.uniform(0, 2 * np.pi, (4, 6))

    def at(self, t: float, lively: float) -> list[float]:
        """Return yaw, pitch, roll and the place at a time. lively: what the turns are multiplied with."""
        waves = np.sin(2 * np.pi * self._rates * t + self._phases).sum(axis=0) / np.sqrt(2)
        more = np.array((lively, lively, lively, 1, 1, 1))
        return [float(value) for value in waves * self._REACH * more]


def _lids(up: float) -> Units:
    """Return lids that go with the eyes. up: of the gaze, in degrees."""
    share = min(abs(up) / 25, 1.0)
    return sided({"eyeLookUp" if up > 0 else "eyeLookDown": share}, 0.0)

"""What faces show: graded face units of four expressions, of speech and of blinks. Each person has ways of their own.

There is no sad, fear, disgust or contempt: on these heads people do not read them reliably, so they are no truth here.
"""

from dataclasses import dataclass
from typing import Final

from benchmarks.heads.split import Chance, Split

Units = dict[str, float]

EXPRESSIONS: Final = ("neutral", "happy", "surprise", "angry")
"""In the words of a bundle's labels. Anger is that of bared teeth."""
_RANGES: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "neutral": {},
    "happy": {
        "mouthSmile": (1.1, 1.4),
        "cheekSquint": (0.6, 1.0),
        "eyeSquint": (0.1, 0.4),
        "mouthUpperUp": (0.4, 0.9),
        "mouthLowerDown": (0.2, 0.6),
        "jawOpen": (0.02, 0.2),
        "mouthStretch": (0.0, 0.3),
    },
    "surprise": {
        "browInnerUp": (0.8, 1.0),
        "browOuterUp": (0.8, 1.0),
        "eyeWide": (0.7, 1.0),
        "jawOpen": (0.5, 0.85),
        "mouthFunnel": (0.0, 0.3),
        "mouthShrugLower": (0.2, 0.5),
    },
    "angry": {
        "browDown": (0.85, 1.0),
        "noseSneer": (0.6, 1.0),
        "eyeSquint": (0.1, 0.4),
        "mouthUpperUp": (0.9, 1.3),
        "mouthLowerDown": (1.0, 1.5),
        "mouthStretch": (0.4, 0.9),
        "jawOpen": (0.0, 0.14),
        "cheekSquint": (0.2, 0.5),
    },
}
"""Strengths at full expression, from which each person has one of their own."""
_AT_REST: Final = {
    "mouthFrown": 0.1,
    "mouthSmile": 0.08,
    "browDown": 0.1,
    "browInnerUp": 0.1,
    "eyeSquint": 0.15,
    "mouthPress": 0.2,
    "eyeWide": 0.1,
}
"""The most that a neutral face has of a unit: nobody is at zero."""
VISEMES: Final[tuple[Units, ...]] = (
    {"jawOpen": 0.32},
    {"jawOpen": 0.16, "mouthStretch": 0.3, "mouthLowerDown": 0.2},
    {"jawOpen": 0.08, "mouthStretch": 0.4, "mouthLowerDown": 0.3},
    {"jawOpen": 0.22, "mouthFunnel": 0.5},
    {"jawOpen": 0.08, "mouthPucker": 0.6},
    {"mouthPress": 0.5, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    {"jawOpen": 0.05, "mouthRollLower": 0.4, "mouthUpperUp": 0.2},
    {"jawOpen": 0.14},
)
"""Mouths of speech: a, e, i, o, u, m, f and t, at the strength of calm talk."""
_SIDED: Final = frozenset(
    (
        *(
            "browDown",
            "browOuterUp",
            "cheekSquint",
            "eyeBlink",
            "eyeLookDown",
            "eyeLookUp",
            "eyeSquint",
            "eyeWide",
            "mouthDimple",
            "mouthFrown",
        ),
        *("mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
    )
)


@dataclass(frozen=True)
class Ways:
    """How a person makes faces.

    Attributes:
        rest: the neutral face.
        full: each expression at full strength, what is added to the neutral face.
        skew: by which the left side of the face is stronger than the right, for example 0.05.
    """

    rest: Units
    full: dict[str, Units]
    skew: float

    def face(self, expression: str, strength: float = 1.0) -> Units:
        """Return a face. strength: 0 is neutral, 1 the full expression."""
        more = {unit: strength * value for unit, value in self.full[expression].items()}
        return sided(added({unit: (1 - strength) * value for unit, value in self.rest.items()}, more), self.skew)


def ways(split: Split, number: int) -> Ways:
    """Return the ways of a person. The same split and number give the same."""
    chance = Chance(split, number, "ways")
    rest = {unit: max(0.0, chance.between(-most, most)) for unit, most in _AT_REST.items()}
    full = {
        expression: {unit: chance.between(*ends) for unit, ends in ranges.items()}
        for expression, ranges in _RANGES.items()
    }
    return Ways(rest, {**full, "neutral": rest}, chance.about(0.06))


def sided(units: Units, skew: float) -> Units:
    """Return units of both sides of the face by their names on each side. skew: as in `Ways`."""
    both: Units = {}
    for unit, value in units.items():
        if unit in _SIDED:
            both |= {f"{unit}Left": value * (1 + skew), f"{unit}Right": value * (1 - skew)}
        else:
            both[unit] = value
    return both


def added(one: Units, other: Units) -> Units:
    """Return the sum of two faces."""
    return {unit: one.get(unit, 0.0) + other.get(unit, 0.0) for unit in [*one, *other]}

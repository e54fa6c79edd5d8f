"""Who somebody is: age, sex, build, features, hair and brows. Skin tone is no part of it: anybody may have any."""

from dataclasses import dataclass
from itertools import product
from typing import Final

from benchmarks.heads.split import Chance, Split

Targets = dict[str, float]

BALD: Final = "bald"
CROPPED: Final = "cropped"
"""Hair without a mesh: so short that it is only a shade of the scalp."""
HAIR: Final[dict[Split, tuple[str, ...]]] = {
    "train": ("hair/short01", CROPPED),
    "test": ("hair/short04", "hair/afro01"),
}
"""The mesh bob01 is not used: it covers an eye."""
BROWS: Final[dict[Split, tuple[str, str]]] = {
    "train": ("eyebrows/eyebrow010", "eyebrows/eyebrow003"),
    "test": ("eyebrows/eyebrow001", "eyebrows/eyebrow006"),
}
"""Broad and thin ones. Men have the broad ones."""
_SIZE: Final = ("decr", "incr")
_HEIGHT: Final = ("down", "up")
_FEATURES: Final = {
    "nose/nose-hump": _SIZE,
    "nose/nose-point": _HEIGHT,
    "nose/nose-scale-horiz": _SIZE,
    "nose/nose-scale-vert": _SIZE,
    "nose/nose-volume": _SIZE,
    "nose/nose-width1": _SIZE,
    "mouth/mouth-scale-horiz": _SIZE,
    "mouth/mouth-trans": _HEIGHT,
    "mouth/mouth-upperlip-volume": _SIZE,
    "mouth/mouth-lowerlip-volume": _SIZE,
    "chin/chin-width": _SIZE,
    "chin/chin-height": _SIZE,
    "chin/chin-prominent": _SIZE,
    "chin/chin-bones": _SIZE,
    "forehead/forehead-scale-vert": _SIZE,
    "forehead/forehead-nubian": _SIZE,
    "head/head-fat": _SIZE,
    "head/head-scale-horiz": _SIZE,
    "head/head-scale-vert": _SIZE,
}
"""Features by the begin of two targets' names, and their ends: less and more."""
_PAIRED: Final = {
    "cheek/{}-cheek-bones": _SIZE,
    "cheek/{}-cheek-volume": _SIZE,
    "eyes/{}-eye-scale": _SIZE,
    "eyes/{}-eye-trans": ("in", "out"),
    "eyes/{}-eye-corner2": _HEIGHT,
    "eyes/{}-eye-bag": _SIZE,
    "ears/{}-ear-scale": _SIZE,
}
"""The same of features that the left and the right half of the face have."""
_SHAPES: Final = ("oval", "round", "square", "rectangular", "triangular", "invertedtriangular", "diamond")
_ASYMMETRIES: Final = ("brown-1", "cheek-1", "eye-1", "jaw-1", "mouth-1", "nose-1", "nose-2", "mouth-2", "brown-2")


@dataclass(frozen=True)
class Identity:
    """A person.

    Attributes:
        split: whether training may see this person.
        number: within the split.
        age: in years, 20 to 75: there are no children.
        female: 0 for a man, 1 for a woman.
        weight: build, 0 thin to 1 stout.
        targets: strengths of the targets that make the shape.
        hair: mesh of the hair, "cropped" or "bald".
        brows: mesh of the brows.
        hair_shade: reflectance of hair and brows, 0 to 1.
        beard: 0 shaven to 1 bristly.
        blemish: strength of blotches and freckles, 0 to 1.
        iris_shade: reflectance of the iris.
        cloth_shade: reflectance of the clothes.
        gloss: shine of the skin, 1 is usual.
        brow_fill: thickness of the brows, 1 is thin.
    """

    split: Split
    number: int
    age: float
    female: float
    weight: float
    targets: Targets
    hair: str
    brows: str
    hair_shade: float
    beard: float
    blemish: float
    iris_shade: float
    cloth_shade: float
    gloss: float
    brow_fill: float


def identity(split: Split, number: int) -> Identity:
    """Return a person. The same split and number give the same person."""
    chance = Chance(split, number, "identity")
    age, female = chance.between(20, 75), float(chance.random.random() < 0.5)
    weight, muscle = chance.between(0.1, 0.9), chance.between(0.25, 0.75)
    targets = _macro(_origins(chance), age, female, muscle, weight) | _features(chance)
    grey = max(0.0, min(1.0, (age - 40) / 30 + chance.about(0.3)))
    bald = not female and chance.random.random() < 0.15 + 0.35 * (age > 50)
    return Identity(
        split,
        number,
        age,
        female,
        weight,
        targets,
        BALD if bald else chance.one_of(HAIR),
        BROWS[split][int(female and chance.random.random() < 0.5)],
        chance.between(0.01, 0.035) + 0.16 * grey,
        0.0 if female else max(0.0, chance.between(-0.5, 1.0)),
        chance.between(0.1, 1.0),
        chance.between(0.02, 0.06),
        chance.between(0.03, 0.5),
        chance.between(0.6, 1.4),
        chance.between(0.9, 1.7),
    )


def _origins(chance: Chance) -> dict[str, float]:
    """Return shares of the three shapes of skull that the targets know. They have nothing to do with the tone."""
    shares = chance.random.dirichlet((0.7, 0.7, 0.7))
    return dict(zip(("african", "asian", "caucasian"), map(float, shares), strict=True))


def _macro(origins: dict[str, float], age: float, female: float, muscle: float, weight: float) -> Targets:
    """Return the targets of age, sex and build, by the rule of their file names: strengths are products of shares.

    Args:
        origins: shares of the shapes of skull.
        age: in years; the targets' young are 25, the old 90.
        female: 0 or 1.
        muscle: 0 to 1, 0.5 is average.
        weight: 0 to 1, 0.5 is average.
    """
    old = max(0.0, (age - 25) / 65)
    ages, sexes = {"young": 1 - old, "old": old}, {"female": female, "male": 1 - female}
    muscles, weights = (_three(value, part) for value, part in ((muscle, "muscle"), (weight, "weight")))
    targets = {
        f"macrodetails/{origin}-{sex}-{time}": a * b * c
        for (origin, a), (sex, b), (time, c) in product(origins.items(), sexes.items(), ages.items())
    }
    targets |= {
        f"macrodetails/universal-{sex}-{time}-{firm}-{heavy}": a * b * c * d
        for (sex, a), (time, b), (firm, c), (heavy, d) in product(
            sexes.items(), ages.items(), muscles.items(), weights.items()
        )
    }
    return {name: strength for name, strength in targets.items() if strength > 0}


def _three(value: float, part: str) -> dict[str, float]:
    return {
        f"min{part}": max(0.0, 1 - 2 * value),
        f"average{part}": 1 - abs(2 * value - 1),
        f"max{part}": max(0.0, 2 * value - 1),
    }


def _features(chance: Chance) -> Targets:
    """Return features of this person alone: alike on both sides, and a little uneven."""
    targets: Targets = {}
    for name, ends in _FEATURES.items():
        strength = chance.about(0.35)
        targets[f"{name}-{ends[strength > 0]}"] = abs(strength)
    for name, ends in _PAIRED.items():
        strength = chance.about(0.35)
        targets |= {f"{name.format(side)}-{ends[strength > 0]}": abs(strength) for side in "lr"}
    for shape in chance.random.choice(_SHAPES, 2, replace=False):
        targets[f"head/head-{shape}"] = chance.between(0.0, 0.3)
    for part in _ASYMMETRIES:
        strength = chance.about(0.25)
        targets[f"asym/asym-{part}-{'r' if strength > 0 else 'l'}"] = abs(strength)
    return targets

"""What is on the skin: melanin, blood, roots of hair. All of it is made here, from regions and seeded noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from benchmarks.heads.assets import Floats
from benchmarks.heads.identity import BALD
from benchmarks.heads.pose import normals_of
from benchmarks.heads.rig import Rig
from benchmarks.heads.split import Chance

LIGHTEST: Final = 0.41
DARKEST: Final = 0.071
"""Reflectance of the lightest and the darkest skin. L* is 70 and 32: with the usual yellow of skin that is a typology
angle (Chardon 1991) of about +60 and -50 degrees, beyond which there are few people."""
_GRAIN: Final = 256
_CELL: Final = 0.06
"""Side of the cells in which points hide each other, in decimetres."""


@dataclass(frozen=True)
class Tone:
    """How a skin of some tone reflects. reflectance: without detail, 0 to 1. blood: how much of it shows through."""

    reflectance: float
    blood: float


def tone(darkness: float) -> Tone:
    """Return a tone. darkness: 0 for the lightest skin, 1 for the darkest; even steps look even (L* falls evenly)."""
    lightness = np.interp(darkness, (0, 1), (_lightness(LIGHTEST), _lightness(DARKEST)))
    return Tone(float(((lightness + 16) / 116) ** 3), 1.0 - 0.55 * darkness)


def _lightness(reflectance: float) -> float:
    return float(116 * np.cbrt(reflectance) - 16)


def paint(rig: Rig) -> Floats:
    """Return what each point has on it, (n, 4): melanin (1 is the tone), blood, roots of hair, inside of the mouth."""
    person, chance = rig.person, Chance(rig.person.split, rig.person.number, "skin")
    home = rig.original
    blotches = _blotches(home, chance, 0.5) + 0.5 * _blotches(home, chance, 0.18)
    age = np.clip((person.age - 35) / 40, 0, 1)
    melanin = 1.0 + 0.05 * (0.4 + person.blemish) * (1 + age) * blotches
    cheeks = _bump(home, (0.45, 6.85, 1.1), 0.3)
    nose = _bump(home, (0.0, 6.95, 1.75), 0.2)
    sockets = _bump(home, (0.33, 7.2, 1.3), 0.2)
    lips = rig.masks["lips"]
    blood = 0.12 * cheeks + 0.12 * nose + (0.16 + 0.1 * age) * sockets + 0.06 * person.blemish * blotches
    blood += lips * chance.between(0.4, 0.75) + 0.25 * rig.masks["eyelids"] + 0.1 * rig.masks["ears"]
    melanin += 0.06 * lips + 0.05 * sockets
    return np.stack([melanin, blood, _roots(rig), rig.masks["inside-mouth"]], axis=1).astype(np.float32)


def openness(rig: Rig) -> Floats:
    """Return how much of the light from all around reaches each point of the head at rest, (n,), 0 to 1.

    Seen from many directions, points that lie farther than others in the same cell are hidden: those in the sockets of
    the eyes, beside the nose and below the chin.
    """
    triangles = np.concatenate([part.triangles for part in rig.parts])
    normals = normals_of(rig.rest, triangles)
    hiding = np.concatenate([rig.rest, rig.rest[triangles].mean(axis=1)])
    sum_seen, sum_all = np.zeros(len(rig.rest)), np.full(len(rig.rest), 1e-6)
    for direction in _directions(64):
        across = np.cross(direction, (0.3, 1.0, 0.2))
        axes = np.stack([across, np.cross(direction, across)]) / np.linalg.norm(across) / _CELL
        cells = np.floor(hiding @ axes.T).astype(int)
        cells -= cells.min(axis=0)
        cell = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
        height = hiding @ direction
        nearest = np.full(cell.max() + 1, -np.inf)
        np.maximum.at(nearest, cell, height)
        sees = height[: len(rig.rest)] > nearest[cell[: len(rig.rest)]] - _CELL
        facing = np.maximum(normals @ direction, 0)
        sum_seen += facing * sees
        sum_all += facing
    return np.asarray(sum_seen / sum_all, np.float32)


def _directions(count: int) -> Floats:
    """Return directions spread evenly over a ball, (count, 3): a spiral of the golden angle."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    angle = np.pi * (1 + 5**0.5) * np.arange(count)
    wide = np.sqrt(1 - height**2)
    return np.stack([wide * np.cos(angle), height, wide * np.sin(angle)], axis=1).astype(np.float32)


def _roots(rig: Rig) -> Floats:
    """Return how much of the skin bristles and short hair cover, (n,)."""
    home, person = rig.original, rig.person
    _, y, z = home.T
    scalp = _smooth(y - 0.35 * (z - 0.9), 7.78, 7.98)
    behind = _smooth(-z, -0.35, -0.1) * _smooth(y, 6.6, 6.9)
    ears = rig.masks["ears"]
    crown = np.maximum(scalp, behind) * (1 - ears) * (0.25 if person.hair == BALD else 0.95)
    jaw = _smooth(-y, -6.75, -6.45) * _smooth(y, 5.9, 6.1) * _smooth(z, 0.1, 0.5)
    lip = _bump(home, (0.0, 6.75, 1.55), 0.16) * (y > 6.66)
    bristles = np.maximum(jaw, lip) * (1 - rig.masks["lips"]) * 0.55 * person.beard
    return np.asarray(np.maximum(crown, bristles), np.float32)


def grain(random: np.random.Generator) -> Floats:
    """Return the texture of pores, (256, 256), 0 to 1 around a half; it repeats without a seam."""
    noise = np.fft.rfft2(random.normal(size=(_GRAIN, _GRAIN)))
    across, down = np.fft.rfftfreq(_GRAIN)[None, :], np.fft.fftfreq(_GRAIN)[:, None]
    rate = np.hypot(across, down)
    smooth = np.fft.irfft2(noise * np.exp(-((rate / 0.12) ** 2)) * (rate > 0))
    return np.asarray(np.clip(0.5 + 0.2 * smooth / smooth.std(), 0, 1), np.float32)


def _blotches(home: Floats, chance: Chance, size: float) -> Floats:
    """Return seeded smooth noise on the skin, (n,), of standard deviation 1. size: of its spots, in decimetres."""
    waves = chance.random.normal(0, 1 / size, (24, 3)).astype(np.float32)
    phases = chance.random.uniform(0, 2 * np.pi, 24)
    return np.asarray(np.cos(home @ waves.T + phases).sum(axis=1) / np.sqrt(12), np.float32)


def _bump(home: Floats, middle: tuple[float, float, float], reach: float) -> Floats:
    """Return 1 at a place of the base mesh and of the other side of the face, falling off over `reach` decimetres."""
    away = np.abs(home) * [1, 0, 0] + home * [0, 1, 1] - middle
    return np.asarray(np.exp(-((away / reach) ** 2).sum(axis=1)), np.float32)


def _smooth(values: Floats, low: float, high: float) -> Floats:
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)

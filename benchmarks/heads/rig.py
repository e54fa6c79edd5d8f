"""A person's head as one mesh of parts, which face units move: linear in the units, so a frame is one product."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from benchmarks.heads import assets
from benchmarks.heads.assets import Floats, Ints, Rider
from benchmarks.heads.identity import BALD, CROPPED, Identity
from numpy.typing import NDArray

UNITS: Final = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight"),
    *("eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight"),
    *("mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft"),
    *("mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
)
"""The face units that move anything here, in the names that ARKit gave them."""
BUST: Final = (3.2, 1.9)
"""The mesh ends at this height of the base mesh and this far from its middle, in decimetres."""
_EYES: Final = ((14598, 14670), (14670, 14742))
"""Points of the base mesh that are the left and the right eye."""
_SHIFTS: Final = {"teeth": (0.0, -0.01, -0.04), "tongue": (0.0, -0.01, -0.04)}
_LOWER_JAW: Final = 0.04
"""By how much these are moved, and how much lower what goes with the lower jaw lies, in decimetres.

As modelled, lips that part show the lower teeth alone.
"""
_LIFT: Final = {"eyebrows/eyebrow003": 0.07, "eyebrows/eyebrow010": 0.05}
"""By how much the inner ends of these brows are lifted and the outer ones lowered, in decimetres: else they frown."""
_PUPILS_APART: Final = 0.6155
"""Distance of the eyes of the base mesh, for which the face units are made, in decimetres."""


@dataclass(frozen=True)
class Part:
    """Some triangles that are painted alike. name: skin, eyes, teeth, gums, tongue, brows, lashes or hair."""

    name: str
    triangles: Ints


@dataclass(frozen=True)
class Rig:
    """A person's head at rest, and what each face unit moves.

    Attributes:
        person: whose head it is.
        rest: (n, 3), in decimetres; the middle between the eyes is the origin, z points to the front.
        original: (n, 3), the same points on the base mesh, so that regions of the face are where they are on all.
        moves: (units, n, 3), what each unit adds at full strength.
        uv: (n, 2), places in the texture's plane of each part.
        edge: (n,), 0 at the free edges of a part, 1 inside.
        masks: regions of the skin by name, each (n,), 0 to 1.
        parts: what is drawn, in this order.
        eyes: for each eye its centre (3,) and its points.
    """

    person: Identity
    rest: Floats
    original: Floats
    moves: Floats
    uv: Floats
    edge: Floats
    masks: dict[str, Floats]
    parts: tuple[Part, ...]
    eyes: tuple[tuple[Floats, Ints], ...]


def build(person: Identity) -> Rig:
    """Return the rig of a person."""
    base = assets.base().points.copy()
    for name, strength in person.targets.items():
        points, by = assets.target(name)
        base[points] += strength * by
    left, right = (base[begin:end].mean(axis=0) for begin, end in _EYES)
    units = _units(float(np.linalg.norm(left - right)) / _PUPILS_APART)

    skin, masks = _skin(base, units)
    layers = [skin]
    for name, mesh in _riders(person).items():
        place = base + np.array(_SHIFTS.get(name, (0, 0, 0)), np.float32)
        layers.append(_ride(name, assets.rider(mesh), place, units, _LIFT.get(mesh, 0)))

    starts = np.cumsum([0, *(len(layer.rest) for layer in layers)])
    rest = np.concatenate([layer.rest for layer in layers])
    middle = (left + right) / 2
    is_left = layers[1].rest[:, 0] > middle[0]
    sides = ((left, is_left), (right, ~is_left))
    eyes = tuple((centre - middle, _ints(starts[1] + np.flatnonzero(own))) for centre, own in sides)
    return Rig(
        person,
        rest - middle,
        np.concatenate([layer.original for layer in layers]),
        np.concatenate([layer.moves for layer in layers], axis=1),
        np.concatenate([layer.uv for layer in layers]),
        np.concatenate([_edge(layer) for layer in layers]),
        {name: np.pad(mask, (0, len(rest) - len(mask))) for name, mask in masks.items()},
        tuple(part for layer, start in zip(layers, starts, strict=False) for part in _parts(layer, _ints(start))),
        eyes,
    )


@dataclass(frozen=True)
class _Layer:
    """A part, before all are put into one mesh."""

    name: str
    rest: Floats
    original: Floats
    moves: Floats
    uv: Floats
    triangles: Ints


def _units(grown: float) -> Floats:
    """Return what each face unit adds to the base mesh, (units, n, 3). grown: the face's size, 1 is the base mesh's."""
    units = np.zeros((len(UNITS), *assets.base().points.shape), np.float32)
    for row, unit in enumerate(UNITS):
        points, by = assets.target(unit)
        units[row, points] = grown * by
    return units


def _skin(points: Floats, units: Floats) -> tuple[_Layer, dict[str, Floats]]:
    """Return head, neck and shoulders of a shaped base mesh, and regions of its face by name, each (n,), 0 to 1."""
    base = assets.base()
    within = (base.points[:, 1] > BUST[0]) & (np.abs(base.points[:, 0]) < BUST[1])
    used, places = np.unique(base.triangles[within[base.triangles].all(axis=1)], return_inverse=True)
    triangles = _ints(places.reshape(-1, 3))
    layer = _Layer("skin", points[used], base.points[used], units[:, used], base.uv[used], triangles)
    return layer, {name: assets.mask(name)[used] for name in ("lips", "eyelids", "inside-mouth", "ears")}


def _riders(person: Identity) -> dict[str, str]:
    """Return the mesh of each part that rides on the skin."""
    fixed = {"eyes": "eyes/high-poly", "teeth": "teeth/teeth_base", "tongue": "tongue/tongue01"}
    hair = {} if person.hair in (BALD, CROPPED) else {"hair": person.hair}
    return {**fixed, "brows": person.brows, "lashes": "eyelashes/eyelashes01", **hair}


def _ride(name: str, rider: Rider, place: Floats, units: Floats, lift: float) -> _Layer:
    """Hang a rider on a shaped base mesh, and on its face units.

    Args:
        name: of the part.
        rider: its mesh.
        place: points of the shaped base mesh.
        units: what each face unit adds to them.
        lift: by how much the ends of brows are lifted near the nose and lowered at the temples, in decimetres.
    """
    weights = rider.weights[:, :, None]

    def hung(points: Floats) -> Floats:
        across = [
            abs(points[one, axis] - points[other, axis]) / unit for axis, (one, other, unit) in enumerate(rider.scales)
        ]
        return np.asarray((points[rider.anchors] * weights).sum(axis=1) + rider.offsets * across, np.float32)

    moves = np.asarray((units[:, rider.anchors] * weights).sum(axis=2), np.float32)
    mesh = rider.mesh
    rest = hung(place)
    rest[moves[UNITS.index("jawOpen"), :, 1] < -0.05, 1] -= _LOWER_JAW
    rest[:, 1] += lift * np.clip(1 - np.abs(rest[:, 0]) / 0.33, -1, 1)
    return _Layer(name, rest, hung(assets.base().points), moves, mesh.uv, mesh.triangles)


def _parts(layer: _Layer, start: Ints) -> list[Part]:
    """Return the parts of a layer whose points begin at `start`. Gums are the largest piece of the mesh of teeth."""
    if layer.name != "teeth":
        return [Part(layer.name, layer.triangles + start)]
    pieces = _pieces(layer.triangles, len(layer.rest))[layer.triangles[:, 0]]
    gums = pieces == np.bincount(pieces).argmax()
    return [Part("teeth", layer.triangles[~gums] + start), Part("gums", layer.triangles[gums] + start)]


def _pieces(triangles: Ints, count: int) -> Ints:
    """Return for each of `count` points the lowest point that it hangs together with."""
    lowest = np.arange(count)
    while True:
        lower = lowest.copy()
        for corner in range(3):
            np.minimum.at(lower, triangles[:, corner], lowest[triangles].min(axis=1))
        lower = lower[lower]
        if np.array_equal(lower, lowest):
            return _ints(lowest)
        lowest = lower


def _edge(layer: _Layer) -> Floats:
    """Return 0 for points on an edge that only one triangle has, 1 for others."""
    corners = np.sort(layer.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, count = np.unique(corners, axis=0, return_counts=True)
    inside = np.ones(len(layer.rest), np.float32)
    inside[edges[count == 1]] = 0
    return inside


def _ints(values: NDArray[np.integer] | int) -> Ints:
    return np.asarray(values, np.int32)

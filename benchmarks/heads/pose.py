"""A rig in one moment: where its points are, which way they face, and where skin folds."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from benchmarks.heads.assets import Floats, Ints
from benchmarks.heads.rig import UNITS, Rig

_NECK: Final = (5.3, 6.4)
"""Heights on the base mesh between which a turn of the head fades, in decimetres."""
_PIVOT: Final = np.array((0.0, -1.2, -0.9), np.float32)
"""What the head turns about, from the middle between the eyes, in decimetres."""


@dataclass(frozen=True)
class Pose:
    """What a person does in one moment.

    Attributes:
        units: strengths of face units, 0 to 1. Those that are left out are at rest.
        yaw: turn of the head to its left, in degrees.
        pitch: downward nod, in degrees.
        roll: lean to its right shoulder, in degrees.
        gaze: turn of the eyes to their left and upwards, in degrees.
    """

    units: dict[str, float] = field(default_factory=dict)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Surface:
    """Points of a head with what light needs to know.

    Attributes:
        points: (n, 3), in decimetres.
        normals: (n, 3), of length 1.
        folds: (n,), below 0 in furrows and where skin is pushed together, above 0 on ridges.
    """

    points: Floats
    normals: Floats
    folds: Floats


def points_of(rig: Rig, pose: Pose) -> Floats:
    """Return the points of a rig in a pose, (n, 3), before the head turns."""
    strengths = np.array([pose.units.get(unit, 0.0) for unit in UNITS], np.float32)
    unknown = set(pose.units) - set(UNITS)
    if unknown:
        raise ValueError(f"unknown face units: {', '.join(sorted(unknown))}")
    moving = np.flatnonzero(strengths)
    points = rig.rest + np.tensordot(strengths[moving], rig.moves[moving], 1)
    left, up = pose.gaze
    for centre, own in rig.eyes:
        points[own] = (points[own] - centre) @ _turn(left, -up, 0).T + centre
    return np.asarray(points, np.float32)


def turned(rig: Rig, points: Floats, pose: Pose) -> Floats:
    """Return points with the head turned on the neck: the shoulders stay."""
    low, high = _NECK
    share = np.clip((rig.original[:, 1:2] - low) / (high - low), 0, 1)
    share = share * share * (3 - 2 * share)
    about = (points - _PIVOT) @ _turn(pose.yaw, pose.pitch, pose.roll).T + _PIVOT
    return np.asarray(points + share * (about - points), np.float32)


def _turn(yaw: float, pitch: float, roll: float) -> Floats:
    """Return a rotation matrix. Angles in degrees: about the height, the width and the depth."""
    y, x, z = np.radians((yaw, pitch, roll))
    about_y = np.array(((np.cos(y), 0, np.sin(y)), (0, 1, 0), (-np.sin(y), 0, np.cos(y))))
    about_x = np.array(((1, 0, 0), (0, np.cos(x), -np.sin(x)), (0, np.sin(x), np.cos(x))))
    about_z = np.array(((np.cos(z), -np.sin(z), 0), (np.sin(z), np.cos(z), 0), (0, 0, 1)))
    return np.asarray(about_y @ about_x @ about_z, np.float32)


def normals_of(points: Floats, triangles: Ints) -> Floats:
    """Return which way each point of a mesh faces, (n, 3), of length 1."""
    corners = points[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros_like(points)
    for axis in range(3):
        for corner in range(3):
            sums[:, axis] += np.bincount(triangles[:, corner], across[:, axis], len(points))
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), np.float32)


class Skin:
    """Computes surfaces of one rig: what does not change from frame to frame is kept."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._triangles = np.concatenate([part.triangles for part in rig.parts])
        self._count = len(rig.rest)
        skin = rig.parts[0].triangles
        edges = np.unique(np.sort(skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
        self._edges: Ints = np.concatenate([edges, edges[:, ::-1]])
        self._degree = np.maximum(np.bincount(self._edges[:, 0], minlength=self._count), 1).astype(np.float32)[:, None]

    def surface(self, pose: Pose) -> Surface:
        """Return the surface of the rig in a pose."""
        upright = points_of(self._rig, pose)
        points = turned(self._rig, upright, pose)
        return Surface(points, normals_of(points, self._triangles), self._folds(upright))

    @cached_property
    def _rest_area(self) -> Floats:
        return self._areas(self._rig.rest)

    def _folds(self, points: Floats) -> Floats:
        """Return how far points stand out from their neighbours, less where the skin shrinks: it wrinkles there."""
        normals = normals_of(points, self._triangles)
        hollow = ((points - self._mean(points)) * normals).sum(axis=1, keepdims=True) / 0.03
        growth = np.log(self._areas(points) / self._rest_area)
        folds = self._mean(hollow) * 0.6 + 0.4 * hollow + np.clip(self._mean(growth), -1.0, 0.0)
        return np.asarray(folds[:, 0], np.float32)

    def _areas(self, points: Floats) -> Floats:
        """Return the skin's area around each point, (n, 1), in square decimetres."""
        triangles = self._rig.parts[0].triangles
        corners = points[triangles]
        across = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        areas = sum(np.bincount(triangles[:, n], across, self._count) for n in range(3))
        return np.asarray(np.maximum(areas, 1e-6)[:, None], np.float32)

    def _mean(self, values: Floats) -> Floats:
        """Return the mean of each point's neighbours."""
        one, other = self._edges.T
        sums = [np.bincount(one, values[other, n], self._count) for n in range(values.shape[1])]
        return np.asarray(np.stack(sums, axis=1) / self._degree, np.float32)

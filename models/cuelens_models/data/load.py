"""Opening DATA of any known kind. The loader owns the splits: nothing held out is ever trained on."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cuelens_models.data import ferplus_folder, image_folder, kaggle_csv, npz
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput

SEED: Final = 2013
INNER_SHARE: Final = 0.1
KINDS: Final = (
    "Kaggle's fer2013.csv (with FER+'s fer2013new.csv beside it, if you have it), an .npz of faces, "
    "a folder tree class/image, a FER+ folder (label.csv and its images), or a folder holding fer2013.csv, "
    "or parts of one of the other kinds named train..., valid... (or publictest...) and test..."
)
_PART_NAMES: Final = {
    "train": "training",
    "publictest": "publictest",
    "val": "publictest",
    "test": "privatetest",
    "privatetest": "privatetest",
}


@dataclass(frozen=True, slots=True)
class FaceData:
    """What a command works on.

    training: learned from. inner: a seeded tenth of the training part, never learned from, on which epochs,
    temperatures and thresholds are chosen. held_out: reported on, nothing is chosen on it. notes: for the reader.
    """

    name: str
    training: Faces
    inner: Faces
    held_out: Faces
    held_out_name: str
    notes: tuple[str, ...]


def load(path: Path) -> FaceData:
    """Open DATA. Raises BadInput with a sentence if it is missing, empty or of no known kind."""
    parts = _read_parts(path)
    if not parts:
        raise BadInput(f"{path} holds no faces")
    notes = []
    if "training" not in parts:
        if len(parts) > 1:
            raise BadInput(f"{path} holds {' and '.join(sorted(parts))} but no training part")
        (only,) = parts.values()
        parts = {"training": only}
    training = parts.pop("training")
    if parts:
        held_name = "publictest" if "publictest" in parts else "privatetest"
        held = parts[held_name]
        repeated = _also_in(training, held)
        if repeated.any():
            notes.append(f"{int(repeated.sum())} training faces also stand in {held_name} and are left out")
            training = training.take(np.flatnonzero(~repeated))
    else:
        held_name = "a seeded fifth"
        training, held = _split(training, 0.2)
        training = training.take(np.flatnonzero(~_also_in(training, held)))
        notes.append(f"{path.name} has one part only: a seeded fifth ({len(held)} faces) is held out")
    if len(training) < 20 or len(held) == 0:
        raise BadInput(f"{path} holds {len(training)} training and {len(held)} held-out faces: too few to work with")
    kept, inner = _split(training, INNER_SHARE)
    inner = inner.take(np.flatnonzero(~_also_in(inner, kept)))
    return FaceData(path.name, kept, inner, held, held_name, tuple(notes))


def _read_parts(path: Path) -> dict[str, Faces]:
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise BadInput(f"{path} does not exist: DATA is {KINDS}")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty: DATA is {KINDS}")
    if path.suffix == ".csv":
        return kaggle_csv.read(path)
    if path.suffix == ".npz":
        return {"training": npz.read(path)}
    raise BadInput(f"{path} is of no known kind: DATA is {KINDS}")


def _read_folder(folder: Path) -> dict[str, Faces]:
    """Read a folder that is one part, or that holds parts."""
    csv_file = folder / "fer2013.csv"
    if csv_file.exists():
        return kaggle_csv.read(csv_file)
    if read := _reader(folder):
        return {"training": read(folder)}
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        part = _part_of(entry)
        if part is None or _reader(entry) is None:
            continue
        if part in found:
            raise BadInput(f"{folder} holds two {part} parts, {found[part].name} and {entry.name}: join or rename one")
        found[part] = entry
    if not found:
        raise BadInput(f"{folder} holds no face data: DATA is {KINDS}")
    return {part: read(entry) for part, entry in found.items() if (read := _reader(entry))}


def _reader(entry: Path) -> Callable[[Path], Faces] | None:
    """Return what reads this file or folder as one part, None if nothing does."""
    if entry.suffix == ".npz":
        return npz.read
    if not entry.is_dir():
        return None
    if (entry / ferplus_folder.LABELS).exists():
        return ferplus_folder.read
    return image_folder.read if image_folder.looks_like_one(entry) else None


def _part_of(file: Path) -> str | None:
    words = re.split(r"[^a-z]+", file.stem.lower())
    return next((part for word in words for start, part in _PART_NAMES.items() if word.startswith(start)), None)


def _split(faces: Faces, share: float) -> tuple[Faces, Faces]:
    order = np.random.default_rng(SEED).permutation(len(faces))
    count = round(share * len(faces))
    return faces.take(np.sort(order[count:])), faces.take(np.sort(order[:count]))


def _also_in(faces: Faces, others: Faces) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    known = {face.tobytes() for face in others.pixels}
    return np.fromiter((face.tobytes() in known for face in faces.pixels), dtype=bool, count=len(faces))

"""Loading DATA of any known kind. The loader makes the splits: no held-out face is ever trained on."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.data import classes as class_names
from cuelens_models.data import image_folder, images, npz
from cuelens_models.data.classes import Classes
from cuelens_models.data.faces import SIDE, Faces
from cuelens_models.data.fer2013 import ferplus_folder, kaggle_csv
from cuelens_models.data.images import FaceOf
from cuelens_models.errors import BadInput

SEED: Final = 2013
INNER_SHARE: Final = 0.1
_LEAST: Final = 20
KINDS: Final = (
    "Kaggle's fer2013.csv, icml_face_data.csv or train.csv (with FER+'s fer2013new.csv beside it, if you have it), "
    "an .npz of faces, a folder tree class/image, a FER+ folder (label.csv and its images), or a folder holding such a "
    "CSV, or parts of one of the other kinds named train..., valid... (or publictest...) and test..."
)
_PART_NAMES: Final = {
    "train": "training",
    "publictest": "publictest",
    "val": "publictest",
    "test": "privatetest",
    "privatetest": "privatetest",
}


_Read = Callable[[Path, FaceOf], Faces]


@dataclass(frozen=True, slots=True)
class FaceData:
    """The data of a command.

    training: the network learns from it. inner: a seeded tenth of the training part for choosing epochs, temperatures
    and thresholds; the network never learns from it. held_out: for reports alone. notes: for the user. others: the
    other parts, on which a model may be evaluated later.
    """

    name: str
    training: Faces
    inner: Faces
    held_out: Faces
    held_out_name: str
    notes: tuple[str, ...]
    others: tuple[Faces, ...] = ()

    def digest(self) -> str:
        """Return a SHA-256 of the training and inner splits. It distinguishes data sets of one name."""
        content = hashlib.sha256()
        for faces in (self.training, self.inner):
            for array in (faces.pixels, faces.emotion, faces.votes):
                content.update(np.ascontiguousarray(array).tobytes())
        return content.hexdigest()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The faces that a finished model is evaluated on.

    name: of DATA. part: of DATA. notes: for the user. missed: the indices of the faces that are whole pictures because
    a detector found no face there.
    """

    name: str
    faces: Faces
    part: str
    notes: tuple[str, ...]
    missed: tuple[int, ...] = ()


def check_exists(path: Path) -> None:
    """Raise BadInput if there is no such file or folder: for before a slow start, which `load` would come after."""
    if not path.exists():
        raise BadInput(f"{path} does not exist: DATA is {KINDS}")


def load(path: Path, classes: Classes = class_names.NONE) -> FaceData:
    """Load DATA for training. Raises BadInput if it is missing, empty or of no known kind.

    classes: what the foreign names of its classes stand for.
    """
    parts = _read_parts(path, images.whole, classes)
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
        held_out_name = _held_out_part(parts)
        held_out = parts[held_out_name]
    else:
        held_out_name = "a seeded fifth"
        training, held_out = _split(training, 0.2)
        parts = {"that fifth": held_out}
        notes.append(f"{_name(path)} has one part only: a seeded fifth ({len(held_out)} faces) is held out")
    # The part that is not reported on today counts too: a model may be evaluated on it later.
    for name, other in sorted(parts.items()):
        repeated = _also_in(training, other)
        if repeated.any():
            notes.append(f"{int(repeated.sum())} training faces also stand in {name} and are left out")
            training = training.take(np.flatnonzero(~repeated))
    if len(training) < _LEAST or len(held_out) == 0:
        raise BadInput(
            f"{path} holds {len(training)} training and {len(held_out)} held-out faces: too few to work with"
        )
    training, inner = _split(training, INNER_SHARE)
    repeated = _also_in(inner, training)
    if repeated.any():
        notes.append(f"{int(repeated.sum())} faces of the inner split also stand in what is learned from: left out")
        inner = inner.take(np.flatnonzero(~repeated))
    others = tuple(other for other in parts.values() if other is not held_out)
    return FaceData(_name(path), training, inner, held_out, held_out_name, (*notes, *_remarks(path, classes)), others)


def without(data: FaceData, names: frozenset[str]) -> FaceData:
    """Return the data without these training faces. names: of `names_of`. Raises BadInput if too few faces are left."""
    keep = np.array([name not in names for name in names_of(data.training)], bool)
    if keep.sum() < _LEAST:
        raise BadInput(f"{int(keep.sum())} faces to learn from are left: too few to work with")
    note = f"{int((~keep).sum())} training faces are left out as asked"
    return replace(data, training=data.training.take(np.flatnonzero(keep)), notes=(*data.notes, note))


def besides(path: Path, data: FaceData) -> Faces:
    """Load an .npz of faces to learn from besides the data, but for those that stand in what the data is judged on.

    Raises BadInput if the file cannot be read or nothing is left of it.
    """
    more = npz.read(path)
    judged = np.any([_also_in(more, part) for part in (data.inner, data.held_out, *data.others)], axis=0)
    if judged.all():
        raise BadInput(f"{path} holds no face but those that {data.name} is judged on")
    return more.take(np.flatnonzero(~judged))


def names_of(faces: Faces) -> list[str]:
    """Return a name for each face, a hash of its pixels. Further copies of a face are numbered from 2 on."""
    copies: Counter[str] = Counter()
    names = []
    for face in faces.pixels:
        name = hashlib.sha256(np.ascontiguousarray(face).tobytes()).hexdigest()[:16]
        copies[name] += 1
        names.append(name if copies[name] == 1 else f"{name}-{copies[name]}")
    return names


def load_held_out(path: Path, face_of: FaceOf = images.whole, classes: Classes = class_names.NONE) -> HeldOut:
    """Load DATA for evaluation: its held-out part, or all of it if it has one part only.

    Args:
        path: DATA.
        face_of: turns a picture into a face; not used for arrays and Kaggle's CSV.
        classes: what the foreign names of its classes stand for.

    Raises:
        BadInput: as `load` does.
    """
    remarks = _remarks(path, classes)
    if path.is_dir() and len(places := _places(path, classes)) > 1:
        part = _held_out_part(places)
        faces = _read_place(places[part], face_of, classes)
    else:
        parts = _read_parts(path, face_of, classes)
        if not any(map(len, parts.values())):
            raise BadInput(f"{path} holds no faces")
        part = _held_out_part(parts)
        faces = parts[part]
        if len(parts) == 1:
            part = _name(path) if part == "training" else part
            warning = f"all {len(faces)} faces are used, and flatter a model that learned from them"
            remarks.insert(0, f"{_name(path)} has one part only: {warning}")
    if len(faces) == 0:
        raise BadInput(f"{path}: its part {part} holds no faces")
    return HeldOut(_name(path), faces, part, tuple(remarks))


def _name(path: Path) -> str:
    return path.resolve().name


def _held_out_part(parts: Collection[str]) -> str:
    return next(part for part in ("publictest", "privatetest", "training") if part in parts)


def _remarks(path: Path, classes: Classes) -> list[str]:
    """Return the notes on the class trees in DATA."""
    if not path.is_dir() or _kaggle(path):
        return []
    places = [path] if _reader(path, classes) else [entry for entry in sorted(path.iterdir()) if _part_of(entry)]
    trees = [place for place in places if _is_tree(place, classes)]
    return [remark for tree in trees for remark in image_folder.remarks(tree, classes)]


def _read_parts(path: Path, face_of: FaceOf, classes: Classes) -> dict[str, Faces]:
    if path.is_dir():
        return _read_folder(path, face_of, classes)
    check_exists(path)
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty: DATA is {KINDS}")
    if path.suffix.lower() == ".csv":
        return kaggle_csv.read(path, classes)
    if path.suffix == ".npz":
        return {"training": npz.read(path)}
    raise BadInput(f"{path} is of no known kind: DATA is {KINDS}")


def _read_folder(folder: Path, face_of: FaceOf, classes: Classes) -> dict[str, Faces]:
    """Read a folder that is one part, or that holds parts."""
    if csv_file := _kaggle(folder):
        return kaggle_csv.read(csv_file, classes)
    if read := _reader(folder, classes):
        return {"training": read(folder, face_of)}
    places = _places(folder, classes)
    if not places:
        raise BadInput(f"{folder} holds no face data{image_folder.unnamed(folder)}: DATA is {KINDS}")
    return {part: _read_place(place, face_of, classes) for part, place in places.items()}


def _kaggle(folder: Path) -> Path | None:
    """Return Kaggle's table in a folder, the most complete one, whatever the case of its name; None without one.

    Other data sets have a train.csv too, so that one must have Kaggle's columns.
    """
    files = {entry.name.lower(): entry for entry in sorted(folder.iterdir(), reverse=True) if entry.is_file()}
    first, *others = kaggle_csv.NAMES
    if first in files:
        return files[first]
    return next((files[name] for name in others if name in files and kaggle_csv.is_kaggle(files[name])), None)


def _places(folder: Path, classes: Classes) -> dict[str, Path]:
    """Return the paths of the parts in a folder, none if it is a part itself. Raises BadInput for a repeated part."""
    if _kaggle(folder) or _reader(folder, classes):
        return {}
    places: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        part = _part_of(entry)
        if part is None or not (entry.is_dir() or _reader(entry, classes)):
            continue
        if part in places:
            raise BadInput(f"{folder} holds two {part} parts, {places[part].name} and {entry.name}: join or rename one")
        places[part] = entry
    return places


def _read_place(place: Path, face_of: FaceOf, classes: Classes) -> Faces:
    read = _reader(place, classes)
    if read is None:
        raise BadInput(
            f"{place} holds neither class folders named for expressions nor {ferplus_folder.LABELS}"
            f"{image_folder.unnamed(place)}"
        )
    return read(place, face_of)


def _reader(entry: Path, classes: Classes) -> _Read | None:
    """Return the function that reads this file or folder as one part, None if there is none."""
    if entry.suffix == ".npz":
        return lambda path, _: npz.read(path)
    if entry.is_dir() and (entry / ferplus_folder.LABELS).exists():
        return ferplus_folder.read
    return partial(image_folder.read, classes=classes) if _is_tree(entry, classes) else None


def _is_tree(entry: Path, classes: Classes) -> bool:
    return (
        entry.is_dir() and not (entry / ferplus_folder.LABELS).exists() and image_folder.is_class_tree(entry, classes)
    )


def _part_of(file: Path) -> str | None:
    words = re.split(r"[^a-z]+", file.stem.lower())
    return next((part for word in words for start, part in _PART_NAMES.items() if word.startswith(start)), None)


def _split(faces: Faces, share: float) -> tuple[Faces, Faces]:
    order = np.random.default_rng(SEED).permutation(len(faces))
    count = round(share * len(faces))
    return faces.take(np.sort(order[count:])), faces.take(np.sort(order[:count]))


def _also_in(faces: Faces, others: Faces) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which of the faces also stand in the others, by their pixels."""
    # Few faces share a sum with another one, so few have to be compared as a whole.
    sums, other_sums = _sums(faces), _sums(others)
    repeated = np.isin(sums, other_sums)
    contents = {face.tobytes() for face in others.pixels[np.isin(other_sums, sums[repeated])]}
    repeated[repeated] = [face.tobytes() in contents for face in faces.pixels[repeated]]
    return repeated


def _sums(faces: Faces) -> NDArray[np.uint64]:
    """Return a checksum of each face's pixels, (n,)."""
    words = np.ascontiguousarray(faces.pixels).reshape(len(faces), SIDE * SIDE).view(np.uint64)
    sums: NDArray[np.uint64] = np.bitwise_xor.reduce(words, axis=1)
    return sums

"""A folder tree of faces: `class/image`. The name of a class folder is a label or one of its synonyms (`classes`).

The label of a folder counts as a ballot on which all ten voters agree.
"""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cuelens_models.data import classes as class_names
from cuelens_models.data import images, levels
from cuelens_models.data.classes import Classes
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.errors import BadInput

_BALLOT = 10


def read(folder: Path, face_of: images.FaceOf = images.whole, classes: Classes = class_names.NONE) -> Faces:
    """Read one part.

    Args:
        folder: holds a folder for each class.
        face_of: turns a picture into a face.
        classes: what foreign names of folders stand for.

    Raises:
        BadInput: if a folder's name is no label, a picture cannot be decoded, or all are nearly black.
    """
    pixels, emotion, votes = [], [], []
    for class_folder, label in _labels(folder, classes).items():
        for file in _pictures(class_folder):
            pixels.append(images.read(file, face_of))
            emotion.append(EMOTIONS.index(label) if label in EMOTIONS else -1)
            votes.append(ballot(label))
    if not pixels:
        raise BadInput(f"{folder} holds no images in class folders")
    levels.check(np.stack(pixels), folder)
    return Faces(np.stack(pixels), np.array(emotion, np.int8), np.stack(votes))


def ballot(label: str) -> NDArray[np.uint8]:
    """Return the ballot of a class, (10,)."""
    votes = np.zeros(len(VOTES), np.uint8)
    votes[VOTES.index(label)] = _BALLOT
    return votes


def remarks(folder: Path, classes: Classes = class_names.NONE) -> list[str]:
    """Return notes on this tree for readers of the figures: sentences without a full stop."""
    notes = []
    named: dict[str, list[str]] = {}
    for class_folder, label in _labels(folder, classes).items():
        named.setdefault(label, []).append(class_folder.name)
        pictures = _pictures(class_folder)
        if not pictures:
            notes.append(f"{class_folder} holds no pictures")
        visible = [entry for entry in class_folder.iterdir() if not entry.name.startswith(".")]
        others = Counter(entry.suffix or entry.name for entry in visible if entry not in set(pictures))
        if others:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
            notes.append(f"{class_folder} also holds what is read as no picture: {kinds}")
    notes += [f"{folder}: {' and '.join(names)} are all read as {label}" for label, names in named.items() if names[1:]]
    return notes


def is_class_tree(folder: Path, classes: Classes = class_names.NONE) -> bool:
    """Whether a folder in this one is named for a label. `read` refuses the folders that are not."""
    return any(class_names.label_of(inner.name, classes) for inner in _folders(folder))


def unnamed(folder: Path) -> str:
    """Return the end of an error about folders of pictures that are named for no label; "" if there are none."""
    names = [inner.name for inner in _folders(folder) if _pictures(inner)]
    return f": class folders {class_names.unknown(names)}" if names else ""


def _labels(folder: Path, classes: Classes) -> dict[Path, str]:
    """Return the label of each class folder. Raises BadInput with all folders that have none."""
    labels = {inner: class_names.label_of(inner.name, classes) for inner in _folders(folder)}
    if unknown := [inner for inner, label in labels.items() if label is None]:
        plural = "s" if unknown[1:] else ""
        places = ", ".join(map(str, unknown))
        raise BadInput(f"class folder{plural} {places}: {class_names.unknown(inner.name for inner in unknown)}")
    return {inner: label for inner, label in labels.items() if label is not None}


def _folders(folder: Path) -> list[Path]:
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))


def _pictures(class_folder: Path) -> list[Path]:
    return sorted(
        file
        for file in class_folder.iterdir()
        if file.suffix.lower() in images.SUFFIXES and not file.name.startswith(".")
    )

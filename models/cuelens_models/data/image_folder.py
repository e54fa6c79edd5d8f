"""A folder tree of faces: `class/image`. The name of a class folder is a label or one of its synonyms.

The label of a folder counts as a ballot on which all ten voters agree.
"""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import canonical
from cuelens_models.data import images
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.errors import BadInput

_BALLOT = 10


def read(folder: Path, face_of: images.FaceOf = images.whole) -> Faces:
    """Read one part. Raises BadInput if a folder's name is no label, or a picture cannot be decoded."""
    pixels, emotion, votes = [], [], []
    for class_folder in _folders(folder):
        label = _label(class_folder)
        for file in _pictures(class_folder):
            pixels.append(images.read(file, face_of))
            emotion.append(EMOTIONS.index(label) if label in EMOTIONS else -1)
            votes.append(ballot(label))
    if not pixels:
        raise BadInput(f"{folder} holds no images in class folders")
    return Faces(np.stack(pixels), np.array(emotion, np.int8), np.stack(votes))


def ballot(label: str) -> NDArray[np.uint8]:
    """Return the ballot of a class, (10,)."""
    votes = np.zeros(len(VOTES), np.uint8)
    votes[VOTES.index(label)] = _BALLOT
    return votes


def remarks(folder: Path) -> list[str]:
    """Return notes on this tree for readers of the figures: sentences without a full stop."""
    notes = []
    named: dict[str, list[str]] = {}
    for class_folder in _folders(folder):
        named.setdefault(_label(class_folder), []).append(class_folder.name)
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


def is_class_tree(folder: Path) -> bool:
    """Whether a folder in this one is named for a label. `read` refuses the folders that are not."""
    return any(_is_label(inner.name) for inner in _folders(folder))


def _label(class_folder: Path) -> str:
    try:
        return canonical(class_folder.name)
    except BadInput as error:
        raise BadInput(f"class folder {class_folder}: {error}") from error


def _is_label(word: str) -> bool:
    try:
        canonical(word)
    except BadInput:
        return False
    return True


def _folders(folder: Path) -> list[Path]:
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))


def _pictures(class_folder: Path) -> list[Path]:
    return sorted(
        file
        for file in class_folder.iterdir()
        if file.suffix.lower() in images.SUFFIXES and not file.name.startswith(".")
    )

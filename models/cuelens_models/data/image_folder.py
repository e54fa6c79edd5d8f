"""A folder tree of cropped faces: `class/image`, or `part/class/image`. Class folders bear any known word for a label.

One person's word stands for the class, so it counts as a ballot on which all ten agree.
"""

from pathlib import Path

import numpy as np

from cuelens_models.bundle.expressions import canonical
from cuelens_models.data import images
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.errors import BadInput

_BALLOT = 10


def read(folder: Path) -> Faces:
    """Read `class/image`. Raises BadInput if a folder's name is no label, or a picture is none."""
    pixels, emotion, votes = [], [], []
    for class_folder in _folders(folder):
        label = canonical(class_folder.name)
        ballot = np.zeros(len(VOTES), np.uint8)
        ballot[VOTES.index(label)] = _BALLOT
        for file in sorted(class_folder.iterdir()):
            if file.suffix.lower() in images.SUFFIXES:
                pixels.append(images.read(file))
                emotion.append(EMOTIONS.index(label) if label in EMOTIONS else -1)
                votes.append(ballot)
    if not pixels:
        raise BadInput(f"{folder} holds no images in class folders")
    return Faces(np.stack(pixels), np.array(emotion, np.int8), np.stack(votes))


def looks_like_one(folder: Path) -> bool:
    """Whether all folders in this one are named for labels, and there is at least one."""
    names = [inner.name for inner in _folders(folder)]
    try:
        return bool([canonical(name) for name in names])
    except BadInput:
        return False


def _folders(folder: Path) -> list[Path]:
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))

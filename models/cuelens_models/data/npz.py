"""Arrays saved by numpy: `pixels`, with optional `votes` and `emotion`, as data/faces.py describes them."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cuelens_models import regular_file
from cuelens_models.data import levels
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.errors import BadInput

T = TypeVar("T", np.int8, np.uint8)


def read(path: Path) -> Faces:
    """Read one part. Raises BadInput if the file does not hold such arrays, or scaled ones."""
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        # np.load leaves an unreadable file open, so it is opened here.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pixels = arrays["pixels"]
            n = len(pixels)
            emotion = arrays["emotion"] if "emotion" in arrays else np.full(n, -1)
            votes = arrays["votes"] if "votes" in arrays else np.zeros((n, len(VOTES)))
        if pixels.dtype != np.uint8 and (fault := levels.scaling(pixels)):
            raise ValueError(f"its pixels {fault}")
        faces = Faces(pixels, _whole_numbers(emotion, np.int8), _whole_numbers(votes, np.uint8))
    except KeyError as error:
        raise BadInput(f"{path} holds no array named 'pixels'") from error
    except Exception as error:
        # A damaged file can make numpy and zipfile raise almost anything.
        raise BadInput(f"{path} is not readable as face arrays: {error}") from error
    levels.check(faces.pixels, path)
    return faces


def _whole_numbers(numbers: NDArray[Any], kind: type[T]) -> NDArray[T]:
    """Return the numbers in a smaller type. Raises ValueError if the type cannot hold one of them."""
    smaller = numbers.astype(kind)
    if not np.array_equal(smaller, numbers):
        raise ValueError(f"not all of {numbers.dtype} {numbers.shape} are whole numbers that {np.dtype(kind)} holds")
    return smaller

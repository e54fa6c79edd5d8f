"""Arrays saved by numpy: `pixels`, and `votes` or `emotion` or both, as data/faces.py describes them."""

from pathlib import Path

import numpy as np

from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.errors import BadInput


def read(path: Path) -> Faces:
    """Read one part. Raises BadInput if the file is not such arrays."""
    try:
        # Opened here, because np.load leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pixels = arrays["pixels"]
            n = len(pixels)
            emotion = arrays["emotion"] if "emotion" in arrays else np.full(n, -1)
            votes = arrays["votes"] if "votes" in arrays else np.zeros((n, len(VOTES)))
        return Faces(pixels, emotion.astype(np.int8), votes.astype(np.uint8))
    except KeyError as error:
        raise BadInput(f"{path} holds no array named 'pixels'") from error
    except Exception as error:
        # numpy and zipfile raise whatever a damaged file leads them to.
        raise BadInput(f"{path} is not readable as face arrays: {error}") from error

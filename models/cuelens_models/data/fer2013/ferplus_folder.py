"""The folder layout of FER+'s own scripts: `FER2013Train/label.csv` beside `fer0000000.png`; Valid and Test alike.

A line of label.csv holds the image's name, its box as text, and ten votes.
"""

import csv
from pathlib import Path
from typing import Final

import numpy as np

from cuelens_models.data import images, levels
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.data.tables import open_table
from cuelens_models.errors import BadInput

LABELS: Final = "label.csv"
_FIRST_VOTE: Final = 2


def read(folder: Path, face_of: images.FaceOf = images.whole) -> Faces:
    """Read one part. Raises BadInput, which names the line, if it cannot be read, or is nearly black."""
    pixels, votes = [], []
    number = 0
    try:
        with open_table(folder / LABELS) as rows:
            for number, row in rows:  # noqa: B007 - the error names it
                # bytes() raises ValueError for numbers outside 0 to 255.
                ballot = np.frombuffer(bytes(map(int, row[_FIRST_VOTE:])), np.uint8)
                if ballot.shape != (len(VOTES),):
                    raise ValueError(f"{len(ballot)} votes")
                pixels.append(images.read(folder / row[0], face_of))
                votes.append(ballot)
    except BadInput:
        raise
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{folder / LABELS} cannot be read: {error}") from error
    except (ValueError, IndexError) as error:
        raise BadInput(f"{folder / LABELS} line {number}: not an image, a box and ten votes") from error
    if not pixels:
        raise BadInput(f"{folder / LABELS} names no images")
    levels.check(np.stack(pixels), folder)
    return Faces(np.stack(pixels), np.full(len(pixels), -1, np.int8), np.stack(votes))

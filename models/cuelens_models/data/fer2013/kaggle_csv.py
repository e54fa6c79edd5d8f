"""Kaggle's tables of FER2013, with FER+'s optional `fer2013new.csv` beside them.

`fer2013.csv` has the columns emotion,pixels,Usage. `icml_face_data.csv` has them in another order, with spaces.
`train.csv` has no Usage: all of it is the training part. Columns are known by their names, whatever their case.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.data import classes as class_names
from cuelens_models.data import levels
from cuelens_models.data.classes import Classes
from cuelens_models.data.faces import EMOTIONS, SIDE, VOTES, Faces
from cuelens_models.data.fer2013 import ferplus_csv, joining
from cuelens_models.data.tables import columns, open_table
from cuelens_models.errors import BadInput

NAMES: Final = ("fer2013.csv", "icml_face_data.csv", "train.csv")
"""The names of such files, the most complete first."""
_COLUMNS: Final = ("emotion", "pixels")


@dataclass(slots=True)
class _Table:
    """The rows of a file. parts: "" without a column Usage."""

    pixels: list[NDArray[np.uint8]] = field(default_factory=list)
    emotion: list[int] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read(path: Path, classes: Classes = class_names.NONE) -> dict[str, Faces]:
    """Read every part of the file. Raises BadInput, which names the line, if it cannot be read or joined.

    classes: what the words of the column emotion stand for, where they are neither numbers nor labels.
    """
    table = _read_table(path, classes)
    emotion, parts = np.array(table.emotion, np.int8), np.array(table.parts)
    votes = np.zeros((len(emotion), len(VOTES)), np.uint8)
    keep = np.ones(len(emotion), bool)
    if ballots_path := ferplus_csv.beside(path):
        ballots = ferplus_csv.read(ballots_path)
        joined = joining.join(joining.Labels(path, emotion, parts, np.array(table.lines)), ballots)
        votes, keep, parts = joined.votes, joined.numbers >= 0, joined.parts
    pixels = np.stack(table.pixels)
    levels.check(pixels, path)
    parts = np.where(parts == "", "training", parts)
    faces = {}
    for part in dict.fromkeys(parts[keep].tolist()):
        rows = keep & (parts == part)
        faces[str(part)] = Faces(pixels[rows], emotion[rows], votes[rows])
    return faces


def is_kaggle(path: Path) -> bool:
    """Whether the first line of a file names the columns of such a table."""
    try:
        with open_table(path) as rows:
            _, header = next(rows)
    except (OSError, ValueError, StopIteration, csv.Error):
        return False
    return set(_COLUMNS) <= set(columns(header))


def _read_table(path: Path, classes: Classes) -> _Table:
    table = _Table()
    line = 1
    try:
        with open_table(path) as rows:
            _, header = next(rows, (1, []))
            places = columns(header)
            if not set(_COLUMNS) <= set(places):
                raise BadInput(f"{path} is not Kaggle's fer2013.csv: its first line must name emotion,pixels,Usage")
            for line, row in rows:
                table.emotion.append(_emotion(row[places["emotion"]], classes))
                table.pixels.append(_pixels(row[places["pixels"]]))
                table.parts.append(ferplus_csv.part_of(row[places["usage"]]) if "usage" in places else "")
                table.lines.append(line)
    except BadInput:
        raise
    except IndexError as error:
        raise BadInput(f"{path} line {line}: not an emotion, {SIDE * SIDE} grey levels and a usage") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise BadInput(f"{path} line {line}: {error}") from error
    if not table.lines:
        raise BadInput(f"{path} holds no faces")
    return table


def _emotion(text: str, classes: Classes) -> int:
    label = class_names.label_of(text, classes)
    if label is None:
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"emotion {class_names.unknown([text])}") from None
        if number not in range(len(EMOTIONS)):
            raise ValueError(
                f"emotion {text} is none: use 0 to {len(EMOTIONS) - 1}, in the order {', '.join(EMOTIONS)}"
            )
        return int(number)
    if label not in EMOTIONS:
        raise ValueError(f"emotion {text!r} is none of FER2013's: {', '.join(EMOTIONS)}")
    return EMOTIONS.index(label)


def _pixels(text: str) -> NDArray[np.uint8]:
    """Return a face. Raises ValueError with the fault of its numbers. Brackets and commas around them are ignored."""
    words = text.strip("[]").replace(",", " ").split()
    if len(words) != SIDE * SIDE:
        raise ValueError(f"its face has {len(words)} grey levels, not {SIDE * SIDE} ({SIDE} x {SIDE})")
    try:
        # bytes() raises for numbers outside 0 to 255, which numpy 1 would wrap around.
        return np.frombuffer(bytes(map(int, words)), np.uint8).reshape(SIDE, SIDE)
    except ValueError:
        numbers = np.array(words, np.float64)
    if fault := levels.scaling(numbers):
        raise ValueError(f"its grey levels {fault}")
    return numbers.astype(np.uint8).reshape(SIDE, SIDE)

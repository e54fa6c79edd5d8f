"""Kaggle's `fer2013.csv` (emotion,pixels,Usage), with FER+'s optional `fer2013new.csv` beside it.

Rows of the two belong together by position, as in FER+'s own script. A FER+ row without an image name marks an
image that FER+ removed; it is skipped here too.
"""

import csv
from pathlib import Path
from typing import Final

import numpy as np

from cuelens_models.data.faces import EMOTIONS, SIDE, VOTES, Faces
from cuelens_models.errors import BadInput

FERPLUS: Final = "fer2013new.csv"
_PARTS: Final = {"Training": "training", "PublicTest": "publictest", "PrivateTest": "privatetest"}


def read(path: Path) -> dict[str, Faces]:
    """Read every part of the file. Raises BadInput, which names the line, if it cannot be read."""
    ballots_path = path.with_name(FERPLUS)
    ballots = _read_ballots(ballots_path) if ballots_path.exists() else None
    parts: dict[str, tuple[list[object], list[int], list[object]]] = {}
    try:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or not {"emotion", "pixels", "Usage"} <= set(rows.fieldnames):
                raise BadInput(f"{path} is not Kaggle's fer2013.csv: its first line must name emotion,pixels,Usage")
            count = 0
            for count, row in enumerate(rows, start=1):
                ballot = ballots[count - 1] if ballots and count <= len(ballots) else np.zeros(len(VOTES), np.uint8)
                if ballot is None:
                    continue
                pixels, emotion, votes = parts.setdefault(_PARTS[row["Usage"]], ([], [], []))
                pixels.append(_bytes(row["pixels"].split(), SIDE * SIDE).reshape(SIDE, SIDE))
                emotion.append(_emotion(row["emotion"]))
                votes.append(ballot)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    except (ValueError, KeyError, OverflowError, AttributeError, TypeError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} line {rows.line_num}: not an emotion, {SIDE * SIDE} grey levels and a usage") from error
    if ballots is not None and len(ballots) != count:
        raise BadInput(
            f"{ballots_path} has {len(ballots)} rows and {path.name} has {count}: they do not belong together"
        )
    return {
        part: Faces(np.stack(pixels), np.array(emotion, np.int8), np.stack(votes))  # type: ignore[arg-type]
        for part, (pixels, emotion, votes) in parts.items()
    }


def _bytes(words: list[str], count: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    # bytes() raises for numbers outside 0 to 255, which numpy 1 would wrap around.
    numbers = np.frombuffer(bytes(map(int, words)), np.uint8)
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers, not {count}")
    return numbers


def _emotion(text: str) -> int:
    emotion = int(text)
    if not 0 <= emotion < len(EMOTIONS):
        raise ValueError(emotion)
    return emotion


def _read_ballots(path: Path) -> list[np.ndarray[tuple[int], np.dtype[np.uint8]] | None]:
    ballots: list[np.ndarray[tuple[int], np.dtype[np.uint8]] | None] = []
    number = 1
    try:
        with path.open(newline="") as file:
            rows = csv.reader(file)
            next(rows)
            for number, row in enumerate(rows, start=2):  # noqa: B007 - the error names it
                ballots.append(_bytes(row[2:12], len(VOTES)) if row[1] else None)
    except (OSError, ValueError, IndexError, StopIteration, csv.Error) as error:
        raise BadInput(f"{path} is not FER+'s fer2013new.csv: line {number}: {error}") from error
    return ballots

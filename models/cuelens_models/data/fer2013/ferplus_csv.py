"""FER+'s `fer2013new.csv`: a ballot for each row of FER2013, without the faces."""

import csv
import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.data.faces import VOTES
from cuelens_models.data.tables import columns, open_table
from cuelens_models.errors import BadInput

NAME: Final = "fer2013new.csv"
PARTS: Final = ("training", "publictest", "privatetest")
"""The values of the column Usage in both files, in lower case."""
_USAGE, _IMAGE = "usage", "image name"
_VOTES: Final = (
    *("neutral", "happiness", "surprise", "sadness", "anger"),
    *("disgust", "fear", "contempt", "unknown", "nf"),
)
_HEADER: Final = (_USAGE, _IMAGE, *_VOTES)
_IMAGE_NAME: Final = re.compile(r"fer(\d{1,9})\.png")


@dataclass(frozen=True, slots=True)
class Ballots:
    """The rows of the file, n of them.

    usages: of PARTS. numbers: of the images by their names, (n,); -1 without a name: FER+ removed that
    image. votes: uint8 (n, 10), in the order of VOTES. lines: of the file, counted from 1.
    """

    path: Path
    usages: NDArray[np.str_]
    numbers: NDArray[np.intp]
    votes: NDArray[np.uint8]
    lines: NDArray[np.intp]

    def take(self, rows: NDArray[np.bool_]) -> "Ballots":
        """Return the rows for which `rows`, (n,), is true."""
        return Ballots(self.path, self.usages[rows], self.numbers[rows], self.votes[rows], self.lines[rows])


def beside(path: Path) -> Path | None:
    """Return the FER+ file in the folder of Kaggle's file, whatever the case of its name; None if there is none."""
    return next((entry for entry in sorted(path.parent.iterdir()) if entry.name.lower() == NAME), None)


def read(path: Path) -> Ballots:
    """Read the file. Raises BadInput, which names the line, if it cannot be read."""
    usages: list[str] = []
    numbers: list[int] = []
    votes: list[NDArray[np.uint8]] = []
    lines: list[int] = []
    line = 1
    try:
        with open_table(path) as rows:
            top = next(rows)
            places = columns(top[1])
            headless = _is_ballot(top[1])
            if headless:
                # The columns are then taken to stand in the order of FER+.
                places = columns(list(_HEADER))
            if absent := [name for name in _HEADER if name not in places]:
                raise ValueError(f"its first line does not name {', '.join(absent)}")
            for line, row in chain([top] if headless else [], rows):
                usages.append(part_of(row[places[_USAGE]]))
                numbers.append(_number(row[places[_IMAGE]]))
                votes.append(_votes([row[places[name]] for name in _VOTES if places[name] < len(row)]))
                lines.append(line)
    except StopIteration as error:
        raise BadInput(f"{path} is empty: take FER+'s {NAME} as it was published") from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise BadInput(f"{path} is not FER+'s {NAME}: line {line}: {error}") from error
    ballots = np.stack(votes) if votes else np.zeros((0, len(VOTES)), np.uint8)
    return Ballots(path, np.array(usages, np.str_), np.array(numbers, np.intp), ballots, np.array(lines, np.intp))


def part_of(usage: str) -> str:
    """Return the part of PARTS that a Usage names, whatever its case. Raises ValueError if it names none."""
    if usage.lower() not in PARTS:
        raise ValueError(f"usage {usage!r} is none of Training, PublicTest, PrivateTest")
    return usage.lower()


def _is_ballot(row: list[str]) -> bool:
    return len(row) == len(_HEADER) and all(cell.isdecimal() for cell in row[2:])


def _number(name: str) -> int:
    """Return the number of an image, -1 without a name. Raises ValueError for a name of another kind."""
    if not name:
        return -1
    match = _IMAGE_NAME.fullmatch(name.lower())
    if not match:
        raise ValueError(f"image {name!r} is not named like fer0000000.png")
    return int(match[1])


def _votes(words: list[str]) -> NDArray[np.uint8]:
    # bytes() raises ValueError for numbers outside 0 to 255.
    votes = np.frombuffer(bytes(map(int, words)), np.uint8)
    if len(votes) != len(VOTES):
        raise ValueError(f"{len(votes)} numbers, not {len(VOTES)}")
    return votes

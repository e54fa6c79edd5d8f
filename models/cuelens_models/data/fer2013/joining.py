"""Joining FER2013 and FER+ by position, and the checks that each ballot is of the face beside it.

FER+ has no faces, so nothing else joins the two. Three things show that a join is off: Usage, which both files have;
the names of FER+'s images, which count up; and the labels. FER+'s majority is FER2013's own label on two faces of
three. Where the files are shifted against each other it is so by chance, on one of five, and as usual at an offset.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.data.faces import EMOTIONS, VOTES
from cuelens_models.data.fer2013.ferplus_csv import Ballots
from cuelens_models.errors import BadInput

_WINDOW: Final = 200
"""Ballots over which agreement is counted: right joins have .66 there, give or take .03."""
_FEWEST: Final = 30
_LEAST_AGREEMENT, _USUAL_AGREEMENT = 0.35, 0.5
_OFFSETS: Final = tuple(offset for offset in range(-40, 41) if offset)
_EXCESS: Final = 12
"""At an offset so many more faces of a stretch must agree than in the join, for the join to be off there.

In a right join the excess is a random walk with one step up for seven down, which hardly ever rises by 12.
"""
_REMEDY: Final = "take both files as they were published"


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows of Kaggle's file, n of them.

    emotion: (n,), an index into EMOTIONS. parts: (n,), of PARTS, or "" where the file has none. lines: of the
    file, (n,).
    """

    path: Path
    emotion: NDArray[np.int8]
    parts: NDArray[np.str_]
    lines: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Joined:
    """What FER+ says of each row of Kaggle's file.

    votes: uint8 (n, 10). numbers: of the images, (n,), -1 for those that FER+ removed. parts: (n,).
    """

    votes: NDArray[np.uint8]
    numbers: NDArray[np.intp]
    parts: NDArray[np.str_]


def join(labels: Labels, ballots: Ballots) -> Joined:
    """Join two files, or raise BadInput with what shows that they do not belong together, and where.

    Labels without parts are joined with all ballots, or with those of the training part, whichever are as many.
    """
    belonging = ballots
    if len(labels.emotion) != len(ballots.votes) and (labels.parts == "").all():
        belonging = ballots.take(ballots.usages == "training")
    if len(labels.emotion) != len(belonging.votes):
        raise BadInput(
            f"{ballots.path} has {len(ballots.votes)} rows and {labels.path.name} has {len(labels.emotion)}:"
            f" they do not belong together, so {_REMEDY}"
        )
    parts = np.where(labels.parts == "", belonging.usages, labels.parts)
    _check_parts(labels, belonging, parts)
    _check_names(belonging)
    majority = _majority(belonging.votes)
    # Rows that FER+ removed, and rows without a clear majority, say nothing.
    rows = np.flatnonzero((majority >= 0) & (belonging.numbers >= 0))
    if len(rows):
        _check_offsets(labels, belonging, majority, rows)
    if len(rows) >= _FEWEST:
        _check_agreement(labels, belonging, majority, rows)
    return Joined(belonging.votes, belonging.numbers, parts)


def _check_parts(labels: Labels, ballots: Ballots, parts: NDArray[np.str_]) -> None:
    wrong = np.flatnonzero(parts != ballots.usages)
    if len(wrong):
        first = wrong[0]
        raise BadInput(
            f"{ballots.path} line {ballots.lines[first]} is of the part {ballots.usages[first]}, but line"
            f" {labels.lines[first]} of {labels.path.name} of {parts[first]} ({len(wrong)} lines differ): {_REMEDY}"
        )


def _check_names(ballots: Ballots) -> None:
    named = np.flatnonzero(ballots.numbers >= 0)
    back = np.flatnonzero(np.diff(ballots.numbers[named]) <= 0)
    if len(back):
        before, after = named[back[0]], named[back[0] + 1]
        raise BadInput(
            f"{ballots.path} line {ballots.lines[after]}: image {ballots.numbers[after]} stands behind image"
            f" {ballots.numbers[before]}, so the lines are not in the order of FER2013: {_REMEDY}"
        )


def _check_offsets(labels: Labels, ballots: Ballots, majority: NDArray[np.intp], rows: NDArray[np.intp]) -> None:
    agrees = (labels.emotion[rows] == majority[rows]).astype(np.intp)
    stretches = []
    for offset in _OFFSETS:
        there = (rows + offset >= 0) & (rows + offset < len(majority))
        elsewhere = np.zeros(len(rows), np.intp)
        elsewhere[there] = labels.emotion[rows[there] + offset] == majority[rows[there]]
        first, last, excess = _greatest_stretch(elsewhere - agrees)
        stretches.append((excess, float(elsewhere[first : last + 1].mean()), first, last, offset))
    excess, share, first, last, offset = max(stretches)
    # Between two wrong offsets chance makes long stretches too, but labels do not agree there.
    if excess >= _EXCESS and share >= _USUAL_AGREEMENT:
        raise BadInput(
            f"{ballots.path}: the votes in lines {ballots.lines[rows[first]]} to {ballots.lines[rows[last]]} fit the"
            f" labels of {labels.path.name} {abs(offset)} lines further {'down' if offset > 0 else 'up'}: one of the"
            f" files lacks lines that the other has, so {_REMEDY}"
        )


def _check_agreement(labels: Labels, ballots: Ballots, majority: NDArray[np.intp], rows: NDArray[np.intp]) -> None:
    agrees = labels.emotion[rows] == majority[rows]
    for start in range(0, max(1, len(rows) - _WINDOW + 1), _WINDOW):
        window = rows[start : start + _WINDOW]
        share = agrees[start : start + _WINDOW].mean()
        if share < _LEAST_AGREEMENT:
            raise BadInput(
                f"{ballots.path}: the votes in lines {ballots.lines[window[0]]} to {ballots.lines[window[-1]]} agree"
                f" with {share:.0%} of the labels of {labels.path.name}, where two of three are usual: they are of"
                f" other faces, so {_REMEDY}"
            )


def _majority(votes: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the label with the most votes as an index into EMOTIONS, (n,); -1 for a tie and any other answer."""
    most = votes.max(axis=1, keepdims=True)
    alone = (votes == most).sum(axis=1) == 1
    places = np.array([EMOTIONS.index(word) if word in EMOTIONS else -1 for word in VOTES], np.intp)
    return np.where(alone, places[votes.argmax(axis=1)], -1)


def _greatest_stretch(steps: NDArray[np.intp]) -> tuple[int, int, int]:
    """Return the first and the last place of the stretch with the greatest sum, and that sum (Kadane's algorithm)."""
    sums = np.concatenate([[0], np.cumsum(steps)])
    lowest = np.minimum.accumulate(sums)[:-1]
    rises = sums[1:] - lowest
    last = int(rises.argmax())
    first = int(np.flatnonzero(sums[: last + 1] == lowest[last])[-1])
    return first, last, int(rises[last])

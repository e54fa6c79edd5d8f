"""What a network should answer about a face: a distribution over labels for each of its heads.

A row of targets sums to the weight of the face: to 1, or to 0 if nobody labelled it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.data.faces import EMOTIONS, Faces
from cuelens_models.data.faces import VOTES as VOTED
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import PROTOCOLS, LabelledFaces, label, without_single_votes
from cuelens_models.errors import BadInput
from cuelens_models.zoo.recipe import OwnRecipe

Targets = NDArray[np.float32]
_SMOOTHING: Final = 0.1
_LEAST_FREQUENCY: Final = 0.002
"""Added to the frequency of each label, so that one that is never true weighs no more than a rare one."""


@dataclass(frozen=True, slots=True)
class Head:
    """One output of a network. protocol: by which it is judged. suffix: of the file that it is saved as."""

    name: str
    labels: tuple[str, ...]
    protocol: str
    suffix: str


VOTES: Final = Head("votes", (*LABELS, NOT_A_FACE), "ferplus8", "")
ORIGINAL: Final = Head("original", PROTOCOLS["fer7"], "fer7", "-fer7")
HEADS: Final = (VOTES, ORIGINAL)


def heads_for(data: FaceData) -> tuple[Head, ...]:
    """Return the heads that the data has labels for. Raises BadInput if there is none."""
    heads = tuple(head for head in HEADS if _is_labelled(data, head))
    if not heads:
        raise BadInput(f"{data.name} has neither votes nor original labels to learn from")
    return heads


def heads_of(recipe: OwnRecipe, data: FaceData) -> tuple[Head, ...]:
    """Return the heads of a recipe that the data has labels for. Raises BadInput if there is none."""
    heads = tuple(head for head in heads_for(data) if head.name in recipe.head_weights)
    if not heads:
        raise BadInput(f"{data.name} has no labels that the network answers: {', '.join(recipe.head_weights)}")
    return heads


def _is_labelled(data: FaceData, head: Head) -> bool:
    try:
        for faces in (data.training, data.inner):
            label(faces, head.protocol)
    except BadInput:
        return False
    return True


def targets(faces: Faces, head: Head) -> Targets:
    """Return the targets of a head for each face, (n, labels of the head)."""
    return _from_votes(faces) if head == VOTES else _from_original(faces)


def rarities(rows: Targets, power: float) -> Targets:
    """Return a weight for each label, (labels,): its mean in the rows to the power of -`power`; the weights' mean is 1.

    Args:
        rows: targets, (n, labels).
        power: 0 for equal weights.
    """
    weights = (rows.mean(axis=0) + _LEAST_FREQUENCY) ** -power
    return np.asarray(weights / weights.mean(), np.float32)


def weighted(rows: Targets, weights: Targets) -> Targets:
    """Return targets in which each label counts by its weight; the sum of each row stays.

    Args:
        rows: targets, (n, labels).
        weights: of the labels, more than 0, (labels,).
    """
    shifted: Targets = rows * weights
    sums = shifted.sum(axis=1, keepdims=True)
    shifted *= np.divide(rows.sum(axis=1, keepdims=True), sums, out=np.zeros_like(sums), where=sums > 0)
    return shifted


def one_label(labelled: LabelledFaces) -> Targets:
    """Return the true labels as distributions (one-hot), (n, labels)."""
    return np.eye(len(labelled.labels), dtype=np.float32)[labelled.truth]


def shares_of_votes(faces: Faces, labels: tuple[str, ...]) -> Targets:
    """Return each label's share of the votes for any of them, (n, labels); a row of zeros if nobody voted for one.

    Contempt counts as neutral where it is no label.
    """
    ballots = without_single_votes(faces.votes).astype(np.float32)
    columns = [ballots[:, VOTED.index(word)] for word in labels]
    if "contempt" not in labels:
        columns[labels.index("neutral")] = ballots[:, VOTED.index("neutral")] + ballots[:, VOTED.index("contempt")]
    votes = np.stack(columns, axis=1)
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), np.float32)


def _from_votes(faces: Faces) -> Targets:
    """Shares of the votes, without single votes. "Unknown" counts for all expressions equally."""
    ballots = without_single_votes(faces.votes).astype(np.float32)
    shares = ballots / np.maximum(ballots.sum(axis=1, keepdims=True), 1)
    expressions, unknown, not_a_face = shares[:, : len(LABELS)], shares[:, [-2]], shares[:, [-1]]
    return np.hstack([expressions + unknown / len(LABELS), not_a_face]).astype(np.float32)


def _from_original(faces: Faces) -> Targets:
    """The original label with label smoothing: one person gave it, and two such people agree on two faces of three."""
    columns = np.array([*(ORIGINAL.labels.index(word) for word in EMOTIONS), -1])[faces.emotion.astype(np.int64)]
    rows = np.full((len(faces), len(ORIGINAL.labels)), _SMOOTHING / len(ORIGINAL.labels), np.float32)
    rows[np.arange(len(faces)), columns] += 1 - _SMOOTHING
    rows[columns < 0] = 0
    return rows

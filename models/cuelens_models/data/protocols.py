"""Evaluation protocols: which images count, and under which label. Figures of one protocol can be compared.

`ferplus8` is FER+'s own majority protocol (arXiv 1608.01041): single votes are dropped, and an image counts if its
top class holds more than half of the remaining votes and is neither unknown nor not-a-face.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.errors import BadInput

_FER_ORDER: Final = LABELS[:7]
PROTOCOLS: Final = {
    "ferplus8": LABELS,
    "ferplus7": _FER_ORDER,
    "fer7": _FER_ORDER,
    "fer6": tuple(label for label in _FER_ORDER if label != "disgust"),
    "fer5": ("neutral", "happy", "surprise", "sad", "angry"),
    "fer4": ("neutral", "happy", "surprise", "sad"),
}
_ORIGINAL_FIRST: Final = "fer7"
"""Two protocols have the same seven labels. A network with these labels mostly learned from the original ones."""


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """The images that count under a protocol. indices: into the faces (m,). truth: indices into labels (m,)."""

    labels: tuple[str, ...]
    indices: NDArray[np.intp]
    truth: NDArray[np.intp]


def label(faces: Faces, protocol: str) -> LabelledFaces:
    """Select and label the images of `protocol`. Raises BadInput if it is unknown or no image counts."""
    if protocol not in PROTOCOLS:
        raise BadInput(f"protocol {protocol!r} is unknown: use one of {', '.join(PROTOCOLS)}")
    labels = PROTOCOLS[protocol]
    words = _majority(faces) if protocol.startswith("ferplus") else _original(faces)
    if protocol == "ferplus7":
        words = np.where(words == "contempt", "neutral", words)
    truth = np.full(len(faces), -1, dtype=np.intp)
    for index, word in enumerate(labels):
        truth[words == word] = index
    indices = np.flatnonzero(truth >= 0)
    if len(indices) == 0:
        lacking = "votes (fer2013new.csv)" if protocol.startswith("ferplus") else "original labels (emotion)"
        other = _ORIGINAL_FIRST if protocol.startswith("ferplus") else next(iter(PROTOCOLS))
        raise BadInput(f"no image counts under {protocol}: the data has no {lacking}, so add them or use {other}")
    return LabelledFaces(labels, indices, truth[indices])


def columns(labels: Sequence[str], protocol: str) -> list[int]:
    """Return the positions of a protocol's labels among a model's labels, in the protocol's order.

    Raises BadInput if the two differ in more than the model's not_a_face.
    """
    expected = PROTOCOLS[protocol]
    if set(labels) - {NOT_A_FACE} != set(expected):
        raise BadInput(f"its labels ({' '.join(labels)}) are not those of {protocol} ({' '.join(expected)})")
    return [labels.index(word) for word in expected]


def protocol_of(labels: Sequence[str]) -> str:
    """Return the protocol that has these labels, not_a_face apart. Raises BadInput if there is none."""
    for protocol in (_ORIGINAL_FIRST, *PROTOCOLS):
        if set(labels) - {NOT_A_FACE} == set(PROTOCOLS[protocol]):
            return protocol
    protocols = "; ".join(f"{name}: {' '.join(words)}" for name, words in PROTOCOLS.items())
    raise BadInput(f"no protocol judges a network of {' '.join(labels)} ({protocols})")


def exclusions(faces: Faces, labelled: LabelledFaces, protocol: str) -> dict[str, int]:
    """Return how many faces do not count, by the reason: another label, or no majority.

    Args:
        faces: all faces.
        labelled: those that count.
        protocol: the name of the protocol.
    """
    rest = faces.take(np.setdiff1d(np.arange(len(faces)), labelled.indices))
    majority = _majority(rest)
    if protocol.startswith("ferplus"):
        words = np.where(majority == "", "no majority", majority)
    else:
        # The label of a class folder may be none of the original labels.
        foreign = (majority != "") & ~np.isin(majority, EMOTIONS)
        words = np.where(rest.emotion >= 0, _original(rest), np.where(foreign, majority, "no original label"))
    return dict(sorted(Counter(words.tolist()).items()))


def without_single_votes(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the ballots with votes of 1 set to 0, as FER+ does."""
    return np.where(votes == 1, np.uint8(0), votes)


def _majority(faces: Faces) -> NDArray[np.str_]:
    ballots = without_single_votes(faces.votes).astype(np.int64)
    clear = ballots.max(axis=1) * 2 > ballots.sum(axis=1)
    return np.where(clear, np.array(VOTES)[ballots.argmax(axis=1)], "")


def _original(faces: Faces) -> NDArray[np.str_]:
    return np.array([*EMOTIONS, ""])[faces.emotion.astype(np.int64)]

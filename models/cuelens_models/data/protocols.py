"""Which images count, and as what: the protocols under which numbers can be compared.

`ferplus8` is FER+'s own majority protocol (arXiv 1608.01041): single votes are dropped, and an image is kept if its
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
"""Seven labels are those of two protocols; who has them mostly learned from the original ones."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The images of a protocol. chosen: indices into the faces (m,). truth: indices into labels (m,)."""

    labels: tuple[str, ...]
    chosen: NDArray[np.intp]
    truth: NDArray[np.intp]


def label(faces: Faces, protocol: str) -> Labelled:
    """Choose and label the images of `protocol`. Raises BadInput for an unknown one, or if no image is left."""
    if protocol not in PROTOCOLS:
        raise BadInput(f"protocol {protocol!r} is unknown: use one of {', '.join(PROTOCOLS)}")
    labels = PROTOCOLS[protocol]
    words = _majority(faces) if protocol.startswith("ferplus") else _original(faces)
    if protocol == "ferplus7":
        words = np.where(words == "contempt", "neutral", words)
    truth = np.full(len(faces), -1, dtype=np.intp)
    for index, word in enumerate(labels):
        truth[words == word] = index
    chosen = np.flatnonzero(truth >= 0)
    if len(chosen) == 0:
        lacking = "votes (fer2013new.csv)" if protocol.startswith("ferplus") else "original labels (emotion)"
        raise BadInput(f"no image counts under {protocol}: the data has no {lacking}")
    return Labelled(labels, chosen, truth[chosen])


def columns(labels: Sequence[str], protocol: str) -> list[int]:
    """Return at which places a model's labels have those of a protocol, in the protocol's order.

    Raises BadInput unless they are the same words, but for a not_a_face of the model's.
    """
    asked = PROTOCOLS[protocol]
    if set(labels) - {NOT_A_FACE} != set(asked):
        raise BadInput(f"its labels ({' '.join(labels)}) are not those of {protocol} ({' '.join(asked)})")
    return [labels.index(word) for word in asked]


def protocol_of(labels: Sequence[str]) -> str:
    """Return the protocol whose labels these are, but for not_a_face. Raises BadInput if none's are."""
    for protocol in (_ORIGINAL_FIRST, *PROTOCOLS):
        if set(labels) - {NOT_A_FACE} == set(PROTOCOLS[protocol]):
            return protocol
    known = "; ".join(f"{name}: {' '.join(words)}" for name, words in PROTOCOLS.items())
    raise BadInput(f"no protocol judges a network of {' '.join(labels)} ({known})")


def left_out(faces: Faces, labelled: Labelled, protocol: str) -> dict[str, int]:
    """Return how many faces do not count under `protocol`, by what they are instead."""
    rest = faces.take(np.setdiff1d(np.arange(len(faces)), labelled.chosen))
    voted = _majority(rest)
    if protocol.startswith("ferplus"):
        words = np.where(voted == "", "no majority", voted)
    else:
        # A class folder's word has no number among the original labels if they lack it.
        foreign = (voted != "") & ~np.isin(voted, EMOTIONS)
        words = np.where(rest.emotion >= 0, _original(rest), np.where(foreign, voted, "no original label"))
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

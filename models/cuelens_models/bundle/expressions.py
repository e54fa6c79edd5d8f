"""The words for expressions: one list, in one order, and the synonyms that are understood but never written."""

from collections.abc import Sequence
from typing import Final

from cuelens_models.errors import BadInput

LABELS: Final = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
NOT_A_FACE: Final = "not_a_face"
UNSURE: Final = "unsure"
"""An outcome of settling, the honest answer when the evidence is weak. Never a label of a model."""

SYNONYMS: Final = {
    "happiness": "happy",
    "joy": "happy",
    "smile": "happy",
    "surprised": "surprise",
    "sadness": "sad",
    "sorrow": "sad",
    "anger": "angry",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "scared": "fear",
    "nf": NOT_A_FACE,
}


def canonical(word: str) -> str:
    """Return the label that `word` stands for, ignoring case. Raises BadInput for an unknown word."""
    known = word.strip().lower().replace("-", "_").replace(" ", "_")
    known = SYNONYMS.get(known, known)
    if known not in (*LABELS, NOT_A_FACE):
        raise BadInput(f"{word!r} is no expression: use one of {', '.join((*LABELS, NOT_A_FACE))}")
    return known


def check_labels(labels: Sequence[str]) -> None:
    """Raise BadInput unless `labels` are at least two distinct canonical labels, in a model's own order."""
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise BadInput(f"a model needs two or more distinct labels, not {list(labels)}")
    for label in labels:
        if canonical(label) != label:
            raise BadInput(f"label {label!r} is a synonym: write {canonical(label)!r}")

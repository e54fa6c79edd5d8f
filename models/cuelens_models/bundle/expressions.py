"""The labels of expressions in their fixed order, and the synonyms that are read but never written."""

from collections.abc import Sequence
from typing import Final

from cuelens_models.errors import BadInput

LABELS: Final = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
NOT_A_FACE: Final = "not_a_face"
UNSURE: Final = "unsure"
"""The outcome of settling when the evidence is weak. It is never a label of a model."""

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
    label = word.strip().lower().replace("-", "_").replace(" ", "_")
    label = SYNONYMS.get(label, label)
    if label not in (*LABELS, NOT_A_FACE):
        raise BadInput(f"{word!r} is no expression: use one of {', '.join((*LABELS, NOT_A_FACE))}")
    return label


def check_labels(labels: Sequence[str]) -> None:
    """Raise BadInput unless `labels` are two or more distinct canonical labels. Their order is the model's own."""
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise BadInput(f"a model needs two or more distinct labels, not {list(labels)}")
    for label in labels:
        if canonical(label) != label:
            raise BadInput(f"label {label!r} is a synonym: write {canonical(label)!r}")

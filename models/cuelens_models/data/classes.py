"""The names of classes as data sets write them: labels and synonyms, with a number before them, and foreign words."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE, canonical
from cuelens_models.errors import BadInput

Classes = Mapping[str, str]
"""From a foreign name, as `parse` folds it, to a label."""
NONE: Final[Classes] = MappingProxyType({})
_NUMBERED: Final = re.compile(r"\d+\s*[-_.\s]\s*(?=\D)")


def parse(text: str) -> Classes:
    """Return what foreign names stand for, from text such as "enojo=angry,feliz=happy".

    Raises BadInput if a piece is not NAME=LABEL, a label is none, or a name has two labels.
    """
    classes: dict[str, str] = {}
    for piece in filter(str.strip, text.split(",")):
        name, equals, label = piece.rpartition("=")
        if not equals or not name.strip():
            raise BadInput(f"{piece.strip()!r} does not say what a class stands for: write NAME=LABEL, as enojo=angry")
        label = canonical(label)
        if classes.setdefault(_folded(name), label) != label:
            raise BadInput(f"class {name.strip()!r} cannot be both {classes[_folded(name)]} and {label}")
    return classes


def label_of(name: str, classes: Classes = NONE) -> str | None:
    """Return the label that the name of a class stands for, None if there is none.

    Case is ignored, and so is a number before the name (0_angry, 3-happy).

    Args:
        name: of a folder, or a word of a table.
        classes: of `parse`. They go before the names that are known.
    """
    bare = _NUMBERED.sub("", name.strip(), count=1)
    for word in (name, bare):
        if label := classes.get(_folded(word)):
            return label
    try:
        return canonical(bare)
    except BadInput:
        return None


def unknown(names: Iterable[str]) -> str:
    """Return the end of an error for names that stand for no label: what they are not, and how to say what they are."""
    words = list(names)
    are = "is no expression" if len(words) == 1 else "are no expressions"
    option = ",".join(f"{word}=LABEL" for word in words)
    return (
        f"{', '.join(map(repr, words))} {are}: use {', '.join((*LABELS, NOT_A_FACE))},"
        f" or say what is meant with --classes {option!r}"
    )


def _folded(name: str) -> str:
    # File systems store one accented letter in two ways.
    return unicodedata.normalize("NFC", name.strip()).casefold()

"""How things are said to people: what a face looks like, never what a person feels."""

from typing import Final

_LOOKS: Final = {
    "neutral": "looks neutral",
    "happy": "looks happy",
    "surprise": "looks surprised",
    "sad": "looks sad",
    "angry": "looks angry",
    "disgust": "looks disgusted",
    "fear": "looks scared",
    "contempt": "looks scornful",
    "unsure": "not sure",
}


def looks(expression: str) -> str:
    """Return the words for an expression: "happy" is "looks happy", "unsure" is "not sure"."""
    return _LOOKS[expression]

"""Colours of expressions in pictures: Okabe and Ito's colour-blind-safe palette, darkened for a white background."""

from typing import Final

COLOURS: Final = {
    "neutral": "#8c8c8c",
    "happy": "#e0a800",
    "surprise": "#56b4e9",
    "sad": "#0072b2",
    "angry": "#d55e00",
    "disgust": "#009e73",
    "fear": "#cc79a7",
    "contempt": "#7a5c3e",
    "not_a_face": "#cccccc",
    "unsure": "#e8e8e8",
}

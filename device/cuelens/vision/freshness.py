"""Freshness: whether the last reading of a face is still one of what it looks like."""

from typing import Final

from cuelens.frame import Frame
from cuelens.types import Face
from cuelens.vision.thumbnail import Look, look, looks_otherwise

_KEPT: Final = 16
"""Faces that are remembered; the one that was read longest ago is forgotten first."""


class Freshness:
    """Remembers what each face looked like when it was read."""

    def __init__(self) -> None:
        self._looks: dict[int, Look | None] = {}

    def note(self, frame: Frame, face: Face) -> None:
        """Note that a face is read in a frame."""
        self._looks.pop(face.track, None)
        self._looks[face.track] = look(frame.grey, face.box)
        if len(self._looks) > _KEPT:
            del self._looks[next(iter(self._looks))]

    def holds(self, frame: Frame, face: Face) -> bool:
        """Tell whether a face looks as it did when it was read."""
        return face.track in self._looks and not looks_otherwise(look(frame.grey, face.box), self._looks[face.track])

"""What the middle of the house needs from its edge. An adapter is any object that fits."""

from typing import Protocol

from cuelens.types import Box, Frame, Grey, LightPattern


class FrameSource(Protocol):
    """Where frames come from."""

    name: str

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one.

        Raises TimeoutError if none came within `timeout_s`, AbsentDevice if the camera went away.
        """

    def close(self) -> None:
        """Give the device or the file back. May be called twice."""


class Detector(Protocol):
    """Finds faces in a picture."""

    smallest: int
    """Side of the smallest face it can find, in pixels."""

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return boxes of faces between two sides in pixels, in an order that depends on the picture alone."""

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return every place and size that passes for a face; many of them lie about one face, few about none."""

    def sides(self, smallest: int, largest: int) -> list[int]:
        """Return the sides that are looked for between two, in pixels."""


class Light(Protocol):
    """The light at the edge of view."""

    def show(self, pattern: LightPattern) -> None:
        """Begin a pattern in place of whatever was shown. Returns at once."""

    def off(self) -> None:
        """Go dark now."""

    def close(self) -> None:
        """Go dark and give the pins back. May be called twice."""


class Voice(Protocol):
    """Short fixed phrases, made ready beforehand."""

    def say(self, phrase: str) -> None:
        """Begin a phrase in place of whatever was being said. Returns at once."""

    def silence(self) -> None:
        """Stop speaking now."""

    def close(self) -> None:
        """Stop speaking and give the sound card back. May be called twice."""

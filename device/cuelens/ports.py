"""What the middle of the house needs from its edge. An adapter is any object that fits."""

from collections.abc import Callable
from typing import Protocol

from cuelens.frame import Frame, Grey
from cuelens.types import Box, LightPattern


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
        """Begin a pattern in place of whatever was shown. Returns at once. Once closed, it stays dark."""

    def off(self) -> None:
        """Go dark now."""

    def close(self) -> None:
        """Go dark and give the pins back. May be called twice."""


class CaptureLight(Protocol):
    """The light that bystanders see while frames are taken."""

    def on(self) -> None:
        """Light it. Once closed, it stays dark."""

    def off(self) -> None:
        """Put it out."""

    def close(self) -> None:
        """Put it out and give the pin back. May be called twice."""


class Button(Protocol):
    """The wearer's button."""

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on, within milliseconds, on a thread that is not the caller's.

        It is told whether the button was pressed (or released), and when, in seconds of `time.monotonic`. It must
        return at once, and not raise. What holds when watching begins is no edge.
        """

    def close(self) -> None:
        """Give the pin back; no edge is told afterwards. May be called twice."""


class Voice(Protocol):
    """What is said of words, made ready beforehand: phrases, or soft tones."""

    def say(self, word: str) -> None:
        """Begin what stands for a word, in place of whatever was being said. Returns at once.

        A word is an expression, or one of those that `cuelens.profile.wording` has beside them.
        """

    def silence(self) -> None:
        """Stop speaking now."""

    def close(self) -> None:
        """Stop speaking and give the sound card back. May be called twice."""

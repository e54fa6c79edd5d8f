"""Ports: the interfaces that adapters of hardware and files implement. Any object that fits is an adapter."""

from collections.abc import Callable
from typing import Protocol

from cuelens.frame import Frame, Grey
from cuelens.types import Box, Candidate, LightPattern


class FrameSource(Protocol):
    """A source of frames: a camera or a file."""

    name: str

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one.

        Raises TimeoutError if none came within `timeout_s`, AbsentDevice if the camera was removed.
        """

    def close(self) -> None:
        """Release the device or the file. May be called twice."""


class Detector(Protocol):
    """Finds faces in a picture."""

    smallest: int
    """Side of the smallest face it can find, in pixels."""

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        """Return the box of each face between two sides in pixels, with the number of windows that agree on it.

        Few agree on a face that is hard to see, and on what is none. How many are enough is the caller's choice.
        """

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return every window that passes for a face, ungrouped: many about each face, few elsewhere.

        Args:
            picture: uint8 (height, width).
            smallest: side of the smallest window, in pixels.
            largest: side of the largest window, in pixels.
        """

    def sides(self, smallest: int, largest: int) -> list[int]:
        """Return the sides of windows that a scan between two sides tries, in pixels."""

    smallest_candidate: int
    """Side of the smallest face among candidates, in pixels. The largest is eight times as large."""

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return where faces may be, of all sizes and tilts, the likeliest first. Some are none.

        It costs less than a search for the faces themselves.
        """


class Light(Protocol):
    """The light at the edge of view."""

    def show(self, pattern: LightPattern) -> None:
        """Begin a pattern. It replaces the current one. Returns at once. Once closed, the light stays dark."""

    def off(self) -> None:
        """Go dark now."""

    def close(self) -> None:
        """Go dark and release the pins. May be called twice."""


class CaptureLight(Protocol):
    """The light that bystanders see while frames are taken."""

    def on(self) -> None:
        """Turn it on. Once closed, it stays dark."""

    def off(self) -> None:
        """Turn it off."""

    def close(self) -> None:
        """Turn it off and release the pin. May be called twice."""


class Button(Protocol):
    """The wearer's button."""

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge(pressed, t)` at every edge from now on, within milliseconds, on another thread.

        pressed: False for a release. t: in seconds of `time.monotonic`. `on_edge` must return at once, and must not
        raise. The level at the beginning is no edge.
        """

    def close(self) -> None:
        """Release the pin; no edge is reported afterwards. May be called twice."""


class Voice(Protocol):
    """The voice: a phrase or a soft tone for each word, prepared beforehand."""

    def say(self, word: str) -> None:
        """Begin the phrase or tone of a word. It replaces the current one. Returns at once.

        word: an expression, or another word of `cuelens.profile.wording`.
        """

    def silence(self) -> None:
        """Stop speaking now."""

    def close(self) -> None:
        """Stop speaking and release the sound card. May be called twice."""

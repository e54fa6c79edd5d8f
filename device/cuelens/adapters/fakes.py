"""Outputs that only remember and a button pressed by call: for tests, trying out, and machines without hardware."""

import time
from collections.abc import Callable

from cuelens.types import LightPattern


class MemoryLight:
    """A light that keeps what it was asked to show."""

    def __init__(self) -> None:
        self.shown: list[LightPattern] = []
        self.lit = False
        self.closed = False

    def show(self, pattern: LightPattern) -> None:
        """Remember the pattern."""
        self.shown.append(pattern)
        self.lit = not self.closed and any(pattern.colour)

    def off(self) -> None:
        """Go dark."""
        self.lit = False

    def close(self) -> None:
        """Go dark for good."""
        self.lit = False
        self.closed = True


class MemoryCaptureLight:
    """A capture light that keeps a log of its changes: whether it was lit, and when, in seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self.log: list[tuple[bool, float]] = []
        self.closed = False

    @property
    def lit(self) -> bool:
        """Whether it is lit now."""
        return bool(self.log) and self.log[-1][0]

    def on(self) -> None:
        """Light it."""
        self._turn(not self.closed)

    def off(self) -> None:
        """Put it out."""
        self._turn(False)

    def close(self) -> None:
        """Put it out for good."""
        self.off()
        self.closed = True

    def _turn(self, lit: bool) -> None:
        if lit != self.lit:
            self.log.append((lit, time.monotonic()))


class MemoryButton:
    """A button that is pressed and released by call, on the caller's thread."""

    def __init__(self) -> None:
        self.pressed = False
        self._on_edge: Callable[[bool, float], None] | None = None

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on."""
        self._on_edge = on_edge

    def press(self) -> None:
        """Press it, if it is not pressed."""
        self._turn(True)

    def release(self) -> None:
        """Release it, if it is pressed."""
        self._turn(False)

    def close(self) -> None:
        """Tell no edge any more."""
        self._on_edge = None

    def _turn(self, pressed: bool) -> None:
        changed, self.pressed = pressed != self.pressed, pressed
        if changed and self._on_edge:
            self._on_edge(pressed, time.monotonic())


class MemoryVoice:
    """A voice that keeps the words it was asked to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.speaking = False
        self.closed = False

    def say(self, word: str) -> None:
        """Remember the word."""
        if not self.closed:
            self.said.append(word)
            self.speaking = True

    def silence(self) -> None:
        """Stop speaking."""
        self.speaking = False

    def close(self) -> None:
        """Stop speaking for good."""
        self.speaking = False
        self.closed = True

"""Fakes: outputs that record their calls and a button pressed by call, for tests and machines without hardware."""

import time
from collections.abc import Callable

from cuelens.types import LightPattern


class MemoryLight:
    """A fake light that records its patterns."""

    def __init__(self) -> None:
        self.patterns: list[LightPattern] = []
        self.lit = False
        self.closed = False

    def show(self, pattern: LightPattern) -> None:
        """Record the pattern."""
        self.patterns.append(pattern)
        self.lit = not self.closed and any(pattern.colour)

    def off(self) -> None:
        """Go dark."""
        self.lit = False

    def close(self) -> None:
        """Go dark for good."""
        self.lit = False
        self.closed = True


class MemoryCaptureLight:
    """A fake capture light. log: its changes, as (lit, seconds of `time.monotonic`)."""

    def __init__(self) -> None:
        self.log: list[tuple[bool, float]] = []
        self.closed = False

    @property
    def lit(self) -> bool:
        """Whether the light is on now."""
        return bool(self.log) and self.log[-1][0]

    def on(self) -> None:
        """Turn it on."""
        self._turn(not self.closed)

    def off(self) -> None:
        """Turn it off."""
        self._turn(False)

    def close(self) -> None:
        """Turn it off for good."""
        self.off()
        self.closed = True

    def _turn(self, lit: bool) -> None:
        if lit != self.lit:
            self.log.append((lit, time.monotonic()))


class MemoryButton:
    """A fake button, pressed and released by call. Edges arrive on the caller's thread."""

    def __init__(self) -> None:
        self.pressed = False
        self._on_edge: Callable[[bool, float], None] | None = None

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on."""
        self._on_edge = on_edge

    def press(self) -> None:
        """Press the button, if it is not pressed."""
        self._turn(True)

    def release(self) -> None:
        """Release the button, if it is pressed."""
        self._turn(False)

    def close(self) -> None:
        """Report no more edges."""
        self._on_edge = None

    def _turn(self, pressed: bool) -> None:
        changed, self.pressed = pressed != self.pressed, pressed
        if changed and self._on_edge:
            self._on_edge(pressed, time.monotonic())


class MemoryVoice:
    """A fake voice that records its words."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.speaking = False
        self.closed = False

    def say(self, word: str) -> None:
        """Record the word."""
        if not self.closed:
            self.words.append(word)
            self.speaking = True

    def silence(self) -> None:
        """Stop speaking."""
        self.speaking = False

    def close(self) -> None:
        """Stop speaking for good."""
        self.speaking = False
        self.closed = True

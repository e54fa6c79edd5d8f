"""Outputs that only remember: for tests, for trying things out, and for machines without hardware."""

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
        self.lit = True

    def off(self) -> None:
        """Go dark."""
        self.lit = False

    def close(self) -> None:
        """Go dark for good."""
        self.lit = False
        self.closed = True


class MemoryVoice:
    """A voice that keeps what it was asked to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.speaking = False
        self.closed = False

    def say(self, phrase: str) -> None:
        """Remember the phrase."""
        self.said.append(phrase)
        self.speaking = True

    def silence(self) -> None:
        """Stop speaking."""
        self.speaking = False

    def close(self) -> None:
        """Stop speaking for good."""
        self.speaking = False
        self.closed = True

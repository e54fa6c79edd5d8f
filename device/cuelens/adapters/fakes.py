"""Fakes, for tests and machines without hardware: cameras with a script, outputs that record, a button."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from cuelens.frame import Frame
from cuelens.types import LightPattern


class MemoryCamera:
    """A fake camera that gives frames and raises errors in the order of its script. After it there is no frame."""

    name = "memory"

    def __init__(self, *script: Frame | Exception) -> None:
        self._script = deque(script)
        self.closed = False

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame of the script, or raise its error."""
        step = self._script.popleft() if self._script and not self.closed else None
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        """Give no frame any more."""
        self.closed = True


class MemoryCapture:
    """A fake `cv2.VideoCapture` that gives pictures, as BGR uint8 (height, width, 3); None is a failed read.

    After its script every read fails, as when the camera is unplugged.
    """

    def __init__(self, *script: NDArray[Any] | None) -> None:
        self._script = deque(script)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Return True."""
        return True

    def read(self, image: NDArray[Any] | None = None) -> tuple[bool, NDArray[Any] | None]:
        """Return whether the read succeeded, and the next picture."""
        picture = self._script.popleft() if self._script else None
        return picture is not None, picture

    def get(self, _prop: int) -> float:
        """Return 0: no driver keeps the time."""
        return 0.0

    def set(self, _prop: int, _value: float) -> bool:
        """Take no setting."""
        return False

    def release(self) -> None:
        """Give no picture any more."""
        self._script.clear()


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
    """A fake button, pressed and released by call. Edges arrive on the caller's thread.

    clock: returns the time of an edge, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.pressed = False
        self._clock = clock
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
            self._on_edge(pressed, self._clock())


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

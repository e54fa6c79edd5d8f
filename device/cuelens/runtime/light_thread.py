"""Runs the light on its own thread, behind a one-place mailbox."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from cuelens.light import flash_limit
from cuelens.light.flash_limit import LightStart
from cuelens.mailbox import Latest
from cuelens.ports import Light
from cuelens.runtime.output_thread import CLOSE_S, TURN_S, FirstFault
from cuelens.types import LightPattern

_OFF: Final = LightPattern((0.0, 0.0, 0.0), "steady", 0.0)


class LightThread:
    """Shows the latest pattern within the flash limit, and the background pattern, if there is one, in between."""

    def __init__(self, light: Light, fault: Callable[[str, str], None]) -> None:
        self._light = light
        self._fault = FirstFault("light", fault)
        self._mailbox: Latest[LightPattern | None] = Latest()
        self._background: LightPattern | None = None
        self._last: LightStart | None = None
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)
        self._thread.start()

    def show(self, pattern: LightPattern) -> None:
        """Show a pattern; it overwrites one that still waits. Returns at once."""
        self._mailbox.put(pattern)

    def stand(self, pattern: LightPattern | None) -> None:
        """Set the background pattern, shown whenever there is no other; None ends it, and no other light."""
        with self._turn:
            ends = pattern is None and self._last is not None and self._last.pattern is self._background
            self._background = pattern
        if pattern or ends:
            self._mailbox.put(pattern)

    def stop(self) -> None:
        """Accept no more patterns. Returns at once."""
        self._mailbox.close()

    def close(self) -> None:
        """Wait for the thread, with a deadline: hardware that hangs must not block the end of a run."""
        self._thread.join(CLOSE_S)
        self._light.close()

    def _run(self) -> None:
        while True:
            try:
                pattern = self._mailbox.take(self._remaining_s())
                if pattern:
                    pattern = self._await_limit(pattern)
            except TimeoutError:
                if self._background is None or (self._last and self._last.pattern is self._background):
                    continue
                pattern = self._background
            except EOFError:
                return
            with self._fault:
                self._do(pattern)

    def _do(self, pattern: LightPattern | None) -> None:
        with self._turn:
            if pattern and math.isinf(pattern.seconds) and pattern is not self._background:
                # The background ended before it could be shown.
                return
            self._last = LightStart(pattern or _OFF, time.monotonic())
        if pattern is None:
            self._light.off()
        else:
            self._light.show(pattern)

    def _await_limit(self, pattern: LightPattern) -> LightPattern | None:
        """Wait until the flash limit allows a pattern. Returns the latest one; None if the light is to go out."""
        while (wait_s := flash_limit.wait_s(self._last, pattern, time.monotonic())) > 0:
            try:
                newer = self._mailbox.take(wait_s)
            except TimeoutError:
                continue
            if newer is None:
                return None
            pattern = newer
        return pattern

    def _remaining_s(self) -> float:
        """Return the remaining time of the pattern, a second at most."""
        if self._last is None:
            return TURN_S
        return min(
            max(0.0, self._last.t + flash_limit.lasts_s(self._last.pattern) - time.monotonic()) or TURN_S, TURN_S
        )

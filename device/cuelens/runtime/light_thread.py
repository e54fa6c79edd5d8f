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

_PATIENCE_S: Final = 5.0
"""The background waits no longer for the end of a light. A longer one is that of a question, which may last 30 s."""
_OFF: Final = LightPattern((0.0, 0.0, 0.0), "steady", 0.0)


class LightThread:
    """Shows the latest pattern within the flash limit, and the background pattern, if there is one, in between."""

    def __init__(self, light: Light, fault: Callable[[str, str], None]) -> None:
        self._light = light
        self._fault = FirstFault("light", fault)
        # None wakes the thread, for which the background has changed.
        self._mailbox: Latest[LightPattern | None] = Latest()
        self._background: LightPattern | None = None
        self._last = LightStart(_OFF, -math.inf)
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)
        self._thread.start()

    def show(self, pattern: LightPattern) -> None:
        """Show a pattern; it overwrites one that still waits. Returns at once."""
        self._mailbox.put(pattern)

    def end(self) -> None:
        """End the latest pattern now. Returns at once."""
        self._mailbox.put(_OFF)

    def stand(self, pattern: LightPattern | None) -> None:
        """Set the background pattern, an endless one. It is shown while there is no other; None ends it alone."""
        self._background = pattern
        self._mailbox.offer(None)

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
                pattern = self._take(self._remaining_s())
                if pattern is None:
                    if not self._background_is_due():
                        continue
                    pattern = self._background
                if pattern:
                    pattern = self._await_limit(pattern)
            except EOFError:
                return
            with self._fault:
                self._do(pattern)

    def _do(self, pattern: LightPattern | None) -> None:
        if pattern and math.isinf(pattern.seconds) and pattern != self._background:
            # The background ended before it could be shown.
            return
        self._last = LightStart(pattern or _OFF, time.monotonic())
        if pattern is None or pattern == _OFF:
            self._light.off()
        else:
            self._light.show(pattern)

    def _background_is_due(self) -> bool:
        """Whether the light is to become the background pattern, or dark after the end of that."""
        if math.isinf(self._last.pattern.seconds):
            return self._last.pattern != self._background
        return self._background is not None and time.monotonic() >= min(self._end_s(), self._last.t + _PATIENCE_S)

    def _await_limit(self, pattern: LightPattern) -> LightPattern:
        """Wait until the flash limit allows a pattern. Returns the latest one."""
        while (wait_s := flash_limit.wait_s(self._last, pattern, time.monotonic())) > 0:
            pattern = self._take(wait_s) or pattern
        return pattern

    def _take(self, timeout_s: float) -> LightPattern | None:
        """Return the pattern that waits; None after the time-out or a change of the background."""
        try:
            return self._mailbox.take(timeout_s)
        except TimeoutError:
            return None

    def _end_s(self) -> float:
        return self._last.t + flash_limit.lasts_s(self._last.pattern)

    def _remaining_s(self) -> float:
        """Return the remaining time of the pattern, a second at most."""
        return min(max(0.0, self._end_s() - time.monotonic()) or TURN_S, TURN_S)

"""The light on a thread of its own, behind a one-place mailbox."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from cuelens.light import flash_limit
from cuelens.light.flash_limit import Shown
from cuelens.mailbox import Latest
from cuelens.ports import Light
from cuelens.runtime.output_thread import CLOSE_S, TURN_S, FirstFault
from cuelens.types import LightPattern

_OFF: Final = LightPattern((0.0, 0.0, 0.0), "steady", 0.0)


class LightThread:
    """A thread that shows the latest pattern, calmly, and then what stands behind it, if anything does."""

    def __init__(self, light: Light, fault: Callable[[str, str], None]) -> None:
        self._light = light
        self._fault = FirstFault("light", fault)
        self._mailbox: Latest[LightPattern | None] = Latest()
        self._standing: LightPattern | None = None
        self._last: Shown | None = None
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)
        self._thread.start()

    def show(self, pattern: LightPattern) -> None:
        """Show a pattern in place of any that still waits. Returns at once."""
        self._mailbox.put(pattern)

    def stand(self, pattern: LightPattern | None) -> None:
        """Show a pattern whenever nothing else is; None ends it, and no other light."""
        with self._turn:
            ends = pattern is None and self._last is not None and self._last.pattern is self._standing
            self._standing = pattern
        if pattern or ends:
            self._mailbox.put(pattern)

    def stop(self) -> None:
        """Take no more patterns. Returns at once."""
        self._mailbox.close()

    def close(self) -> None:
        """Wait for the thread's end, a moment at most: hung hardware must not hold up the end."""
        self._thread.join(CLOSE_S)
        self._light.close()

    def _run(self) -> None:
        while True:
            try:
                pattern = self._mailbox.take(self._lit_s())
                if pattern:
                    pattern = self._calmly(pattern)
            except TimeoutError:
                if self._standing is None or (self._last and self._last.pattern is self._standing):
                    continue
                pattern = self._standing
            except EOFError:
                return
            with self._fault:
                self._do(pattern)

    def _do(self, pattern: LightPattern | None) -> None:
        with self._turn:
            if pattern and math.isinf(pattern.seconds) and pattern is not self._standing:
                # What it stood for was over before it could be shown.
                return
            self._last = Shown(pattern or _OFF, time.monotonic())
        if pattern is None:
            self._light.off()
        else:
            self._light.show(pattern)

    def _calmly(self, pattern: LightPattern) -> LightPattern | None:
        """Return the latest pattern once it may begin."""
        while (wait_s := flash_limit.wait_s(self._last, pattern, time.monotonic())) > 0:
            try:
                newer = self._mailbox.take(wait_s)
            except TimeoutError:
                continue
            if newer is None:
                return None
            pattern = newer
        return pattern

    def _lit_s(self) -> float:
        """Return for how long what is shown goes on, a second at most."""
        if self._last is None:
            return TURN_S
        return min(
            max(0.0, self._last.t + flash_limit.lasts_s(self._last.pattern) - time.monotonic()) or TURN_S, TURN_S
        )

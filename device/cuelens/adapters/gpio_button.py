"""A button on a pin: edges without what bounces after them."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

_QUIET_S: Final = 0.03
"""How long a contact may bounce. No press by hand is shorter."""


class GpioButton:
    """A button from its pin to ground. The first edge is told at once; what bounces after it, for 30 ms, is not."""

    def __init__(self, contact: Any) -> None:
        """contact: gpiozero's input."""
        self._contact = contact
        self._on_edge: Callable[[bool, float], None] | None = None
        self._told = False
        self._quiet_until_s = 0.0
        self._turn = threading.RLock()

    @property
    def pressed(self) -> bool:
        """Whether it is held down now."""
        return not self._contact.closed and bool(self._contact.is_active)

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on, on a driver's thread: it must return at once, and not raise."""
        with self._turn:
            if self._contact.closed:
                return
            self._on_edge, self._told = on_edge, self.pressed
            self._contact.when_activated = lambda: self._changed(True)
            self._contact.when_deactivated = lambda: self._changed(False)

    def close(self) -> None:
        """Give the pin back; no edge is told afterwards. May be called twice."""
        with self._turn:
            self._on_edge = None
            self._contact.close()

    def _settle(self) -> None:
        with self._turn:
            self._changed(self.pressed)

    def _changed(self, pressed: bool) -> None:
        with self._turn:
            now_s = time.monotonic()
            if self._on_edge is None or pressed == self._told or now_s < self._quiet_until_s:
                return
            self._told, self._quiet_until_s = pressed, now_s + _QUIET_S
            # What it settled on may differ from the edge that was told.
            settled = threading.Timer(_QUIET_S, self._settle)
            settled.daemon = True
            settled.start()
            self._on_edge(pressed, now_s)

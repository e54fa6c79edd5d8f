"""A button on a pin, debounced."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

_QUIET_S: Final = 0.03
"""Debounce time: a contact bounces for less, and no press by hand is shorter."""


class GpioButton:
    """A button between its pin and ground. The first edge is reported at once; edges in the next 30 ms are ignored."""

    def __init__(self, contact: Any) -> None:
        """contact: a gpiozero input."""
        self._contact = contact
        self._on_edge: Callable[[bool, float], None] | None = None
        self._reported = False
        self._quiet_until_s = 0.0
        self._turn = threading.RLock()

    @property
    def pressed(self) -> bool:
        """Whether the button is held down now."""
        return not self._contact.closed and bool(self._contact.is_active)

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on, on the driver's thread. It must return at once and not raise."""
        with self._turn:
            if self._contact.closed:
                return
            self._on_edge, self._reported = on_edge, self.pressed
            self._contact.when_activated = lambda: self._changed(True)
            self._contact.when_deactivated = lambda: self._changed(False)

    def close(self) -> None:
        """Release the pin; no edge is reported afterwards. May be called twice."""
        with self._turn:
            self._on_edge = None
            self._contact.close()

    def _settle(self) -> None:
        with self._turn:
            self._changed(self.pressed)

    def _changed(self, pressed: bool) -> None:
        with self._turn:
            now_s = time.monotonic()
            if self._on_edge is None or pressed == self._reported or now_s < self._quiet_until_s:
                return
            self._reported, self._quiet_until_s = pressed, now_s + _QUIET_S
            # Once the contact is stable, its level may differ from the edge just reported.
            settled = threading.Timer(_QUIET_S, self._settle)
            settled.daemon = True
            settled.start()
            self._on_edge(pressed, now_s)

"""Tells a pairing code: for each digit as many blinks, and its word if there is a voice. On a thread of its own."""

import threading
from typing import Final

from cuelens.runtime.outputs import Outputs

_BLINK_S: Final = 0.4
"""From one blink to the next: slower than the flash limit of 3 Hz."""
_BETWEEN_S: Final = 0.9
"""Pause between two digits. Six times the digit 6 takes 19 seconds."""
_FIRST_S: Final = 1.0
"""Pause before the first digit, for whoever has to look up from a phone."""


class CodeTeller:
    """Tells one code at a time. A new one replaces the one that is being told."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._stopped = threading.Event()

    def tell(self, digits: str) -> None:
        """Begin to tell a code. Returns at once. digits: each 1 to 6."""
        self.stop()
        self._stopped = threading.Event()
        threading.Thread(target=self._tell, args=(digits, self._stopped), name="code", daemon=True).start()

    def stop(self) -> None:
        """Tell no further digit."""
        self._stopped.set()

    def _tell(self, digits: str, stopped: threading.Event) -> None:
        pause_s = _FIRST_S
        for digit in digits:
            for blink in range(int(digit)):
                if stopped.wait(pause_s):
                    return
                self._outputs.blink("" if blink else digit)
                pause_s = _BLINK_S
            pause_s = _BETWEEN_S

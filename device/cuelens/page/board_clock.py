"""Setting the clock of the glasses, which have none that runs on.

The page has a network, so its service may not do that itself. It leaves the time in its runtime folder, where
cuelens-clock.path waits for it.
"""

import os
import time
from pathlib import Path
from typing import Final

from cuelens_models.atomic_file import write_whole

_FILE: Final = "clock"
_NEAR_S: Final = 5.0
_POLL_S: Final = 0.05


def set_time(seconds: float, patience_s: float = 3.0) -> None:
    """Set the clock. In a service, leave the time for the one that may, and wait until the clock shows it.

    Blocks. Raises OSError: PermissionError if this user may not, TimeoutError if it was not set in time.

    Args:
        seconds: since 1970.
        patience_s: how long to wait.
    """
    folder = os.environ.get("RUNTIME_DIRECTORY")
    if not folder:
        time.clock_settime(time.CLOCK_REALTIME, seconds)
        return
    write_whole(Path(folder) / _FILE, f"{round(seconds)}\n".encode())
    began_s = time.monotonic()
    while abs(time.time() - seconds - (time.monotonic() - began_s)) > _NEAR_S:
        if time.monotonic() - began_s > patience_s:
            raise TimeoutError("the clock was not set")
        time.sleep(_POLL_S)

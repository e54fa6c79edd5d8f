"""Shared by the threads of light and voice: deadlines, and the report of a failure."""

from collections.abc import Callable
from typing import Final

CLOSE_S: Final = 0.2
TURN_S: Final = 1.0


class FirstFault:
    """Context that suppresses errors and reports the first one, so that the thread lives and tries the next cue."""

    def __init__(self, name: str, fault: Callable[[str, str], None]) -> None:
        self._name = name
        self._fault = fault
        self._failed = False

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Exception) and not self._failed:
            self._failed = True
            self._fault(f"no {self._name}", f"{type(error).__name__}: {error}")
        return isinstance(error, Exception)

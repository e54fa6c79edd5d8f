"""One-place mailbox between a thread that makes and a thread that uses.

A cue about an old face is worse than no cue, so `put` overwrites what was not taken: a slow reader loses items,
which are counted, and never gains latency.
"""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds at most one item. Safe for one writer and one reader thread."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._arrived = threading.Condition()
        self.overwritten = 0

    def put(self, item: T) -> None:
        """Leave an item, in place of one that was not taken."""
        with self._arrived:
            self.overwritten += len(self._items)
            self._items[:] = [item]
            self._arrived.notify()

    def take(self, timeout_s: float) -> T:
        """Remove and return the item; TimeoutError if none came within `timeout_s` seconds."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._items, timeout_s):
                raise TimeoutError(f"nothing came within {timeout_s} s")
            return self._items.pop()

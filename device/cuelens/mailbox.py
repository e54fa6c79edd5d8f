"""Mailbox: holds the latest item between a writer thread and a reader thread.

A cue about an old face is worse than no cue, so `put` overwrites an item that was not taken. A slow reader loses items,
which are counted, and never gains latency.
"""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds at most one item. Safe for one writer and one reader thread."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._changed = threading.Condition()
        self._closed = False
        self.overwritten = 0

    def put(self, item: T) -> None:
        """Store an item. It replaces one that was not taken."""
        with self._changed:
            self.overwritten += len(self._items)
            self._items[:] = [item]
            self._changed.notify()

    def offer(self, item: T) -> None:
        """Store an item, unless another waits."""
        with self._changed:
            if not self._items:
                self._items.append(item)
                self._changed.notify()

    def close(self) -> None:
        """End the stream of items. A stored item can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, timeout_s: float) -> T:
        """Remove and return the item.

        Raises TimeoutError if none came within `timeout_s` seconds, EOFError if the mailbox is closed and empty.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, timeout_s):
                raise TimeoutError(f"nothing came within {timeout_s} s")
            if not self._items:
                raise EOFError("nothing more will come")
            return self._items.pop()

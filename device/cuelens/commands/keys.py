"""Keys of a terminal in place of the button: a asks, m mutes, p pauses, q ends the run."""

import contextlib
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

HINT: Final = "keys: a asks what a face shows, m mutes, p pauses, q ends"
_GESTURES: Final = {b"a": "ask", b"m": "mute", b"p": "pause"}
_END: Final = b"q"
_AWAY_S: Final = 0.5
"""Pause between two looks whether the process is in the foreground again."""
_CLOSE_S: Final = 0.5


@contextmanager
def keys(press: Callable[[str], object], end: Callable[[], object]) -> Iterator[bool]:
    """Listen to the keys of standard input within this block. Yields whether there are any.

    There are none if standard input is no terminal, or if another process has it. Keys are not shown and need no Enter;
    afterwards the terminal is as it was.

    Args:
        press: is called with each gesture: ask, mute or pause.
        end: is called at q.
    """
    if not _in_foreground():
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    wake, woken = os.pipe()
    thread = threading.Thread(target=_listen, args=(terminal, wake, press, end), name="keys", daemon=True)
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        thread.start()
        yield True
    finally:
        os.close(woken)
        if thread.is_alive():
            thread.join(_CLOSE_S)
        if _in_foreground():
            # In the background the terminal is the shell's, which has set it up for itself.
            with contextlib.suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSANOW, before)


def _in_foreground() -> bool:
    """Tell whether standard input is a terminal from which this process may read: others are stopped if they try."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):
        return False


def _listen(terminal: int, wake: int, press: Callable[[str], object], end: Callable[[], object]) -> None:
    """Handle keys until the other end of the pipe `wake` is closed, or the terminal is gone."""
    with open(wake, "rb", closefd=True):
        while wake not in select.select([terminal, wake], [], [])[0]:
            if not _in_foreground():
                select.select([wake], [], [], _AWAY_S)
                continue
            try:
                key = os.read(terminal, 1)
            except OSError:
                return
            if not key:
                return
            if key == _END:
                end()
            elif gesture := _GESTURES.get(key):
                press(gesture)
